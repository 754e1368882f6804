"""Whom a calculator is not for: people younger than those it was made in (`data/calculators/ages.toml`)."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from tools.scores.base import Calculator, Value


@cache
def _youngest() -> dict[str, int]:
    text = (files("tools") / "data" / "calculators" / "ages.toml").read_text(encoding="utf-8")
    return {name: int(years) for years, names in tomllib.loads(text)["from"].items() for name in names}


def youngest(calculator: Calculator) -> int:
    """Youngest age in years that the calculator holds for; 0 where there is no limit."""
    return _youngest().get(calculator.name, 0)


def too_young(calculator: Calculator, values: Mapping[str, Value], patient_years: float | None = None) -> float | None:
    """The age in years where it is below the calculator's youngest; None where it is not, or where no age is known.

    Args:
        calculator: Which one.
        values: Its inputs; an age among them (typed or recorded) outranks `patient_years`.
        patient_years: Age of the patient in the record.
    """
    age = values.get("age", patient_years)
    return float(age) if isinstance(age, int | float) and not isinstance(age, bool) and age < youngest(calculator) else None
