"""The severity of a score result, computed or stated in the message."""

import re
import tomllib
from collections.abc import Collection
from importlib.resources import files

from agent.reading.lexicon import mentions
from retrieval.concepts.severity import severities
from tools.evidence import ToolResult
from tools.scores.payload import ScoreData
from tools.scores.registry import calculators

__all__ = ["severities", "severity_of", "stated"]

SEVERITY_WORDS: dict[str, str] = tomllib.loads(files("agent").joinpath("data/severity.toml").read_text(encoding="utf-8"))
_RESULT = re.compile(SEVERITY_WORDS["result"], re.IGNORECASE)


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
    data = result.payload(ScoreData)
    texts = [data.band] if data is not None and data.band is not None else [e.text for e in result.evidence[:1]]
    for text in texts:
        found = severities(text)
        if len(found) == 1:
            return found[0]
    return None
