"""Numbers of a piece of a report: diameters in mm, now and before, and other figures by their unit."""

import re
from dataclasses import dataclass

from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.units import to_mm
from tools.reports.lint.reading.vocabulary import group

_WORDS = patterns("tools.report_lint")
_UP_TO = _WORDS.regex("figures_up_to", 0)

SIZE = _WORDS.regex("figures_size")
_BARE_BEFORE = _WORDS.regex("figures_bare_before")
_TO = _WORDS.regex("figures_to", 0)
_BEFORE_BEHIND = _WORDS.regex("figures_before_behind")
_FROM = _WORDS.regex("figures_from")
_DATED = re.compile(
    r"^\s*(?:on|in|at) (?:the )?(?:\d{1,2}[ ./-]|20\d\d|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|baseline|prior|previous)",
    re.IGNORECASE,
)
_MOVED = _WORDS.regex("figures_moved")
_NOW = _WORDS.regex("figures_now")
_UNBOUNDED = _WORDS.regex("figures_unbounded")
# Figures that are no diameter: unit, expression, factor to the unit.
_PER_CENT = re.compile(r"(?<![\d.+-])(\d+(?:\.\d+)?)\s*%")
# Two readings of the share of a lung differ by so many per cent.
_SHARE = 10.0
_OTHER = (
    ("ratio", _WORDS.regex("figures_ratio"), 1.0),
    ("HU", re.compile(r"(-?\d+(?:\.\d+)?)\s*HU", re.IGNORECASE), 1.0),
    ("mL", _WORDS.regex("figures_millilitres"), 1.0),
    ("mL", _WORDS.regex("figures_litres", 0), 1000.0),
    ("%", re.compile(r"(?<![\d.])(?<![<>≥≤] )(?<![<>≥≤])(?<!above )(?<!below )(?<!over )(?<!under )(?<!than )(\d+(?:\.\d+)?)\s*%"), 1.0),
    ("score", _WORDS.regex("figures_score"), 1.0),
    ("days", _WORDS.regex("figures_days"), 1.0),
)


@dataclass(frozen=True)
class Figures:
    """Numbers of a piece.

    Attributes:
        now: Diameters in mm as they are now.
        before: Diameters in mm of an earlier study.
        other: `(unit, value)` of everything else.
        shares: Per cent now and of an earlier study, where a text gives both.
    """

    now: tuple[float, ...]
    before: tuple[float, ...]
    other: tuple[tuple[str, float], ...]
    shares: tuple[float, float] | None = None

    @property
    def trend(self) -> str | None:
        """`up`, `down` or `stable` by the largest diameters now and before."""
        if not self.now or not self.before:
            return None
        now, then = max(self.now), max(self.before)
        if abs(now - then) < max(2.0, 0.15 * then):
            return "stable"
        return "up" if now > then else "down"

    @property
    def spread(self) -> str | None:
        """`up` or `down` by the shares now and before, where they differ by more than readers do."""
        if self.shares is None or abs(self.shares[0] - self.shares[1]) < _SHARE:
            return None
        return "up" if self.shares[0] > self.shares[1] else "down"


def figures_in(text: str) -> Figures:
    """All figures of a text."""
    now: list[float] = []
    before: list[float] = []
    found = list(SIZE.finditer(text))
    factor = 1.0
    for i, m in enumerate(found):
        factor = to_mm(m[4])
        values = [float(v) * factor for v in m.groups()[:3] if v]
        lead = text[: m.start()]
        # A range rises: "82 to 54 mm" is what became of it.
        if m[2] and not m[3] and _UP_TO.search(m.group()) and (values[0] > values[1] or _FROM.search(lead) or _MOVED.search(lead)):
            before.append(values.pop(0))
            now.extend(values)
            continue
        after = text[m.end() : found[i + 1].start()] if i + 1 < len(found) else text[m.end() :]
        old = _earlier(text[: m.start() + 1], after) or (m is found[-1] and bool(_BEFORE_BEHIND.match(after)))
        (before if old else now).extend(values)
    if found and not before:
        before += [float(m[1]) * factor for m in _BARE_BEFORE.finditer(text)]
    other = tuple(
        (unit, float(m[1]) * times)
        for unit, pattern, times in _OTHER
        for m in pattern.finditer(text)
        if not _UNBOUNDED.search(text[: m.start(1)])
    )
    return Figures(tuple(now), tuple(before), other, _shares(text))


def _shares(text: str) -> tuple[float, float] | None:
    """One share of the lung now and one before ("15 %, before 40 %")."""
    found = list(_PER_CENT.finditer(text))
    if len(found) != 2:
        return None
    first, second = found
    values = float(first[1]), float(second[1])
    old = [
        _earlier(text[: first.start() + 1], text[first.end() : second.start()]),
        _earlier(text[: second.start() + 1], text[second.end() :]) or bool(_BEFORE_BEHIND.match(text[second.end() :])),
    ]
    return None if old[0] == old[1] else values if old[1] else (values[1], values[0])


def _earlier(lead: str, after: str) -> bool:
    """Whether a size belongs to an earlier study: by a word right before it, or because another follows that it became."""
    near = re.split(r"[,，;；)）]", lead[-33:])[-1]
    words = list(group("prior")["words"].finditer(near))
    if words and not _NOW.search(near[words[-1].end() :]):
        return True
    return bool(_DATED.match(after) or (after and _TO.match(after)))
