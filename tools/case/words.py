"""Words of the record in the language of the reader, where a vocabulary holds exactly this name; everything else stays as recorded.

The words are in `tools/data/record_words.toml`. What stays as recorded in a foreign script says so (`as_recorded`). The lexicon of the
reader of questions is no source: it joins neighbouring notions.
"""

import re
import tomllib
from functools import cache
from importlib.resources import files

from retrieval.drugs.graph import DrugGraph
from retrieval.messages.catalogue import messages
from tools.case.record import Allergy, Case, Medication
from tools.evidence import Language
from tools.labs.value import shown

pair = messages("tools.case").pair

_HAN = re.compile(r"[\u3400-\u9fff]")
# A word of a foreign script; an abbreviation (COPD, FEV1) is the same in both languages.
_LATIN = re.compile(r"[A-Za-z]*[a-z]{2}[A-Za-z]*")
_DENIED = "no "
# FHIR's criticality of an allergy: how dangerous the next contact may be, not how severe a reaction was.
_CRITICALITY = {"low": pair("low risk"), "high": pair("high risk"), "unable-to-assess": ("", "")}


@cache
def _words() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = tomllib.loads(files("tools").joinpath("data/record_words.toml").read_text(encoding="utf-8"))
    return found


@cache
def _back(table: str) -> dict[str, str]:
    """From Chinese to English: the first English word of each."""
    found: dict[str, str] = {}
    for en, zh in _words()[table].items():
        found.setdefault(zh, en)
    return found


def in_words(table: str, word: str, language: Language) -> str:
    """A word of the record in the language of the reader where `table` holds it."""
    known = _words()[table] if language == "zh" else _back(table)
    return known.get(word.strip().casefold(), word)


def drug_name(name: str, graph: DrugGraph, language: Language) -> str:
    """A medicine's name: the reader's where the graph resolves it to one drug."""
    found = graph.resolve(name) if language == "zh" or _HAN.search(name) else ()
    return (found[0].name_zh if language == "zh" else found[0].name) if len(found) == 1 else name


def allergen_name(substance: str, graph: DrugGraph, language: Language) -> str:
    """A substance of the allergy list."""
    word = in_words("allergen", substance, language)
    found = graph.find(substance) if word == substance and (language == "zh" or _HAN.search(substance)) else None
    return word if found is None else found.name_zh if language == "zh" else found.name


def condition_name(name: str, code: str | None, graph: DrugGraph, language: Language) -> str:
    """A diagnosis; never the name of its class."""
    word = in_words("condition", name, language)
    if language == "en" or word != name:
        return word
    flat = name.casefold()
    exact = next((c for i in graph.match_conditions(name, code) if (c := graph.condition(i)).name.casefold() == flat), None)
    return exact.name_zh if exact is not None else name


def conditions(case: Case, graph: DrugGraph, language: Language) -> tuple[str, ...]:
    """All diagnoses of the case."""
    return tuple(condition_name(c.name, c.code, graph, language) for c in case.patient.conditions)


def dose_of(medicine: Medication, language: Language) -> str:
    """Dose, route and frequency."""
    dose = "" if medicine.dose is None else f"{shown(medicine.dose)} {medicine.unit or ''}".strip()
    words = (dose, in_words("route", medicine.route or "", language), in_words("frequency", medicine.frequency or "", language))
    return " ".join(w for w in words if w)


def as_recorded(text: str, language: Language) -> str:
    """Text of the record that is not in the reader's language, with a remark that says so; any other as it is."""
    foreign = _LATIN.search(text) and not _HAN.search(text) if language == "zh" else _HAN.search(text)
    return pair("{text} (as recorded)", text=text)[language == "zh"] if foreign else text


def finding_name(text: str, language: Language) -> str:
    """A symptom or a finding: Chinese where the vocabulary holds it, denied or with a side too; else as recorded."""
    if language == "en":
        none = _words()["part"]["no"]
        known = _back("finding").get(text.strip().removeprefix(none))
        return as_recorded(text, language) if known is None else f"{_DENIED}{known}" if text.strip().startswith(none) else known
    word, denied = text.strip().casefold(), text.strip().casefold().startswith(_DENIED)
    known = _phrase(word.removeprefix(_DENIED))
    if known is None:
        return as_recorded(text, language)
    return f"{_words()['part']['no']}{known}" if denied else known


def _phrase(word: str) -> str | None:
    """A name of the vocabulary, whole, or behind a side or a degree."""
    tables = _words()
    known = tables["finding"].get(word) or tables["condition"].get(word)
    first, _, rest = word.partition(" ")
    if known is None and rest and first != "no" and first in tables["part"]:
        behind = _phrase(rest)
        return f"{tables['part'][first]}{behind}" if behind is not None else None
    return known


def allergy_words(allergy: Allergy, graph: DrugGraph, language: Language) -> str:
    """Substance, reaction and severity."""
    name = allergen_name(allergy.substance, graph, language)
    severity = _CRITICALITY.get(allergy.severity or "", (allergy.severity,) * 2)[language == "zh"]
    more = [in_words("reaction", word, language) for word in (allergy.reaction, severity) if word]
    if not more:
        return name
    return f"{name}（{'，'.join(more)}）" if language == "zh" else f"{name} ({', '.join(more)})"


def medicine_words(medicine: Medication, graph: DrugGraph, language: Language) -> str:
    """Name, dose, route and frequency."""
    return f"{drug_name(medicine.name, graph, language)} {dose_of(medicine, language)}".strip()
