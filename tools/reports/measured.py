"""A pasted CT report against what was measured on the study: numbers and sides."""

import re
from dataclasses import dataclass
from typing import Literal

from tools.evidence import ToolResult
from tools.imaging.results.measured import Measured

Side = Literal["left", "right"]
# A figure of a report may differ this much from the measured one: litres and percent points (reader and method differ).
_TOLERANCE = {"L": 0.15, "%": 3.0}
_NUMBERS = (
    ("total_l", "L", r"total lung (?:volume|capacity)\D{0,20}?(\d+(?:\.\d+)?)\s*(?:l\b|litres?|liters?)"),
    ("total_l", "L", r"双?肺总容积\D{0,8}?(\d+(?:\.\d+)?)\s*(?:L|升)"),
    ("laa950_pct", "%", r"(?:laa[- ]?950|emphysema index|肺气肿指数)\D{0,25}?(\d+(?:\.\d+)?)\s*%"),
    ("ggo_pct", "%", r"ground[- ]glass\D{0,30}?(\d+(?:\.\d+)?)\s*%|磨玻璃\D{0,10}?(\d+(?:\.\d+)?)\s*%"),
    ("consolidation_pct", "%", r"consolidation\D{0,30}?(\d+(?:\.\d+)?)\s*%|实变\D{0,10}?(\d+(?:\.\d+)?)\s*%"),
)  # fmt: skip
_FINDINGS = (
    ("consolidation_pct", r"consolidat|实变"),
    ("ggo_pct", r"ground[- ]glass|磨玻璃"),
    ("laa950_pct", r"emphysema|肺气肿"),
)  # fmt: skip
_LABELS = {
    "total_l": ("the total lung volume", "双肺总容积"),
    "laa950_pct": ("emphysema (LAA-950)", "肺气肿（LAA-950）"),
    "ggo_pct": ("ground glass", "磨玻璃影"),
    "consolidation_pct": ("consolidation", "实变"),
}
_LEFT = re.compile(r"\bleft\b|左", re.IGNORECASE)
_RIGHT = re.compile(r"\bright\b|右", re.IGNORECASE)
_BOTH = re.compile(r"\bbilateral|\bboth\b|双侧|双肺|两肺", re.IGNORECASE)
_NEGATED = re.compile(r"\bno\b|\bwithout\b|\babsen|\bnot\b|无|未见", re.IGNORECASE)
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
            en = f"The report states {stated:g}{gap}{unit} for {label}; measured is {actual:.{decimals}f}{gap}{unit}."
            zh = f"报告中{label_zh}为 {stated:g}{gap}{unit}，测量值为 {actual:.{decimals}f}{gap}{unit}。"
            out.append(Issue("number", sentence, en, zh, name))
    return out


def _sides(sentence: str, measured: ToolResult) -> list[Issue]:
    left, right = bool(_LEFT.search(sentence)), bool(_RIGHT.search(sentence))
    if left == right or _BOTH.search(sentence) or _NEGATED.search(sentence):
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
            en = f"The report places {label} on the {said}; measured is {here:.1f}% on the {said} and {there:.1f}% on the {other}."
            words = {"left": "左", "right": "右"}
            zh = f"报告将{label_zh}写在{words[said]}侧；测量值{words[said]}侧 {here:.1f}%，{words[other]}侧 {there:.1f}%。"
            out.append(Issue("side", sentence, en, zh, name))
    return out


def _share(measured: ToolResult, name: str, side: Side) -> float:
    """Share of one lung with this density, weighted by the volumes of its thirds, in percent."""
    figures = measured.payload(Measured)
    known = [(r.volume_l, float(v)) for r in (figures.regions if figures else ()) if r.side == side and (v := getattr(r, name)) is not None]
    total = sum(volume for volume, _ in known)
    return sum(volume * value for volume, value in known) / total if total else 0.0
