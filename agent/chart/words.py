"""Words of the record in the language of the reader, where a vocabulary holds exactly this name; everything else stays as recorded.

The words are in `agent/data/record_words.toml`. The lexicon of the reader of questions is no source: it joins neighbouring notions.
"""

import tomllib
from functools import cache
from importlib.resources import files

from retrieval.drugs.graph import DrugGraph
from tools.case.record import Case, Medication
from tools.evidence import Language
from tools.labs.value import shown


@cache
def _words() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = tomllib.loads(files("agent").joinpath("data/record_words.toml").read_text(encoding="utf-8"))
    return found


def in_words(table: str, word: str, language: Language) -> str:
    """A word of the record; Chinese where `table` holds it."""
    return _words()[table].get(word.strip().casefold(), word) if language == "zh" else word


def drug_name(name: str, graph: DrugGraph, language: Language) -> str:
    """A medicine's name: Chinese where the graph resolves it to one drug."""
    found = graph.resolve(name) if language == "zh" else ()
    return found[0].name_zh if len(found) == 1 else name


def allergen_name(substance: str, graph: DrugGraph, language: Language) -> str:
    """A substance of the allergy list."""
    word = in_words("allergen", substance, language)
    found = graph.find(substance) if language == "zh" and word == substance else None
    return word if found is None else found.name_zh


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
