"""The severity band of a score result."""

from retrieval.concepts.severity import severities
from tools.evidence import ToolResult
from tools.scores.payload import ScoreData

__all__ = ["severities", "severity_of"]


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
