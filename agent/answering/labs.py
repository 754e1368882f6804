"""Laboratory values as a clinician reads them: what needs action, what the values mean together, then system by system, a line each."""

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from retrieval.messages.catalogue import messages
from tools.evidence import Evidence, Language

pair = messages("agent.answering").pair


@lru_cache(maxsize=1)
def _systems() -> tuple[dict[str, tuple[int, str, str]], tuple[str, str]]:
    table = tomllib.loads(files("agent").joinpath("data/lab_systems.toml").read_text(encoding="utf-8"))
    found = {a: (i, s["en"], s["zh"]) for i, s in enumerate(table["system"]) for a in s["analytes"]}
    return found, pair("Other")


def _place(item: Evidence) -> tuple[int, str, str]:
    known, other = _systems()
    name = item.quantities[0].name if item.quantities else ""
    return known.get(name, (len(known), *other))


def system_by_analyte(name: str, language: Language) -> tuple[int, str]:
    """Place and name of the system that an analyte belongs to."""
    known, other = _systems()
    place, en, zh = known.get(name, (len(known), *other))
    return place, zh if language == "zh" else en


def system_of(item: Evidence, language: Language) -> str | None:
    """The system that a laboratory value speaks of; None for what is no single value."""
    if item.kind != "lab" or item.inferred or not item.quantities:
        return None
    _, en, zh = _place(item)
    return zh if language == "zh" else en


def by_system(found: Sequence[Evidence]) -> list[Evidence]:
    """Critical values, then patterns, then the other values by system."""
    return sorted(found, key=lambda e: (not _critical(e), not e.inferred, -1 if e.inferred or _critical(e) else _place(e)[0]))


def _critical(item: Evidence) -> bool:
    """Whether the tool calls the value critical."""
    return not item.inferred and "critically" in item.text
