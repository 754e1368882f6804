"""The part of a page that a reader can see: what is hidden is not indexed (HTML, Markdown, DOCX, PDF)."""

import re
from typing import Any

from lxml import etree, html

_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0(?:\.0+)?\s*(?:;|$)|font-size\s*:\s*0(?:\D|$)|"
    r"(?<![-\w])color\s*:\s*(?:white|transparent|#fff(?:fff)?\b|rgba?\(\s*255\s*,\s*255\s*,\s*255)|"
    r"(?<![-\w])(?:width|height|max-height)\s*:\s*0(?:px|em|%)?\s*(?:;|$)|text-indent\s*:\s*-\d{3,}|(?:left|top)\s*:\s*-\d{3,}",
    re.IGNORECASE,
)
# Text smaller than this, in points, is not read.
_LEAST_POINTS = 1.0
# Red, green and blue from here are white.
_WHITE = 250
_TAGS = frozenset({"script", "style", "template", "noscript", "meta", "object", "iframe"})


def visible(page: str) -> str:
    """The page without comments and hidden elements (`display:none`, white or zero-size text, `hidden`)."""
    if not page.strip():
        return page
    tree = html.fromstring(page.encode("utf-8"), parser=html.HTMLParser(encoding="utf-8"))
    unseen = [e for e in tree.iter() if _unseen(e)]
    for element in unseen:
        if element.getparent() is not None:
            element.drop_tree()
    return str(html.tostring(tree, encoding="unicode"))


def _unseen(element: etree._Element) -> bool:
    if not isinstance(element.tag, str):
        return True  # comments and processing instructions
    styled = element.get("style") or ""
    faint = (element.get("color") or "").lower() in ("white", "#fff", "#ffffff")
    return (
        element.tag in _TAGS
        or element.get("hidden") is not None
        or (element.get("type") or "").lower() == "hidden"
        or (element.get("aria-hidden") or "").lower() == "true"
        or faint
        or bool(_HIDDEN.search(styled))
    )


def uncommented(text: str) -> str:
    """Markdown without comments and hidden elements written into it."""
    plain = re.sub(r"<!--.*?(?:-->|$)|^\[[^\]]*\]:\s*#.*$", " ", text, flags=re.DOTALL if "<!--" in text else re.MULTILINE)
    plain = re.sub(r"^\[//\]:\s*#.*$", " ", plain, flags=re.MULTILINE)
    return re.sub(rf"<(\w+)[^>]*(?:{_HIDDEN.pattern}|\bhidden\b)[^>]*>.*?</\1>", " ", plain, flags=re.DOTALL | re.IGNORECASE)


def visible_runs(paragraph: Any) -> str:
    """Text of a DOCX paragraph without runs that are hidden, white or of no size."""
    hidden = [r for r in paragraph.runs if _unseen_run(r)]
    if not hidden:
        return str(paragraph.text)
    return "".join(r.text for r in paragraph.runs if r not in hidden and not _unseen_run(r))


def _unseen_run(run: Any) -> bool:
    font = run.font
    white = font.color is not None and font.color.rgb is not None and str(font.color.rgb).upper() == "FFFFFF"
    return bool(font.hidden) or white or (font.size is not None and font.size.pt < _LEAST_POINTS)


def visible_page(page: Any) -> Any:
    """A PDF page without text that is drawn white, smaller than a point, or not at all where it is no scan's text layer."""
    import pypdfium2.raw as raw

    objects = list(page.get_objects(max_depth=1))
    scanned = any(o.type == raw.FPDF_PAGEOBJ_IMAGE for o in objects)
    for item in (o for o in objects if o.type == raw.FPDF_PAGEOBJ_TEXT):
        if _unseen_text(raw, item.raw, scanned):
            page.remove_obj(item)
    return page


def _unseen_text(raw: Any, text: Any, scanned: bool) -> bool:
    from ctypes import byref, c_float, c_uint

    size, red, green, blue, alpha = c_float(), c_uint(), c_uint(), c_uint(), c_uint()
    if raw.FPDFTextObj_GetTextRenderMode(text) == raw.FPDF_TEXTRENDERMODE_INVISIBLE:
        return not scanned
    small = raw.FPDFTextObj_GetFontSize(text, byref(size)) and size.value < _LEAST_POINTS and _scale(raw, text) <= 1.0
    known = raw.FPDFPageObj_GetFillColor(text, byref(red), byref(green), byref(blue), byref(alpha))
    white = known and (alpha.value == 0 or min(red.value, green.value, blue.value) >= _WHITE)
    return bool(small or white)


def _scale(raw: Any, text: Any) -> float:
    from ctypes import byref

    matrix = raw.FS_MATRIX()
    return max(abs(matrix.a), abs(matrix.d)) if raw.FPDFPageObj_GetMatrix(text, byref(matrix)) else 1.0
