"""What a question names of the record: values by their colloquial names, and the words by which a general question is asked."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from retrieval.messages.catalogue import messages
from tools.bedside.record.vocabulary import pattern_of
from tools.labs.analytes import analytes

pair = messages("tools.bedside").pair

VITALS = {
    "temperature": (*pair("temperature"), "temperature_c", "°C"),
    "hr": (*pair("heart rate"), "heart_rate", "/min"),
    "rr": (*pair("respiratory rate"), "respiratory_rate", "/min"),
    "sbp": (*pair("systolic blood pressure"), "sbp_mmhg", "mmHg"),
    "spo2": ("SpO2", "SpO2", "spo2_pct", "%"),
}
LUNG = {
    "fvc_pct": ("FVC", "FVC", "fvc_pct", "% predicted"),
    "fev1_pct": ("FEV1", "FEV1", "fev1_pct", "% predicted"),
    "fev1_fvc": ("FEV1/FVC", "FEV1/FVC", "fev1_fvc", ""),
    "dlco_pct": ("DLCO", "DLCO", "dlco_pct", "% predicted"),
}
# A sheet's short name that means another value at the bedside: "CO2" is the gas, not total CO2.
AMBIGUOUS = frozenset({"co2"})
# What a collective word stands for.
_GROUPS = {
    "gas": ("ph", "paco2", "pao2"),
    "lung": ("fvc_pct", "fev1_pct", "dlco_pct"),
    "kidney": ("creatinine",),
    "liver": ("alt", "ast", "bilirubin"),
}


@cache
def rows(name: str) -> dict[str, Any]:
    """A table of `data/bedside/<name>.toml`."""
    return tomllib.loads((files("tools") / "data" / "bedside" / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def asks(kind: str) -> re.Pattern[str]:
    """The words of a kind of question as one pattern."""
    return pattern_of(tuple(rows("asks")["words"][kind]))


@cache
def _named() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Every value with the pattern of its names; colloquial ones mind case, the analytes' own names do not."""
    colloquial: dict[str, list[str]] = rows("asks")["names"]
    found = []
    for name in dict.fromkeys((*colloquial, *analytes())):
        own = analytes().get(name)
        plain = [n for n in {own.en, own.zh, *own.synonyms} if len(n) > 2 or not n.isascii()] if own else []
        plain = [n for n in plain if n.casefold() not in AMBIGUOUS]
        parts = [f"(?i:{re.escape(n)})" if n.isascii() else re.escape(n) for n in sorted(plain, key=len, reverse=True)]
        parts += colloquial.get(name, [])
        found.append((name, re.compile("|".join(rf"(?<![A-Za-z])(?:{p})(?![a-z])" if re.match(r"[\w(\[]", p) else p for p in parts))))
    return tuple(found)


@cache
def values_named(question: str) -> tuple[str, ...]:
    """Names of the values that a question is about, in the order it names them; the longer name wins where two overlap."""
    spans: list[tuple[int, int, str]] = []
    for name, pattern in _named():
        spans += [(m.start(), m.end(), name) for m in pattern.finditer(question)]
    for group, members in _GROUPS.items():
        spans += [(m.start(), m.end(), member) for m in asks(group).finditer(question) for member in members]
    kept: list[tuple[int, int, str]] = []
    for span in sorted(spans, key=lambda s: (-(s[1] - s[0]), s[0])):
        if not any(span[0] < end and start < span[1] and (start, end) != span[:2] for start, end, _ in kept):
            kept.append(span)
    return tuple(dict.fromkeys(name for _, _, name in sorted(kept, key=lambda s: s[0])))


def name_of(value: str) -> tuple[str, str]:
    """English and Chinese name of a value."""
    for table in (VITALS, LUNG):
        if value in table:
            return table[value][0], table[value][1]
    own = analytes().get(value)
    if own is not None:
        return own.en, own.zh
    en, zh = rows("asks")["written"].get(value, (value, value))
    return en, zh
