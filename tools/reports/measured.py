"""A pasted CT report against what was measured on the study: numbers and sides."""

import re
from dataclasses import dataclass
from typing import Literal

from retrieval.concepts.context import denies
from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.evidence import ToolResult
from tools.imaging.results.measured import Measured

pair = messages("tools.reports").pair

Side = Literal["left", "right"]
# A figure of a report may differ this much from the measured one: litres and percent points (reader and method differ).
_TOLERANCE = {"L": 0.15, "%": 3.0}
_WORDS = patterns("tools.reports")
_NUMBERS = (
    ("total_l", "L", _WORDS.text("total_volume")),
    ("total_l", "L", _WORDS.text("total_volume_zh")),
    ("laa950_pct", "%", _WORDS.text("laa950_share")),
    ("ggo_pct", "%", _WORDS.text("ggo_share")),
    ("consolidation_pct", "%", _WORDS.text("consolidation_share")),
)
_FINDINGS = tuple(
    (name, _WORDS.text(word)) for name, word in (("consolidation_pct", "dense"), ("ggo_pct", "ggo"), ("laa950_pct", "emphysema"))
)
_LABELS = {
    "total_l": pair("the total lung volume"),
    "laa950_pct": pair("emphysema (LAA-950)"),
    "ggo_pct": pair("ground glass"),
    "consolidation_pct": pair("consolidation"),
}
_LEFT = _WORDS.regex("measured_left")
_RIGHT = _WORDS.regex("measured_right")
_BOTH = _WORDS.regex("measured_both")
# A side is contradicted when the other lung has at least this much and this many times more, in percent of the lung.
_SIDE_PCT = 2.0
_SIDE_RATIO = 4.0


@dataclass(frozen=True)
class Issue:
    """One disagreement between a sentence and the measurement."""

    kind: Literal["number", "side", "both_sides"]
    sentence: str
    text: str
    text_zh: str
    name: str


def disagreements(sentences: list[str], measured: ToolResult) -> list[Issue]:
    """Numbers and sides of the report that the measurement contradicts."""
    return [i for s in sentences for i in (*_numbers(s, measured), *_sides(s, measured))]


def _numbers(sentence: str, measured: ToolResult) -> list[Issue]:
    figures = measured.payload(Measured)
    out = []
    for name, unit, pattern in _NUMBERS:
        match = re.search(pattern, sentence, re.IGNORECASE)
        if match is None or figures is None:
            continue
        actual = float(getattr(figures.lungs, name))
        stated = float(next(g for g in match.groups() if g))
        if abs(stated - actual) > _TOLERANCE[unit]:
            decimals = 2 if unit == "L" else 1
            gap = "" if unit == "%" else " "
            label, label_zh = _LABELS[name]
            en, zh = pair(
                "The report states {stated:g}{unit} for {label}; measured is {actual}{unit}.",
                stated=stated,
                label=(label, label_zh),
                actual=f"{actual:.{decimals}f}",
                unit=f"{gap}{unit}",
            )
            out.append(Issue("number", sentence, en, zh, name))
    return out


def _sides(sentence: str, measured: ToolResult) -> list[Issue]:
    left, right = bool(_LEFT.search(sentence)), bool(_RIGHT.search(sentence))
    if left == right or _BOTH.search(sentence) or denies(sentence):
        return []
    said: Side = "left" if left else "right"
    other: Side = "right" if left else "left"
    out = []
    for name, pattern in _FINDINGS:
        if re.search(pattern, sentence, re.IGNORECASE) is None:
            continue
        here, there = _share(measured, name, said), _share(measured, name, other)
        if there >= _SIDE_PCT and there > _SIDE_RATIO * max(here, 0.25):
            label, label_zh = _LABELS[name]
            sides = messages("tools.reports").table("measured_words")
            en, zh = pair(
                "The report places {label} on the {said}; measured is {here:.1f}% on the {said} and {there:.1f}% on the {other}.",
                label=(label, label_zh),
                said=(said, sides[said]),
                other=(other, sides[other]),
                here=here,
                there=there,
            )
            out.append(Issue("side", sentence, en, zh, name))
    return out


def _share(measured: ToolResult, name: str, side: Side) -> float:
    """Share of one lung with this density, weighted by the volumes of its thirds, in percent."""
    figures = measured.payload(Measured)
    known = [(r.volume_l, float(v)) for r in (figures.regions if figures else ()) if r.side == side and (v := getattr(r, name)) is not None]
    total = sum(volume for volume, _ in known)
    return sum(volume * value for volume, value in known) / total if total else 0.0
