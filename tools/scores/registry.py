"""All calculators by name, with the source of each from `data/calculators/sources.toml`."""

import tomllib
from functools import cache
from importlib.resources import files

from tools.errors import BadInput
from tools.scores.base import Calculator
from tools.scores.formulas import (
    airways,
    body,
    curb_65,
    gases,
    metabolic,
    pneumonia_extra,
    psi,
    pulmonary_embolism,
    renal,
    sepsis,
    spirometry,
    thrombosis,
)
from tools.scores.spec import Source, specs, to_calculator

_MODULES = (curb_65, psi, pneumonia_extra, pulmonary_embolism, thrombosis, gases, renal, metabolic, sepsis, airways, body, spirometry)


@cache
def calculators() -> dict[str, Calculator]:
    """All calculators by name: the programmed ones in the order of their modules, then the declared ones."""
    programmed = {c.name: c for module in _MODULES for c in module.CALCULATORS}
    twice = programmed.keys() & specs().keys()
    if twice:
        raise ValueError(f"calculators declared and programmed: {sorted(twice)}")
    return programmed | {name: to_calculator(spec) for name, spec in specs().items()}


@cache
def sources() -> dict[str, Source]:
    """Source of every calculator; a calculator without one is a defect."""
    text = (files("tools") / "data" / "calculators" / "sources.toml").read_text(encoding="utf-8")
    found = {name: Source.model_validate(row) for name, row in tomllib.loads(text).items()}
    found |= {name: spec.source for name, spec in specs().items()}
    if set(found) != set(calculators()):
        raise ValueError(f"sources.toml and the calculators differ: {sorted(set(found) ^ set(calculators()))}")
    return found


def find(name: str) -> Calculator:
    """Find a calculator by name or alias.

    Raises:
        BadInput: When there is none; names the known ones.
    """
    wanted = _fold(name)
    for c in calculators().values():
        if wanted in {_fold(n) for n in (c.name, c.en, c.zh, *c.aliases)}:
            return c
    raise BadInput(f"there is no calculator {name!r}; known: {', '.join(calculators())}")


def _fold(name: str) -> str:
    return "".join(ch for ch in name.casefold() if ch.isalnum())
