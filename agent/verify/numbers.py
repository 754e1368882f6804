"""Numbers of a sentence with unit, comparator and what they speak of; whether they stand in the evidence."""

import re
import tomllib
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Literal

from agent.reading.lexicon import Mention, mentions
from agent.verify.units import UNIT, convert, parse_unit
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence, Quantity

_TEXT = patterns("agent.verify")

Direction = Literal["at_least", "above", "at_most", "below"]

_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.,])(?<![A-Za-z]-)(?:[-−](?=\d))?\d+(?:,\d{3})+(?:\.\d+)?|(?<![A-Za-z0-9_.])(?<![A-Za-z]-)[-−]?\d+(?:\.\d+)?"
)
_MONTH_NAMES = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
MONTHS = "|".join(f"{m}|{m[:3]}" for m in (*_MONTH_NAMES, *(m.capitalize() for m in _MONTH_NAMES)))
_WRITTEN_DATE = re.compile(rf"\b(\d{{1,2}}) ({MONTHS}) (\d{{4}})|\b({MONTHS}) (\d{{1,2}}), (\d{{4}})")
_DATE = re.compile(
    rf"\d{{4}}-\d{{2}}-\d{{2}}(?:[T ]\d{{2}}:\d{{2}}(?::\d{{2}})?)?|\b\d{{1,2}}:\d{{2}}\b|{_TEXT.text('numbers_date_chinese')}"
    rf"|\b\d{{1,2}} (?:{MONTHS}) \d{{4}}|\b(?:{MONTHS}) \d{{1,2}}, \d{{4}}"
    # A day without its year is a date too.
    rf"|\b\d{{1,2}} (?:{MONTHS})\b|\b(?:{MONTHS}) \d{{1,2}}\b(?!\s*(?:mg|g|ml|%))"
)
_BRACKET = re.compile(r"\s*[(（]\s*")
_RANGE = _TEXT.regex("numbers_range")
_WORDS = {
    "twice": 2.0,
    "two": 2.0,
    "three": 3.0,
    "four": 4.0,
    "five": 5.0,
    "six": 6.0,
    "seven": 7.0,
    "eight": 8.0,
    "nine": 9.0,
    "ten": 10.0,
    "twelve": 12.0,
}
_ZH = {word: float(digit) for word, digit in _TEXT.table("digits").items()}
_WORD = _TEXT.regex("numbers_word")
_ABOUT = _TEXT.regex("numbers_about")
FALL = _TEXT.regex("numbers_fall")
_COMPARE = tomllib.loads(files("agent").joinpath("data/wording.toml").read_text(encoding="utf-8"))["comparators"]
_DIRECTIONS: tuple[Direction, ...] = ("at_least", "at_most", "above", "below")
_NEARLY = _TEXT.text("numbers_nearly")
_BEFORE = tuple((d, re.compile(rf"(?:{'|'.join(_COMPARE[d])}){_NEARLY}\s*$", re.IGNORECASE)) for d in _DIRECTIONS)
_AFTER = tuple((d, re.compile(rf"^\s*(?:{'|'.join(_COMPARE[d + '_after'])})", re.IGNORECASE)) for d in _DIRECTIONS[:2])
_NO_ANCHOR = frozenset({"respiratory", "population", "history", "disease", "comorbidity"})
_UP: frozenset[str] = frozenset({"at_least", "above"})


@dataclass(frozen=True)
class Number:
    """One number of a text.

    Attributes:
        value: As written (or full precision when it comes from a quantity).
        unit: `(dimension, factor)`, None when none is written.
        decimals: Digits after the point.
        direction: Comparator, None for a plain value.
        anchor: Id of the term it speaks of (nearest before it in its clause, else nearest after).
        side: Side words of its clause.
        label: Class, step or stage that it is given for (the last one named before it in its clause).
        about: Marked as approximate.
        exact: Came from a typed quantity.
    """

    value: float
    unit: tuple[str, float] | None = None
    decimals: int = 0
    direction: Direction | None = None
    anchor: str | None = None
    side: frozenset[str] = frozenset()
    label: frozenset[str] = frozenset()
    about: bool = False
    exact: bool = False


_CLAUSE = _TEXT.regex("numbers_clause", flags=0)
_SIDES = {"left": _TEXT.regex("numbers_left"), "right": _TEXT.regex("numbers_right")}
_BOTH = _TEXT.regex("numbers_both")
_DATE_PARTS = _TEXT.regex("numbers_date_parts", flags=0)


def sides_of(text: str) -> frozenset[str]:
    """`left` and `right` as far as `text` names them; both sides count as both."""
    found = {name for name, pattern in _SIDES.items() if pattern.search(text)}
    if _BOTH.search(text):
        found |= {"left", "right"}
    return frozenset(found)


# Classes, steps, stages and grades: what a number or an advice belongs to inside a list of them.
_LABEL = _TEXT.regex("numbers_label", flags=0)


def labels_of(text: str) -> frozenset[str]:
    """Classes, steps and stages that a text names, as `IV`, `3`, `B`."""
    found: set[str] = set()
    for match in _LABEL.finditer(text):
        found |= set(re.findall(r"[IVXⅠⅡⅢⅣⅤ]+|\d[A-Z]?|[A-E]", " ".join(g for g in match.groups() if g)))
    return frozenset(found)


def labelled(text: str) -> list[tuple[int, str]]:
    """Classes, steps and stages with where each is named; lists of them count as none."""
    found = ((m.start(), labels_of(m.group(0))) for m in _LABEL.finditer(text))
    return [(start, next(iter(labels))) for start, labels in found if len(labels) == 1]


def _mask(text: str) -> tuple[str, tuple[Mention, ...]]:
    """Text with dates and digit-bearing names blanked, and its mentions."""
    found = mentions(text)
    chars = list(text)
    for m in found:
        if any(c.isdigit() for c in text[m.start : m.end]):
            chars[m.start : m.end] = "_" * (m.end - m.start)
    masked = _LABEL.sub(lambda m: " " * len(m.group(0)), "".join(chars))
    return _DATE.sub(lambda m: "_" * len(m.group(0)), masked), found


def dates_of(text: str) -> frozenset[str]:
    """Calendar dates of a text as ISO days."""
    days = set()
    for match in _DATE_PARTS.finditer(text):
        a, b, c, d, e, f = match.groups()
        days.add(f"{a or d}-{int(b or e):02d}-{int(c or f):02d}")
    for match in _WRITTEN_DATE.finditer(text):
        day, name, year = match.group(1) or match.group(5), match.group(2) or match.group(4), match.group(3) or match.group(6)
        month = next(i for i, m in enumerate(_MONTH_NAMES, 1) if m.startswith(name.lower()[:3]))
        days.add(f"{year}-{month:02d}-{int(day):02d}")
    return frozenset(days)


def numbers_of(text: str) -> list[Number]:
    """Numbers of `text` in order; names such as CURB-65 and dates are not numbers."""
    return [number for _, _, number in located(text)]


def located(text: str) -> list[tuple[int, int, Number]]:
    """Numbers of `text` with first and last character."""
    return list(_located(text))


@lru_cache(maxsize=16384)
def _located(text: str) -> tuple[tuple[int, int, Number], ...]:
    masked, found = _mask(text)
    bounds = [0, *(m.end() for m in _CLAUSE.finditer(masked)), len(masked)]
    spans: list[tuple[int, int, Number]] = []
    written = 0
    for match in _NUMBER.finditer(masked):
        if match.start() < written:
            continue  # the ten and nine of 10^9/L
        spans.append((match.start(), match.end(), _read(masked, match)))
        behind = UNIT.match(masked, match.end())
        written = behind.end() if behind else match.end()
    for match in _WORD.finditer(masked):
        value = _WORDS[match.group(1).lower()] if match.group(1) else _ZH[match.group(2)]
        times = (match.group(1) or "").lower() in ("once", "twice")
        unit = parse_unit("times") if times else _unit_after(masked, match.end())
        if not (times and value == 1.0):  # "once" is too loose a word to be held to
            spans.append((match.start(), match.end(), Number(value, unit=unit)))
    spans.sort(key=lambda s: s[0])
    _share_range_units(masked, spans)
    named = [(m.end(), labels_of(m.group(0))) for m in _LABEL.finditer(text)]
    situated = [(start, end, _situate(masked, found, bounds, start, end, number)) for start, end, number in spans]
    _share_limits(masked, situated)
    return tuple((start, end, replace(n, label=_label_at(start, named, bounds))) for start, end, n in situated)


def _label_at(start: int, named: list[tuple[int, frozenset[str]]], bounds: list[int]) -> frozenset[str]:
    low = max(b for b in bounds if b <= start)
    before = [label for end, label in named if low <= end <= start]
    return before[-1] if before else frozenset()


def _read(masked: str, match: re.Match[str]) -> Number:
    raw = match.group(0).replace(",", "").replace("−", "-")
    if raw.startswith("-") and re.search(r"[\d)%]\s*$", masked[: match.start()]):
        raw = raw[1:]
    decimals = len(raw.partition(".")[2])
    unit = _unit_after(masked, match.end()) or _unit_before(masked, match.start())
    if unit and unit[0] == "months" and not decimals and 1980 <= float(raw) <= 2100:
        unit = None  # "2025-2026" before the word for a season names two years
    return Number(float(raw), unit=unit, decimals=decimals)


def _unit_after(masked: str, end: int) -> tuple[str, float] | None:
    match = UNIT.match(masked, end)
    return parse_unit(match.group(0)) if match else None


def _unit_before(masked: str, start: int) -> tuple[str, float] | None:
    """`day 6` is the sixth day."""
    match = re.search(r"\b(day|week|month|year)s?\s$", masked[:start], re.IGNORECASE)
    return parse_unit(match.group(1)) if match else None


def _share_range_units(masked: str, spans: list[tuple[int, int, Number]]) -> None:
    for i in range(len(spans) - 2, -1, -1):
        (start, end, number), (following, _, other) = spans[i], spans[i + 1]
        if number.unit is None and other.unit is not None and _RANGE.match(masked[end:following]):
            spans[i] = (start, end, replace(number, unit=other.unit))


def _share_limits(masked: str, spans: list[tuple[int, int, Number]]) -> None:
    """ "above 1.24 mmol/L (110 mg/dL)": the same limit in another unit has the same direction."""
    for i, ((_, end, limit), (start, stop, number)) in enumerate(pairwise(spans)):
        unit = UNIT.match(masked, end)
        between = masked[unit.end() if unit else end : start]
        if limit.direction and not number.direction and number.unit and limit.unit != number.unit and _BRACKET.fullmatch(between):
            spans[i + 1] = (start, stop, replace(number, direction=limit.direction))


def _situate(masked: str, found: tuple[Mention, ...], bounds: list[int], start: int, end: int, number: Number) -> Number:
    low = max(b for b in bounds if b <= start)
    high = min(b for b in bounds if b >= end)
    before, after = masked[low:start], masked[end:high]
    direction = next((d for d, p in _BEFORE if p.search(before)), None)
    unit = UNIT.match(masked, end)
    tail = masked[unit.end() if unit else end : high]
    direction = next((d for d, p in _AFTER if p.search(after) or p.search(tail)), direction)
    here = [m for m in found if low <= m.start and m.end <= high and m.term.kind not in _NO_ANCHOR]
    preceding = [m for m in here if m.end <= start]
    following = [m for m in here if m.start >= end]
    # "the short axis of the lesion is ...": what is measured counts before the thing it is measured on.
    measured = [m for m in preceding if m.term.kind == "measure"]
    chosen = measured[-1:] or preceding[-1:] or following[:1]
    anchor = chosen[0].term.id if chosen else None
    about = bool(_ABOUT.search(masked[low:high]))
    return replace(number, direction=direction, anchor=anchor, side=sides_of(masked[low:high]), about=about)


def numbers_of_evidence(evidence: Evidence) -> list[Number]:
    """Typed quantities first, then numbers in the English and Chinese text."""
    typed = [n for q in evidence.quantities for n in _from_quantity(q, evidence)]
    return typed + numbers_of(evidence.text) + (numbers_of(evidence.text_zh) if evidence.text_zh else [])


def _from_quantity(quantity: Quantity, evidence: Evidence) -> list[Number]:
    found = mentions(quantity.name.replace("_", " ")) or mentions(quantity.name.replace("_", "-"))
    anchor = found[0].term.id if found else (evidence.subjects[0].replace(" ", "_") if len(evidence.subjects) == 1 else None)
    unit = parse_unit(quantity.unit)
    side = sides_of(quantity.name.replace("_", " ")) or (frozenset({evidence.side}) if evidence.side in ("left", "right") else frozenset())
    values = [quantity.value] + ([] if quantity.high is None else [quantity.high])
    return [Number(v, unit, quantity.decimals, anchor=anchor, side=side, exact=True) for v in values]


def same(claim: Number, record: Number) -> bool:
    """Whether the claim's number is the record's after conversion and rounding."""
    factor = 1.0
    value = record.value
    if claim.unit and claim.unit[0] == "percent" and record.unit is None and 0 < record.value <= 1:
        value = record.value * 100  # an oxygen fraction of 0.28 is 28%
    elif claim.unit and record.unit:
        converted = convert(record.value, record.unit, claim.unit)
        if converted is None:
            return False
        factor = abs(converted / record.value) if record.value else 1.0
        value = converted
    elif claim.unit and record.unit is None and claim.unit[0] not in ("points", "fold"):
        return False
    if claim.value == value:
        return True
    half = 0.5 * 10.0**-claim.decimals
    if abs(claim.value - value) > half * 1.0001 + 1e-9:
        return False
    stated = factor == 1.0 and claim.decimals >= record.decimals and record.exact
    converted_enough = factor != 1.0
    close = abs(claim.value - value) <= (0.05 if claim.about else 0.02) * abs(value)
    return stated or (converted_enough and close) or close


def opposed(claim: Number, record: Number) -> bool:
    """Whether two limits point in opposite directions."""
    if claim.direction is None or record.direction is None:
        return False
    return (claim.direction in _UP) != (record.direction in _UP)
