"""The part of a page that a reader can see: what is hidden is not indexed (HTML, Markdown, DOCX, PDF)."""

import re
from collections.abc import Iterator
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
# So deep are forms within forms of a page looked into.
_DEPTH = 8
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


# Runs that a reader sees: not deleted or moved away by a tracked change, not in a text box that lies on the page by its own rules.
_RUNS = ".//w:r[not(ancestor::w:del) and not(ancestor::w:moveFrom) and not(ancestor::w:txbxContent)]"
# A fill darker than this shows white letters.
_DARK = 0xC0


def visible_runs(paragraph: Any) -> str:
    """Text of a DOCX paragraph as it is read: with tracked insertions, without deletions, and without hidden, white or tiny runs."""
    from docx.text.run import Run

    runs = [Run(r, paragraph) for r in paragraph._p.xpath(_RUNS)]
    return "".join(r.text for r in runs if not _unseen_run(r, paragraph))


def _unseen_run(run: Any, paragraph: Any) -> bool:
    fonts = [run.font, *_fonts(run.style), *_fonts(paragraph.style)]
    hidden = next((f.hidden for f in fonts if f.hidden is not None), False)
    size = next((f.size.pt for f in fonts if f.size is not None), None)
    colour = next((str(f.color.rgb).upper() for f in fonts if f.color is not None and f.color.rgb is not None), "")
    white = len(colour) == len("FFFFFF") and min(int(colour[n : n + 2], 16) for n in (0, 2, 4)) >= _WHITE
    return bool(hidden) or (white and not _on_dark(run)) or (size is not None and size < _LEAST_POINTS)


def _fonts(style: Any) -> Iterator[Any]:
    """Fonts of a style and of those it is based on."""
    while style is not None:
        yield style.font
        style = style.base_style


def _on_dark(run: Any) -> bool:
    """Whether the run, its paragraph or its table cell is filled with a dark colour."""
    fills = run._r.xpath("./w:rPr/w:shd/@w:fill | ancestor::w:p[1]/w:pPr/w:shd/@w:fill | ancestor::w:tc[1]/w:tcPr/w:shd/@w:fill")
    return any(re.fullmatch(r"[0-9A-Fa-f]{6}", f) and min(int(f[n : n + 2], 16) for n in (0, 2, 4)) < _DARK for f in fills)


def visible_page(page: Any) -> Any:
    """A PDF page without text that is white, smaller than a point, off the page, or not drawn at all where it is no scan's text layer."""
    import pypdfium2.raw as raw

    objects = list(page.get_objects(max_depth=_DEPTH))
    scanned = any(o.type == raw.FPDF_PAGEOBJ_IMAGE for o in objects)
    for item in (o for o in objects if o.type == raw.FPDF_PAGEOBJ_TEXT):
        if _unseen_text(raw, item.raw, scanned) or (item.container is None and _off_page(item.get_bounds(), page.get_bbox())):
            if item.container is None:
                page.remove_obj(item)
            elif raw.FPDFFormObj_RemoveObject(item.container.raw, item.raw):
                raw.FPDFPageObj_Destroy(item.raw)
    return page


def _off_page(own: tuple[float, ...], box: tuple[float, ...]) -> bool:
    """Whether something lies wholly outside what is shown of a page: left, bottom, right, top."""
    return own[2] < box[0] or own[0] > box[2] or own[3] < box[1] or own[1] > box[3]


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
