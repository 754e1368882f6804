"""Values that a question itself gives for a score (`CURB-65 for an 80-year-old with urea 9, RR 32, BP 85/50, confused`)."""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files

from retrieval.concepts.context import statuses
from retrieval.messages.patterns import patterns

_WORDS = patterns("agent.reading")

_N, _GAP = r"(\d+(?:\.\d+)?)", _WORDS.text("gap")
# Input of the calculators -> what stands before its number, and the units that may follow.
_NUMBERS = {name: (words, _WORDS.table("number_unit").get(name, "")) for name, words in _WORDS.table("number").items()}
_AGE = _WORDS.regex("inputs_age")
_BP = re.compile(_WORDS.text("pressure") + _GAP + r"(\d{2,3})\s*/\s*(\d{2,3})", re.IGNORECASE)
_MALE = _WORDS.regex("inputs_male")
_FEMALE = _WORDS.regex("inputs_female")
_FLAGS = _WORDS.table("flag")


def given_inputs(question: str) -> dict[str, str]:
    """Inputs named in the question with their values as `number unit`; empty when it gives none.

    A value counts only right behind its name, so that a limit in the text (`urea above 7`) is not taken for the patient's.
    """
    found: dict[str, str] = {}
    for key, (names, units) in _NUMBERS.items():
        unit = rf"\s*({units})" if units else "()"
        match = re.search(rf"(?:{names}){_GAP}{_N}(?:{unit})?", question, re.IGNORECASE)
        if match:
            found[key] = f"{match.group(1)} {match.group(2) or ''}".strip()
    pressure = _BP.search(question)
    if pressure:
        found["sbp"], found["dbp"] = pressure.group(1), pressure.group(2)
    age = _AGE.search(question)
    if age:
        found["age"] = next(g for g in age.groups() if g)
    if _MALE.search(question) or _FEMALE.search(question):
        found["sex"] = "female" if _FEMALE.search(question) else "male"
    for key, words in _FLAGS.items():
        flag = re.search(words, question, re.IGNORECASE)
        if flag:
            found[key] = "no" if "negated" in statuses(question, flag.start(), flag.end()) else "yes"
    return found


def inputs_for(score: str, question: str) -> dict[str, str]:
    """The given inputs that the calculator `score` knows; a percentage of oxygen becomes a fraction."""
    from tools.scores.registry import calculators

    calculator = calculators().get(score)
    if calculator is None:
        return {}
    known = {field.key for field in calculator.fields}
    given = {k: v for k, v in given_inputs(question).items() if k in known}
    oxygen = given.get("fio2", "").removesuffix("%").strip()
    if oxygen and float(oxygen) > 1:
        given["fio2"] = f"{float(oxygen) / 100:g}"
    numbers = set(given) - {"sex", "confusion", "haemoptysis"}
    return given if numbers else {}


@lru_cache(maxsize=1)
def _asked_for() -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    table = tomllib.loads(files("agent").joinpath("data/lab_systems.toml").read_text(encoding="utf-8"))
    return tuple((re.compile("|".join(s["words"]), re.IGNORECASE), tuple(s["analytes"])) for s in table["system"])


def analytes_asked(text: str) -> tuple[str, ...]:
    """Analytes of the systems that a message names as such (`is her gas all right`)."""
    return tuple(a for pattern, analytes in _asked_for() if pattern.search(text) for a in analytes)
