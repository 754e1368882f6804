"""What-ifs of a message as typed patches of the case: `if his eGFR were 25`; the words are in `data/whatif.toml`.

A unit that is left out is the record's own, or that of an analyte that
is written in one unit only; else it is asked for.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from agent.reading.lexicon import mentions
from retrieval.messages.patterns import patterns
from tools.case.patches import Kind, Patch
from tools.case.record import Case
from tools.labs.analytes import Analyte, analytes, find_analyte
from tools.labs.units import parse_unit
from tools.quantities import latest_said

_WORDS = patterns("agent.reading")

_NUMBER = r"(?P<value>\d+(?:\.\d+)?|\.\d+)"
_SCALED = {"fio2": 100.0}
# `bp 120/75` supposes both pressures.
_SYSTOLIC, _DIASTOLIC = "sbp_mmhg", "dbp_mmhg"
_LOWER = re.compile(r"\s*/\s*(\d{2,3})(?!\d)")


@dataclass(frozen=True)
class Supposed:
    """What a message supposes; `unit_of` names analytes whose unit has to be asked for."""

    patches: tuple[Patch, ...] = ()
    unit_of: tuple[str, ...] = ()


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads(files("agent").joinpath("data/whatif.toml").read_text(encoding="utf-8"))


@cache
def _pattern(*path: str) -> re.Pattern[str]:
    found: Any = _words()
    for step in path:
        found = found[step]
    # ASCII: a Latin name ends where a Chinese character begins.
    return re.compile("|".join(found) if isinstance(found, list) else found, re.IGNORECASE | re.ASCII)


def supposed(text: str, case: Case | None, before: str = "") -> Supposed:
    """What `text` supposes about the patient.

    Args:
        text: The message.
        case: The record; without one nothing can be supposed about it.
        before: The message before it in the thread.
    """
    if case is None:
        return Supposed()
    text = latest_said(text)
    marked = bool(_pattern("marker").search(text)) or (bool(before) and bool(_pattern("going_on").search(text)))
    typed = [p for p in _values(text, case, marked) if marked or not _recorded(p, case)]
    found = typed or list(_unnamed(text, case, before) if marked else ())
    if marked:
        found += [*_flags(text), *_allergies(text), *_drugs(text, case)]
    asked = tuple(p.name for p in found if p.kind == "lab" and p.unit == "?")
    return Supposed(tuple(p for p in found if p.unit != "?"), asked)


def _recorded(patch: Patch, case: Case) -> bool:
    """Whether a laboratory value that is stated is the recorded one: nothing is supposed then."""
    own = [o for o in case.labs if (a := find_analyte(o.analyte)) is not None and a.id == patch.name]
    latest = max(own, key=lambda o: o.time or "", default=None)
    return patch.kind == "lab" and latest is not None and latest.value == patch.value


def supposes(text: str) -> bool:
    """Whether a message supposes something (`if`, `suppose`)."""
    return bool(_pattern("marker").search(text))


@cache
def _names() -> tuple[tuple[Kind, str, re.Pattern[str]], ...]:
    """Names of values with where they belong, longest names first within a kind."""
    rows: list[tuple[Kind, str, re.Pattern[str]]] = []
    for name in _words()["vitals"]:
        rows.append(("vital", name, _pattern("vitals", name)))
    for name in _words()["patient"]:
        rows.append(("patient", name, _pattern("patient", name)))
    # Those of other specimens first: the pH of "pleural fluid pH 7.1" is not that of blood.
    for ident, analyte in sorted(analytes().items(), key=lambda row: not row[0].startswith(("pleural_", "bal_", "urine_"))):
        spoken = sorted({analyte.en, analyte.zh, *analyte.synonyms}, key=len, reverse=True)
        usable = [n for n in spoken if len(n) > 1]
        bounded = [rf"(?<![a-z0-9]){re.escape(n)}s?(?![a-z0-9])" if n.isascii() else re.escape(n) for n in usable]
        rows.append(("lab", ident, re.compile("|".join(bounded), re.IGNORECASE)))
    return tuple(rows)


def _no_age(rest: str, number: re.Match[str]) -> bool:
    """Whether the number behind a person is something else than an age (`if she drops to 75 systolic`)."""
    between = rest[: number.start("value")]
    return bool(_pattern("no_age").search(rest[number.end("value") :]) or _pattern("not_of_age").search(between))


def _values(text: str, case: Case, marked: bool) -> Iterator[Patch]:
    taken: list[tuple[int, int]] = []
    for name, behind in _words()["before"].items() if marked else ():
        found = re.search(rf"{_NUMBER}\s*{behind}(?![a-z])", text, re.IGNORECASE)
        patch = _vital(name, float(found["value"]), "") if found else None
        if found is not None and patch is not None:
            taken.append(found.span())
            yield patch
    for kind, name, pattern in _names():
        for match in pattern.finditer(text):
            if any(a <= match.start() < b for a, b in taken):
                continue
            rest = text[match.end() :]
            words = _words()
            limit = rf"(?P<below>{words['below']})|(?P<above>{words['above']})"
            after = rf"(?:(?P<down>{words['below_after']})|(?P<up>{words['above_after']}))?"
            number = re.match(rf"{words['between']}(?:(?:{limit})\s*)?{_NUMBER}{words['unit']}{after}", rest, re.IGNORECASE)
            if number is None or not (marked or _pattern("stated").search(text[: match.start()])):
                continue
            if name == "age_years" and _no_age(rest, number):
                continue
            value = _beyond(float(number["value"]), number)
            patch = _typed(kind, name, value, number["unit"] or "", case)
            if patch is not None:
                taken.append((match.start(), match.end() + number.end()))
                yield patch
                lower = _LOWER.match(rest, number.end()) if name == _SYSTOLIC else None
                second = _vital(_DIASTOLIC, float(lower[1]), "") if lower is not None else None
                yield from (second,) if second is not None else ()
                break


def _unnamed(text: str, case: Case, before: str) -> Iterator[Patch]:
    """`If it rose to 220?` after a question on ALT: the value that the message before named last."""
    number = re.match(
        rf"{_words()['unnamed']}{_NUMBER}(?![\d.]){_words()['unit']}(?!{_WORDS.text('patches_other_units')})", text, re.IGNORECASE
    )
    named = [(m.start(), kind, name) for kind, name, pattern in _names() if kind != "patient" for m in pattern.finditer(before)]
    if number is None or not named:
        return
    _, kind, name = max(named)
    patch = _typed(kind, name, float(number["value"]), number["unit"] or "", case)
    if patch is not None:
        yield patch


def _beyond(value: float, number: re.Match[str]) -> float:
    """A value `below 25` is taken as 24, one `above 500` as 501: the nearest that the message supposes."""
    step = 1.0 if value >= 10 else 0.1
    if number["below"] or number["down"]:
        return round(value - step, 2)
    return round(value + step, 2) if number["above"] or number["up"] else value


def _typed(kind: Kind, name: str, value: float, unit: str, case: Case) -> Patch | None:
    if kind == "vital":
        return _vital(name, value, unit)
    if kind == "patient":
        return _patient(name, value, unit)
    analyte = analytes()[name]
    if unit:
        parsed = parse_unit(unit)
        fits = parsed is not None and analyte.to_canonical(value, parsed) is not None
        return Patch("lab", name, value, unit) if fits else None
    return Patch("lab", name, value, _own_unit(analyte, case))


def _own_unit(analyte: Analyte, case: Case) -> str:
    """The unit of the record, else that of an analyte written in one unit only, else `?`."""
    for o in reversed(case.labs):
        known = find_analyte(o.analyte)
        if known is not None and known.id == analyte.id and o.unit:
            return o.unit
    one_unit = analyte.molar_mass is None and not analyte.unit.startswith(("g/", "mg/", "ug/", "ng/"))
    return analyte.unit if one_unit else "?"


def _vital(name: str, value: float, unit: str) -> Patch | None:
    if name in _SCALED and (unit == "%" or value > 1):
        value = value / _SCALED[name]
    if name == "temperature_c" and (unit.strip("°").upper() == "F" or value > 80):
        value = round((value - 32) / 1.8, 1)
    low, high = {"fio2": (0.2, 1.0), "temperature_c": (25, 45), "gcs": (3, 15), "spo2_pct": (30, 100)}.get(name, (5, 350))
    return Patch("vital", name, value) if low <= value <= high else None


def _patient(name: str, value: float, unit: str) -> Patch | None:
    if name == "age_years" and unit in (*_WORDS.words("patches_kg"), *_WORDS.words("patches_cm")):
        name = "weight_kg" if unit in _WORDS.words("patches_kg") else "height_cm"
    if name == "age_years":
        return Patch("patient", name, value) if unit in _WORDS.words("patches_years") and 1 <= value <= 110 else None
    limits = {"weight_kg": (2, 350), "height_cm": (40, 250)}[name]
    return Patch("patient", name, value) if limits[0] <= value <= limits[1] else None


def _flags(text: str) -> Iterator[Patch]:
    for flag, kind in (("pregnant", "pregnant"), ("confused", "finding")):
        if _pattern("flags", f"not_{flag}").search(text):
            yield Patch(kind, flag, yes=False)  # type: ignore[arg-type]
        elif _pattern("flags", flag).search(text):
            yield Patch(kind, flag)  # type: ignore[arg-type]
    if _pattern("flags", "never_smoked").search(text):
        yield Patch("smoking", "never")


def _allergies(text: str) -> Iterator[Patch]:
    """An allergy to the substance that stands nearest to the word."""
    word = _pattern("allergy", "word").search(text)
    named = [m for m in mentions(text) if m.term.kind in ("drug", "drug_class")]
    if word is None or not named:
        return
    nearest = min(named, key=lambda m: min(abs(m.start - word.end()), abs(m.end - word.start())))
    yes = not _pattern("allergy", "none").search(text)
    severe = "anaphylaxis" if _pattern("allergy", "severe").search(text) else None
    yield Patch("allergy", nearest.term.en[0], yes=yes, severity=severe if yes else None)


def _drugs(text: str, case: Case) -> Iterator[Patch]:
    own = " ".join(m.name.lower() for m in case.medications)
    for mention in mentions(text):
        if mention.term.kind != "drug":
            continue
        before, after = text[: mention.start], text[mention.end :]
        names = {n.lower() for n in (*mention.term.en, *mention.term.zh)}
        has = any(n in own for n in names)
        if has and (_pattern("drugs", "stopped").search(before) or _pattern("drugs", "stopped_after").search(after)):
            yield Patch("stop", mention.term.en[0], names=tuple(sorted(names)))
        elif not has and _pattern("drugs", "taking").search(before):
            yield Patch("take", mention.term.en[0])
