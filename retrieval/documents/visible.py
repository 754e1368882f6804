"""The part of an HTML page that a reader can see: what is hidden is not indexed."""

import re

from lxml import etree, html

_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0(?:\.0+)?\s*(?:;|$)|font-size\s*:\s*0(?:\D|$)|"
    r"(?<![-\w])color\s*:\s*(?:white|transparent|#fff(?:fff)?\b|rgba?\(\s*255\s*,\s*255\s*,\s*255)|"
    r"(?<![-\w])(?:width|height|max-height)\s*:\s*0(?:px|em|%)?\s*(?:;|$)|text-indent\s*:\s*-\d{3,}|(?:left|top)\s*:\s*-\d{3,}",
    re.IGNORECASE,
)
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
