"""Values that a question itself gives for a score (`CURB-65 for an 80-year-old with urea 9, RR 32, BP 85/50, confused`)."""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files

from retrieval.concepts.context import statuses

_N = r"(\d+(?:\.\d+)?)"
_GAP = r"[\s:=为是约]*(?:was|is|were|are|of|at|to|rises to|falls to)?\s*"
# Input of the calculators -> what stands before its number, and the units that may follow.
_NUMBERS: dict[str, tuple[str, str]] = {
    "urea": (r"\burea|\bbun\b|尿素氮?", r"mmol/L|mg/dL"),
    "respiratory_rate": (r"\brr\b|\bresp(?:iratory)? rate|\bbreathing rate|呼吸频率|呼吸", ""),
    "heart_rate": (r"\bhr\b|\bheart rate|\bpulse|心率|脉搏", ""),
    "temperature": (r"\btemp(?:erature)?\b|体温", "°C"),
    "spo2": (r"\bspo2|\bsats?\b|\bsaturation|血氧饱和度|氧饱和度", "%"),
    "pao2": (r"\bpao2|\bpo2|动脉血氧分压|氧分压", r"mmHg|kPa"),
    "paco2": (r"\bpaco2|\bpco2|二氧化碳分压", r"mmHg|kPa"),
    "fio2": (r"\bfio2|吸入氧浓度", "%"),
    "ph": (r"\bph\b", ""),
    "creatinine": (r"\bcreatinine|\bcr\b|肌酐", r"[µμu]mol/L|mg/dL"),
    "weight": (r"\bweigh(?:t|s|ing)?\b|体重", "kg"),
    "height": (r"\bheight\b|身高", "cm"),
    "sodium": (r"\bsodium|\bna\b|血?钠", "mmol/L"),
    "chloride": (r"\bchloride|\bcl\b|血?氯", "mmol/L"),
    "bicarbonate": (r"\bbicarbonate|\bhco3|碳酸氢根", "mmol/L"),
    "albumin": (r"\balbumin|白蛋白", r"g/L|g/dL"),
    "glucose": (r"\bglucose|血糖", r"mmol/L|mg/dL"),
    "calcium": (r"\bcalcium|血钙", r"mmol/L|mg/dL"),
    "gcs": (r"\bgcs\b", ""),
}
_AGE = re.compile(
    r"(\d{1,3})[\s-]*(?:years?[\s-]?old|year|yrs?|yo\b|y/o)|\baged?\s+(\d{1,3})|(\d{1,3})\s*岁|年龄[\s:：]*(\d{1,3})", re.IGNORECASE
)
_BP = re.compile(r"(?:\bbp\b|blood pressure|血压)" + _GAP + r"(\d{2,3})\s*/\s*(\d{2,3})", re.IGNORECASE)
_MALE = re.compile(r"\b(man|male|gentleman|boy)\b|男", re.IGNORECASE)
_FEMALE = re.compile(r"\b(woman|female|lady|girl)\b|女", re.IGNORECASE)
_FLAGS = {"confusion": r"confus\w+|disorient\w+|意识模糊|意识障碍|神志不清", "haemoptysis": r"ha?emoptysis|咯血"}


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
    """Analytes of the systems that a message names as such (`is her gas all right`, `肝功怎么样`)."""
    return tuple(a for pattern, analytes in _asked_for() if pattern.search(text) for a in analytes)
