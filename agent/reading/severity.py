"""Severity words: of a score result, of a passage."""

import re
from collections.abc import Collection

from agent.reading.lexicon import mentions
from tools.evidence import ToolResult
from tools.scores.registry import calculators

_SEVERITY = (
    ("high", re.compile(r"\b(high|severe|serious)\b|重度|重症|高危|高度|高风险|严重", re.I)),
    ("moderate", re.compile(r"\b(moderate|intermediate)\b|中度|中危|中等", re.I)),
    ("low", re.compile(r"\b(low|mild|unlikely)\b|轻度|轻症|低危|低度|低风险|可能性小", re.I)),
)

_RESULT = re.compile(
    r"(?:\s|score|of|is|was|at|=|:|：|是|为|评分|得分|得)*(?P<n>\d+)(?![\d.]|\s*(?:vs|or|versus|[-–/])\s*\d)", re.IGNORECASE
)


def stated(text: str, scores: Collection[str]) -> tuple[str, str] | None:
    """The score whose result a message states (`CURB-65 3`) and its severity; None where no band of it has one.

    Args:
        text: The message.
        scores: Scores that count.
    """
    for mention in mentions(text):
        found = _RESULT.match(text, mention.end) if mention.term.id in scores else None
        bands = calculators()[mention.term.id].bands if found is not None and mention.term.id in calculators() else ()
        for band in bands:
            if found is not None and (band.upper is None or float(found["n"]) <= band.upper):
                told = severities(band.en)
                if len(told) == 1:
                    return mention.term.id, told[0]
                break
    return None


def severity_of(result: ToolResult) -> str | None:
    """Severity band of a score result: `high`, `moderate`, `low`, or None while it is open."""
    if result.tool != "calculate_score" or result.status not in ("ok", "partial"):
        return None
    band = result.data.get("band")
    texts = [band] if isinstance(band, str) else [e.text for e in result.evidence[:1]]
    for text in texts:
        found = severities(text)
        if len(found) == 1:
            return found[0]
    return None


def severities(text: str) -> list[str]:
    """Severity words of a text."""
    return [name for name, pattern in _SEVERITY if pattern.search(text)]
