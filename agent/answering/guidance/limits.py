"""Whether a sentence's condition on a number fits the number that the question gives (`pH 7.1`: not "pH of 7.20 or more, no drain")."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.reading.lexicon import mentions
from retrieval.messages.patterns import patterns

_WORDS = patterns("agent.answering")
_KINDS = frozenset({"analyte", "vital", "score"})
_UNIT = (
    r"\s*(?P<unit>%|mm ?Hg|kPa|[mµμun]?mol/L|[mµμunp]?g/(?:[md]?L)|m?[UI]U?/m?L|mL/min(?:/1\.73 ?m[2²])?|[x×]? ?10\^?9/L|"
    r"/min|mm|cm|L/min|cells?/[µu]L)?"
)
_NUMBER = r"(?P<n>\d+(?:\.\d+)?)"
_GIVEN = re.compile(rf"(?:{_WORDS.text('limit_given')})*{_NUMBER}(?![\d.–-]){_UNIT}", re.IGNORECASE)
# A value without a unit that is this many times a limit, or less than that part of it, is read in another unit.
_LIKE = 4.0
_ABOVE, _FROM = _WORDS.text("limit_above"), _WORDS.text("limit_from")
_BELOW, _TO = _WORDS.text("limit_below"), _WORDS.text("limit_to")
_LIMIT = re.compile(
    rf"\s*(?:{_WORDS.text('limit_link')})?\s*"
    rf"(?:(?P<from>{_FROM})|(?P<to>{_TO})|(?P<above>{_ABOVE})|(?P<below>{_BELOW}))?\s*{_NUMBER}"
    rf"(?:\s*(?:{_WORDS.text('limit_range')})\s*(?P<end>\d+(?:\.\d+)?))?{_UNIT}\s*"
    rf"(?:{_WORDS.text('limit_until')}\s*(?P<until>\d+(?:\.\d+)?))?"
    rf"(?P<more>{_WORDS.text('limit_more')})?"
    rf"(?P<less>{_WORDS.text('limit_less')})?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Limit:
    """The values from `low` to `high` of one quantity; `unit` as written, lower case, empty where none is."""

    low: float
    high: float
    unit: str

    def holds(self, value: float) -> bool:
        """Whether a value lies within."""
        return self.low <= value <= self.high


def given(question: str) -> dict[str, tuple[float, str]]:
    """Quantities to which a question gives one value, with its unit."""
    found: dict[str, tuple[float, str]] = {}
    for m in mentions(question):
        number = _GIVEN.match(question, m.end) if m.term.kind in _KINDS else None
        if number is not None:
            found[m.term.id] = (float(number["n"]), _unit(number["unit"]))
    return found


def limits(sentence: str) -> Iterator[tuple[str, Limit]]:
    """Conditions that a sentence puts on quantities; a bare number is none."""
    for m in mentions(sentence):
        found = _LIMIT.match(sentence, m.end) if m.term.kind in _KINDS else None
        limit = _limit(found) if found is not None else None
        if limit is not None:
            yield m.term.id, limit


def fits(question: str, sentence: str) -> bool:
    """Whether no quantity of the question lies outside everything that the sentence says of it."""
    values = given(question)
    if not values:
        return True
    said: dict[str, list[bool]] = {}
    for name, limit in limits(sentence):
        if name in values and _comparable(limit, *values[name]):
            said.setdefault(name, []).append(limit.holds(values[name][0]))
    return all(any(held) for held in said.values())


def _comparable(limit: Limit, value: float, unit: str) -> bool:
    """Whether value and limit are in one unit: as written, or, where the question leaves it out, of a like size (no pCO2 of 7.8 mmHg)."""
    if unit or not limit.unit:
        return not limit.unit or unit == limit.unit
    ends = [end for end in (limit.low, limit.high) if 0 < abs(end) < float("inf")]
    return any(1 / _LIKE <= value / end <= _LIKE for end in ends)


def _limit(found: re.Match[str]) -> Limit | None:
    n, unit, far = float(found["n"]), _unit(found["unit"]), float("inf")
    if found["end"]:
        return Limit(n, float(found["end"]), unit)
    if found["from"] or found["more"]:
        return Limit(n, far, unit)
    if found["to"] or found["less"]:
        return Limit(-far, n, unit)
    step = 1e-9 * max(n, 1.0)
    if found["until"]:
        return Limit(n + step if found["above"] else n, float(found["until"]) - step, unit)
    if found["above"]:
        return Limit(n + step, far, unit)
    return Limit(-far, n - step, unit) if found["below"] else None


def _unit(text: str | None) -> str:
    return "" if text is None else re.sub(r"[\s×]", "", text.lower())
