"""Inputs of a calculator that a message itself gives (`CrCl for a 70-year-old woman of 60 kg, creatinine 120`).

A number counts where its name stands right before it, a word of its own right behind it (`15 a day`), or its unit can be nothing else
(`60 kg`); a limit (`urea above 7`) is nobody's value. Names come from the fields, their analytes and `data/calculators/typed.toml`.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from retrieval.concepts.lexicon import Lexicon
from retrieval.concepts.shorthand import written_out
from retrieval.concepts.table import vocabulary
from retrieval.messages.patterns import patterns
from tools.labs.analytes import Analyte, analytes
from tools.labs.units import parse_unit
from tools.quantities import latest_said
from tools.scores.base import Calculator, Field
from tools.scores.said.findings import answered, answers

_WORDS = patterns("tools.scores")
_GAP = re.compile(_WORDS.text("typed_gap"), re.IGNORECASE)
_NUMBER = re.compile(rf"(?<![A-Za-z0-9.,/])(?P<value>\d+(?:\.\d+)?)\s*(?P<unit>{_WORDS.text('typed_unit')})?(?![\d.]*\d)", re.IGNORECASE)
_PRESSURE = _WORDS.regex("typed_pressure")
_AGE = _WORDS.regex("typed_age")
_AGE_SEX = _WORDS.regex("typed_age_sex", 0)
_MALE, _FEMALE = _WORDS.regex("typed_male"), _WORDS.regex("typed_female")
_METRES = (1.2, 2.3)
_YEARS = frozenset({"year", "years", "yr", "yrs"})
_COMMON_UNITS = ("umol/L", "mmol/L", "mg/dL", "g/L", "g/dL")
# A laboratory value lies between this part and this multiple of the upper reference limit.
_POSSIBLE = (20, 30)


@dataclass(frozen=True)
class _Number:
    start: int
    figures_end: int
    end: int
    value: str
    unit: str


def typed_inputs(calculator: Calculator, message: str, flags: bool = True) -> dict[str, str]:
    """What the message says of the calculator's inputs, as `value unit`; empty where it gives no number.

    Args:
        calculator: Which calculator.
        message: English or Chinese.
        flags: Also read yes-or-no inputs that the message mentions or denies.
    """
    text = latest_said(unicodedata.normalize("NFKC", message))
    numbers, patient = _numbers_given(calculator, text), _patient(calculator, text)
    spelt = written_out(text)[0]
    told = {f.key: "yes" if said else "no" for f in calculator.fields if f.kind == "flag" and (said := _answer(f, spelt)) is not None}
    if not numbers and not ("age" in patient and told and flags):
        return {}
    found = patient | numbers
    found |= {k: v for k, v in _chosen(calculator, text).items() if k not in found}
    return found | told if flags else found


def _numbers_given(calculator: Calculator, text: str) -> dict[str, str]:
    fields = {f.key: f for f in calculator.fields if f.kind == "number"}
    found: dict[str, str] = {}
    pressure = _PRESSURE.search(text)
    if pressure and {"sbp", "dbp"} & fields.keys():
        found |= {k: v for k, v in zip(("sbp", "dbp"), pressure.groups(), strict=True) if k in fields}
    named = list(_named(fields, text))
    read = [(_before(named, text, n) or _behind(fields, text, n), n) for n in _numbers(text)]
    left = [n for key, n in read if key is None]
    # "LDH 300, serum LDH 250": the longer name takes the field.
    for (_, key), number in sorted(((k, n) for k, n in read if k is not None), key=lambda pair: -pair[0][0]):
        if key not in found and not (fields[key].unit == "%" and number.unit not in ("", "%")):
            found[key] = _written(fields[key], text, number)
    found |= {k: v for k, v in _by_unit(fields, text, left).items() if k not in found}
    for key, values in _table()["stands_for"].items():
        if key in fields and key not in found:
            said = [value for value, words in values.items() if any(_whole(w).search(text) for w in words)]
            found |= dict.fromkeys([key], said[0]) if said else {}
    return found


def _numbers(text: str) -> Iterator[_Number]:
    for m in _NUMBER.finditer(text):
        yield _Number(m.start(), m.end("value"), m.end(), m["value"], _table()["units"].get(m["unit"], m["unit"] or ""))


def _named(fields: Mapping[str, Field], text: str) -> Iterator[tuple[int, int, str]]:
    """Where names of the fields stand: the longest at a place, the exact field before one that shares its analyte."""
    taken: list[tuple[int, int]] = []
    for name, key in sorted(((n, k) for k, f in fields.items() for n in _names(f)), key=lambda pair: -len(pair[0])):
        for m in _whole(name).finditer(text):
            if not any(a < m.end() and m.start() < b for a, b in taken):
                taken.append(m.span())
                yield m.start(), m.end(), key


def _names(field: Field) -> frozenset[str]:
    own = [re.sub(r"\s*[(（].*", "", name) for name in (field.en, field.zh)]
    own += [a.replace("_", " ") for a in field.aliases if len(a) > 1]
    own += _table()["said"].get(field.key, ())
    table = analytes()
    own += [n for a in field.analytes[:1] if a in table for n in (table[a].en, table[a].zh, *table[a].synonyms)]
    return frozenset(n.lower() for n in own if n)


def _before(named: list[tuple[int, int, str]], text: str, number: _Number) -> tuple[int, str] | None:
    """The field whose name stands right before the number, with the length of the name."""
    near = [(end, end - start, key) for start, end, key in named if end <= number.start and _GAP.fullmatch(text, end, number.start)]
    return max(near)[1:] if near else None


def _behind(fields: Mapping[str, Field], text: str, number: _Number) -> tuple[int, str] | None:
    """The field of which a word stands right behind the number, with the length of the word."""
    rest = text[number.figures_end :].lstrip().lower()
    for key in fields:
        words = (*_table()["after"].get(key, ()), *_table()["scaled"].get(key, {}))
        met = [len(w) for w in words if rest.startswith(w) and not re.match("[a-z]", rest[len(w) :])]
        if met:
            return max(met), key
    return None


def _written(field: Field, text: str, number: _Number) -> str:
    """The number in the field's own unit where a word behind it names another, else as it stands."""
    rest = text[number.figures_end :].lstrip().lower()
    for word, factor in sorted(_table()["scaled"].get(field.key, {}).items(), key=lambda pair: -len(pair[0])):
        if rest.startswith(word):
            return f"{float(number.value) * factor:.0f}"
    if number.unit.lower() in _YEARS:
        return number.value
    return f"{number.value} {number.unit or _only_unit(field, float(number.value))}".strip()


def _only_unit(field: Field, value: float) -> str:
    """The one unit in which a bare value is possible, where the field's own is not (a creatinine of 150 is no mg/dL); else none."""
    if field.key == "height":
        return "m" if _METRES[0] <= value <= _METRES[1] else ""
    analyte = analytes().get(field.analytes[0]) if field.analytes else None
    highs = [i.high for i in analyte.reference if i.high] if analyte else []
    if analyte is None or not highs or not field.unit or _possible(analyte, value, field.unit, max(highs)):
        return ""
    others = [u for u in _COMMON_UNITS if _possible(analyte, value, u, max(highs))]
    return others[0] if len(others) == 1 else ""


def _possible(analyte: Analyte, value: float, unit: str, high: float) -> bool:
    read = parse_unit(unit)
    canonical = analyte.to_canonical(value, read) if read else None
    return canonical is not None and high / _POSSIBLE[0] <= canonical <= high * _POSSIBLE[1]


def _by_unit(fields: Mapping[str, Field], text: str, left: list[_Number]) -> dict[str, str]:
    """Numbers without a name: known by a unit that only one input has, or as many as the inputs in that unit (`8 mm, then 10 mm`)."""
    found: dict[str, str] = {}
    for key, units in _table()["by_unit"].items():
        mine = [n for n in left if n.unit.lower() in units]
        if key in fields and len(mine) == 1:
            found[key] = f"{float(mine[0].value) * _times(key, text, mine[0]):g} {mine[0].unit}"
    metres = [n for n in left if n.unit == "m" and _METRES[0] <= float(n.value) <= _METRES[1]]
    if "height" in fields and "height" not in found and len(metres) == 1:
        found["height"] = f"{metres[0].value} m"
    sizes, in_mm = [k for k, f in fields.items() if f.unit == "mm" and not f.optional], [n for n in left if n.unit.lower() == "mm"]
    if sizes and len(sizes) == len(in_mm):
        found |= {k: f"{n.value} mm" for k, n in zip(sizes, in_mm, strict=True)}
    return found


def _times(key: str, text: str, number: _Number) -> int:
    """How often a day a dose is given, where the words behind it say so."""
    rest = text[number.end :].lstrip().lower()
    rates = _table()["times"].get(key, {})
    return next((int(n) for n, words in rates.items() if any(re.match(rf"{re.escape(w)}(?![a-z])", rest) for w in words)), 1)


def _patient(calculator: Calculator, text: str) -> dict[str, str]:
    """Age and sex."""
    known = {f.key for f in calculator.fields}
    found: dict[str, str] = {}
    short = _AGE_SEX.search(text)
    age = next((g for g in short.groups()[:1]), None) if short else None
    aged = _AGE.search(text)
    age = next((g for g in aged.groups() if g), age) if aged else age
    if age and "age" in known:
        found["age"] = age
    sex = "female" if _FEMALE.search(text) else "male" if _MALE.search(text) else None
    if sex is None and short:
        sex = "female" if short.group(2) == "F" else "male"
    if sex and "sex" in known:
        found["sex"] = sex
    return found


def _chosen(calculator: Calculator, text: str) -> dict[str, str]:
    """Choices that the message names, in its order where several inputs have the same ones (`prednisolone to hydrocortisone`)."""
    found: dict[str, str] = {}
    plain = frozenset(_table()["plain_choices"]["words"])
    for field in calculator.fields:
        if field.kind != "choice" or field.key == "sex":
            continue
        met = sorted(
            (m.start(), choice)
            for choice in field.choices
            if choice not in plain
            for name in _choice_names(choice)
            for m in _whole(name).finditer(text)
        )
        free = [choice for _, choice in met if choice not in found.values()]
        if free:
            found[field.key] = free[0]
    return found


def _choice_names(choice: str) -> tuple[str, ...]:
    concept = vocabulary().concepts.get(choice.replace("_", "-"))
    return (choice.replace("_", " "), choice.replace("_", "-"), *(concept.names if concept else ()))


def _answer(field: Field, text: str) -> bool | None:
    """What the message says of a yes-or-no input; None where it says nothing."""
    said = [*answers(field, text), *answered(field, text, _named_in(field.terms, text))]
    return None if not said else any(said)


def _named_in(terms: tuple[str, ...], text: str) -> list[tuple[int, int]]:
    """Where the text names a term by another name of its concept (HTN, TIA)."""
    meant = _meant(terms)
    return [(start, end) for name, start, end in Lexicon.load().find(text, question=True) if name in meant]


@cache
def _meant(terms: tuple[str, ...]) -> frozenset[str]:
    """Concepts of which these terms are names."""
    found = ((term, Lexicon.load().find(term)) for term in terms)
    return frozenset(name for term, spans in found for name, start, end in spans if (start, end) == (0, len(term)))


@cache
def _table() -> dict[str, Any]:
    text = (files("tools") / "data" / "calculators" / "typed.toml").read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)
    return table


@cache
def _whole(name: str) -> re.Pattern[str]:
    left = r"(?<![A-Za-z0-9])" if name[:1].isascii() else ""
    right = r"(?![A-Za-z])" if name[-1:].isascii() and name[-1:].isalnum() else ""
    return re.compile(left + re.escape(name) + right, re.IGNORECASE)
