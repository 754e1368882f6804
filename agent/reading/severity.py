"""Severity words: of a score result, of a passage."""

import re

from tools.evidence import ToolResult
from tools.scores.payload import ScoreData

_SEVERITY = (
    ("high", re.compile(r"\b(high|severe|serious)\b|重度|重症|高危|高度|高风险|严重", re.I)),
    ("moderate", re.compile(r"\b(moderate|intermediate)\b|中度|中危|中等", re.I)),
    ("low", re.compile(r"\b(low|mild|unlikely)\b|轻度|轻症|低危|低度|低风险|可能性小", re.I)),
)


def severity_of(result: ToolResult) -> str | None:
    """Severity band of a score result: `high`, `moderate`, `low`, or None while it is open."""
    if result.tool != "calculate_score" or result.status not in ("ok", "partial"):
        return None
    data = result.payload(ScoreData)
    texts = [data.band] if data is not None and data.band is not None else [e.text for e in result.evidence[:1]]
    for text in texts:
        found = severities(text)
        if len(found) == 1:
            return found[0]
    return None


def severities(text: str) -> list[str]:
    """Severity words of a text."""
    return [name for name, pattern in _SEVERITY if pattern.search(text)]
