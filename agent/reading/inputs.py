"""Values that a question itself gives for a score (`CURB-65 for an 80-year-old with urea 9, RR 32, BP 85/50, confused`)."""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files

from tools.errors import BadInput


def inputs_for(score: str, question: str, flags: bool = True) -> dict[str, str]:
    """Inputs of the calculator `score` that the question gives, as `number unit`; empty where it gives no number.

    Args:
        score: Name of a calculator.
        question: The message.
        flags: Also take what it says of yes-or-no inputs; beside an open case the record answers those.
    """
    from tools.scores.registry import calculators
    from tools.scores.said.typed import typed_inputs

    calculator = calculators().get(score)
    if calculator is None:
        return {}
    return typed_inputs(calculator, question, flags)


def complete(score: str, question: str, least: int = 0) -> bool:
    """Whether the question gives every input that the calculator `score` needs, at least `least` of them neither age nor sex."""
    from tools.scores.registry import calculators
    from tools.scores.run import run

    calculator, given = calculators().get(score), inputs_for(score, question)
    if calculator is None or not given or len(given.keys() - {"age", "sex"}) < least:
        return False
    try:
        return run(calculator, None, given).value is not None
    except BadInput:
        return False


@lru_cache(maxsize=1)
def _asked_for() -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    table = tomllib.loads(files("agent").joinpath("data/lab_systems.toml").read_text(encoding="utf-8"))
    return tuple((re.compile("|".join(s["words"]), re.IGNORECASE), tuple(s["analytes"])) for s in table["system"])


def analytes_asked(text: str) -> tuple[str, ...]:
    """Analytes of the systems that a message names as such (`is her gas all right`)."""
    return tuple(a for pattern, analytes in _asked_for() if pattern.search(text) for a in analytes)
