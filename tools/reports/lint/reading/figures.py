"""Numbers of a piece of a report: diameters in mm, now and before, and other figures by their unit."""

import re
from dataclasses import dataclass

from tools.reports.lint.reading.vocabulary import group

SIZE = re.compile(
    r"(?<![\d.A-Za-z/:])(\d+(?:\.\d+)?)(?:\s*(?:millimet(?:er|re)s?|centimet(?:er|re)s?|mm|cm|毫米|厘米)?\s*(?:[x×X*]"
    r"|by|-|–|~|～|至|to|and|和|、)\s*(\d+(?:\.\d+)?))?"
    r"(?:\s*(?:millimet(?:er|re)s?|centimet(?:er|re)s?|mm|cm|毫米"
    r"|厘米)?\s*(?:[x×X*])\s*(\d+(?:\.\d+)?))?\s*-?\s*(millimet(?:er|re)s?|centimet(?:er|re)s?|mm|cm|毫米"
    r"|厘米)(?![A-Za-z\d³²])(?!\s*(?:slice|section|collimation|层厚))",
    re.IGNORECASE,
)
_BARE_BEFORE = re.compile(
    r"(?:previously|formerly|from|was|baseline|原|前次?|由|从)\s*(\d{1,3}(?:\.\d+)?)(?![\d.]*\s*(?:[A-Za-z/\-年月日%]|\d))", re.IGNORECASE
)
_TO = re.compile(r"^\s*(?:缩小?至|降至|减小?至|增大?至|增至|升至|长至|变为|现为?|→|->)\s*约?\s*$")
_FROM = re.compile(r"(?:(?<!ranging )(?<!range )(?<!sizes )from|由|从)\s*$|\($", re.IGNORECASE)
_DATED = re.compile(
    r"^\s*(?:on|in|at) (?:the )?(?:\d{1,2}[ ./-]|20\d\d|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|baseline|prior|previous)",
    re.IGNORECASE,
)
_MOVED = re.compile(r"(?:grow\w*|grew|shr\w+|increas\w+|decreas\w+|增大|缩小)[^.;；。]{0,12}$", re.IGNORECASE)
_NOW = re.compile(r"(?<![A-Za-z])(?:now|currently|current|to|today)(?![A-Za-z])|现|目前|本次|至", re.IGNORECASE)
# Figures that are no diameter: unit, expression, factor to the unit.
_OTHER = (
    ("ratio", re.compile(r"(?:RV\s*[:/]\s*LV|RV to LV|心胸比(?:率|例)?|cardiothoracic ratio"
    r"|CTR)\D{0,14}?(\d(?:\.\d+)?)(?![\d%]|\s*(?:mm|cm))", re.IGNORECASE), 1.0),
    ("HU", re.compile(r"(-?\d+(?:\.\d+)?)\s*HU", re.IGNORECASE), 1.0),
    ("mL", re.compile(r"(\d+(?:\.\d+)?)\s*(?:mL|cc|毫升)(?![A-Za-z])", re.IGNORECASE), 1.0),
    ("mL", re.compile(r"(\d+(?:\.\d+)?)\s*(?:L|litres?|liters?|升)(?![A-Za-z/])"), 1000.0),
    ("%", re.compile(r"(\d+(?:\.\d+)?)\s*%"), 1.0),
    ("score", re.compile(r"(?:Agatston|calcium score|积分)\D{0,14}?(\d+)(?!\s*(?:mm|cm))", re.IGNORECASE), 1.0),
    ("days", re.compile(r"(?:VDT|doubling time|倍增时间)\D{0,14}?(\d+)", re.IGNORECASE), 1.0),
)  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """Numbers of a piece.

    Attributes:
        now: Diameters in mm as they are now.
        before: Diameters in mm of an earlier study.
        other: `(unit, value)` of everything else.
    """

    now: tuple[float, ...]
    before: tuple[float, ...]
    other: tuple[tuple[str, float], ...]

    @property
    def trend(self) -> str | None:
        """`up`, `down` or `stable` by the largest diameters now and before."""
        if not self.now or not self.before:
            return None
        now, then = max(self.now), max(self.before)
        if abs(now - then) < max(2.0, 0.15 * then):
            return "stable"
        return "up" if now > then else "down"


def figures_in(text: str) -> Figures:
    """All figures of a text."""
    now: list[float] = []
    before: list[float] = []
    found = list(SIZE.finditer(text))
    factor = 1.0
    for i, m in enumerate(found):
        factor = 10.0 if m[4].lower()[:1] in ("c", "厘") else 1.0
        values = [float(v) * factor for v in m.groups()[:3] if v]
        if m[2] and not m[3] and re.search(r"to|至", m.group()) and (_FROM.search(text[: m.start()]) or _MOVED.search(text[: m.start()])):
            before.append(values.pop(0))
            now.extend(values)
            continue
        after = text[m.end() : found[i + 1].start()] if i + 1 < len(found) else text[m.end() :]
        (before if _earlier(text[: m.start() + 1], after) else now).extend(values)
    if found and not before:
        before += [float(m[1]) * factor for m in _BARE_BEFORE.finditer(text)]
    other = tuple((unit, float(m[1]) * times) for unit, pattern, times in _OTHER for m in pattern.finditer(text))
    return Figures(tuple(now), tuple(before), other)


def _earlier(lead: str, after: str) -> bool:
    """Whether a size belongs to an earlier study: by a word right before it, or because another follows that it became."""
    near = re.split(r"[,，;；)）]", lead[-33:])[-1]
    words = list(group("prior")["words"].finditer(near))
    if words and not _NOW.search(near[words[-1].end() :]):
        return True
    return bool(_DATED.match(after) or (after and _TO.match(after)))
