"""Tool `check_report`: a pasted CT report against what was measured on the study. First form: numbers and sides."""

import re
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from tools.deps import Deps
from tools.evidence import Evidence, Quantity, ToolResult
from tools.imaging.quantify import quantify_ct
from tools.quantities import fill

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


def check_report(deps: Deps, text: str | None = None, study: str = "ct-1") -> ToolResult:
    """Check a pasted report for numbers and sides that disagree with the measured study."""
    body = text or next((s.report for s in deps.case.studies if s.id == study), None) if deps.case else text
    query: dict[str, JsonValue] = {"study": study}
    if not (body or "").strip():
        return ToolResult(
            tool="check_report", status="empty", reason="there is no report text to check: paste one", query=query, missing=("report text",)
        )
    measured = quantify_ct(deps, study)
    if measured.status not in ("ok", "partial"):
        reason = f"the report cannot be compared: {measured.reason}"
        return ToolResult(tool="check_report", status=measured.status, reason=reason, query=query, missing=measured.missing)
    sentences = [s.strip() for s in re.split(r"(?<=[.!?])\s+|[。；;\n]", body or "") if s.strip()]
    issues = [i for s in sentences for i in (*_numbers(s, measured), *_sides(s, measured))]
    rows: list[JsonValue] = [{"kind": i.kind, "sentence": i.sentence, "text": i.text} for i in issues]
    return ToolResult(
        tool="check_report",
        status="ok",
        query=query,
        counts={"sentences": len(sentences), "issues": len(issues)},
        warnings=(*measured.warnings, "only numbers and sides of measured findings are checked; no issue found is not a clean bill"),
        evidence=tuple(_evidence(i, n, study) for n, i in enumerate(issues, 1)) or (_none(len(sentences), study),),
        data={"issues": rows},
    )


def _numbers(sentence: str, measured: ToolResult) -> list[Issue]:
    lungs = measured.data["lungs"]
    out = []
    for name, unit, pattern in _NUMBERS:
        match = re.search(pattern, sentence, re.IGNORECASE)
        actual = lungs.get(name) if isinstance(lungs, dict) else None
        if match is None or not isinstance(actual, int | float):
            continue
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
    regions = measured.data["regions"]
    total = weighted = 0.0
    for r in regions if isinstance(regions, list) else []:
        if isinstance(r, dict) and r.get("side") == side:
            volume, value = r.get("volume_l"), r.get(name)
            if isinstance(volume, int | float) and isinstance(value, int | float):
                total, weighted = total + volume, weighted + volume * value
    return weighted / total if total else 0.0


def _evidence(issue: Issue, number: int, study: str) -> Evidence:
    return Evidence(
        key=f"R-{study}-{number}",
        kind="report",
        text=issue.text,
        text_zh=issue.text_zh,
        source=f"pasted report against quantitative CT of {study}",
        locator=issue.sentence[:200],
        quantities=fill((), issue.text, issue.text_zh),
        subjects=(issue.name, "report"),
    )


def _none(sentences: int, study: str) -> Evidence:
    return Evidence(
        key=f"R-{study}-0",
        kind="report",
        text=f"No disagreement in numbers or sides was found in {sentences} sentences of the report.",
        text_zh=f"在报告的 {sentences} 句中未发现数值或侧别不一致。",
        source=f"pasted report against quantitative CT of {study}",
        quantities=(Quantity(name="sentences", value=sentences, unit="", decimals=0),),
        subjects=("report",),
    )
