"""High and low of an analyte however it is worded (hypokalaemia, low potassium, or in Chinese), compared between claim and evidence."""

import re
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

from retrieval.messages.patterns import patterns

_TEXT = patterns("agent.verify")

_DATA = tomllib.loads(files("agent").joinpath("data/wording.toml").read_text(encoding="utf-8"))["state"]

_BEFORE, _AFTER = _TEXT.text("states_before"), _TEXT.text("states_after")


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """`(analyte, direction, pattern)` of every wording."""
    out = []
    for name, row in _DATA["analyte"].items():
        for direction in ("low", "high"):
            forms = [row[direction]] if direction in row else []
            up, down = _DATA["high"], _DATA["low"]
            words = down if direction == "low" else up
            english, chinese = row["en"], row["zh"]
            forms.append(rf"\b(?:{words['before_en']})\s+(?:(?:serum|blood|plasma|the|of|levels?|arterial)\s+)*(?:{english})\b")
            forms.append(rf"\b(?:{english})\s+(?:levels?\s+)?(?:(?:is|are|may|can|will|to)\s+)*(?:{words['after_en']})\b")
            forms.append(_BEFORE.format(cue=words["before_zh"], name=chinese))
            forms.append(_AFTER.format(cue=words["after_zh"], name=chinese))
            out.append((name, direction, re.compile("|".join(forms), re.IGNORECASE)))
    return tuple(out)


@lru_cache(maxsize=4096)
def states(text: str) -> frozenset[tuple[str, str]]:
    """Analytes that a text calls high or low."""
    return frozenset((name, direction) for name, direction, pattern in _patterns() if pattern.search(text))


def without_states(text: str) -> str:
    """The text without what it calls high or low."""
    for _, _, pattern in _patterns():
        text = pattern.sub(" ", text)
    return text


def opposite_state(claim: str, texts: Iterable[str]) -> str | None:
    """An analyte that the claim calls low and the evidence only high, or the other way round."""
    known = frozenset().union(*(states(t) for t in texts))
    for name, direction in sorted(states(claim)):
        there = {d for n, d in known if n == name}
        if there and direction not in there:
            return f"the evidence says {next(iter(there))} {name}"
    return None
