"""Which value belongs to which day, and which of two values came first."""

import re
from collections.abc import Iterable

from agent.verify.facts.segments import SENTENCE
from agent.verify.numbers import MONTHS, Number, located, same
from retrieval.messages.patterns import patterns

_TEXT = patterns("agent.verify")

Day = tuple[int, int, int]
_DAY = re.compile(
    rf"(?P<y>\d{{4}})-(?P<m>\d{{2}})-(?P<d>\d{{2}})|{_TEXT.text('dated_day_chinese')}"
    rf"|\b(?P<de>\d{{1,2}})\s+(?P<me>{MONTHS})\b(?:\s+(?P<ye>\d{{4}}))?|\b(?P<mu>{MONTHS})\s+(?P<du>\d{{1,2}})\b(?:,?\s+(?P<yu>\d{{4}}))?",
)
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CUT = _TEXT.regex("dated_cut", flags=0)
_FROM_TO = _TEXT.regex("dated_from_to")


def days_of(text: str) -> list[tuple[int, int, Day]]:
    """Days of a text with first and last character; the year is 0 where it is not written."""
    out = []
    for m in _DAY.finditer(text):
        g = m.groupdict()
        month = g["m"] or g["mz"] or (_NAMES.index((g["me"] or g["mu"])[:3].lower()) + 1)
        year, day = g["y"] or g["yz"] or g["ye"] or g["yu"] or 0, g["d"] or g["dz"] or g["de"] or g["du"]
        out.append((m.start(), m.end(), (int(year), int(month), int(day))))
    return out


def dated(text: str) -> list[tuple[Number, Day]]:
    """Values with a unit and the day beside each."""
    out = []
    for sentence in SENTENCE.split(text):
        days = days_of(sentence)
        cuts = [0, *(m.end() for m in _CUT.finditer(sentence)), len(sentence)]
        for start, end, number in located(sentence):
            if number.unit is None or any(s <= start < e for s, e, _ in days):
                continue
            low, high = max(c for c in cuts if c <= start), min(c for c in cuts if c >= end)
            here = [d for s, e, d in days if low <= s and e <= high]
            if len(here) == 1:
                out.append((number, here[0]))
    return out


def other_day(claim: str, texts: Iterable[str]) -> bool:
    """Whether a claim gives a value to the day of another value, or tells two values in the wrong order of time."""
    known = [p for t in texts for p in dated(t)]
    for number, day in dated(claim):
        own = [d for n, d in known if same(number, n)]
        rivals = [d for n, d in known if not same(number, n) and n.unit and number.unit and n.unit[0] == number.unit[0]]
        if own and not any(_equal(day, d) for d in own) and any(_equal(day, d) for d in rivals):
            return True
    match = _FROM_TO.search(claim)
    if match is None:
        return False
    first, last = (located(x) for x in ((match["a"], match["b"]) if match["a"] else (match["c"], match["d"])))
    if not first or not last:
        return False
    before = [d for n, d in known if n.value == first[0][2].value]
    after = [d for n, d in known if n.value == last[0][2].value]
    return bool(before and after) and min(before) > max(after)


def _equal(a: Day, b: Day) -> bool:
    return a[1:] == b[1:] and (a[0] == b[0] or not a[0] or not b[0])
