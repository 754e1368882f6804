"""Severity words: of a score result, of a passage."""

from retrieval.messages.patterns import patterns
from tools.evidence import ToolResult
from tools.scores.payload import ScoreData

_WORDS = patterns("agent.reading")

_SEVERITY = (
    ("high", _WORDS.regex("severity_severity")),
    ("moderate", _WORDS.regex("severity_severity_2")),
    ("low", _WORDS.regex("severity_severity_3")),
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
