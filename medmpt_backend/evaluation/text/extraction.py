"""What a report claims, as the evaluation compares it: findings with their side, and findings that it denies."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from medmpt_backend.cohort.findings import Side
from medmpt_backend.cohort.reports.read import read_report


@dataclass(frozen=True)
class Stated:
    """Finding to its side (None where the report gives none), and the findings that it denies and nowhere states."""

    present: dict[str, Side | None]
    absent: frozenset[str]


def _together(one: Side | None, other: Side | None) -> Side | None:
    if one is None or other is None or one == other:
        return one or other
    return "both"


def stated_sides(findings: Iterable[tuple[Iterable[str], Side | None]]) -> dict[str, Side | None]:
    """Label to side of findings `(labels, side)`, several of one label together."""
    out: dict[str, Side | None] = {}
    for labels, side in findings:
        for label in labels:
            out[label] = _together(out[label], side) if label in out else side
    return out


def extract(report: str) -> Stated:
    """Findings that a report states and denies; suggested diagnoses are none."""
    mentions = read_report(report)
    present = stated_sides((m.labels, m.side) for m in mentions if m.present)
    return Stated(present, frozenset(label for m in mentions if not m.present for label in m.labels) - set(present))


def is_chinese(text: str) -> bool:
    """Whether a report is written in Chinese."""
    return len(re.findall(r"[\u3400-\u9fff]", text)) > len(re.findall(r"[a-zA-Z]", text)) / 4
