"""What comes first: the order of events in a claim against that of its evidence, in either language.

Evidence tells events in the order in which its words of sequence put them; a claim that names two of them the other way round differs.
"""

import re
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

from agent.verify.facts.segments import words_of

# Weight of words that must stand on the other side of a word of sequence; less may be one word that both events share.
_CLEAR = 1.0


@lru_cache(maxsize=1)
def _cues() -> tuple[re.Pattern[str], re.Pattern[str]]:
    data = tomllib.loads(files("agent").joinpath("data/wording.toml").read_text(encoding="utf-8"))["sequence"]
    flags = re.IGNORECASE
    return re.compile(data["forward"], flags), re.compile(data["turned"], flags)


@lru_cache(maxsize=4096)
def pairs(text: str) -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """Pairs of events `(earlier, later)` that words of sequence put in order."""
    forward, turned = _cues()
    out = []
    for sentence in re.split(r"[。！？!?\n]|\.(?=\s|$)", text):
        found = [(m, False) for m in forward.finditer(sentence)] + [(m, True) for m in turned.finditer(sentence)]
        marks = sorted((m.start(), m.end(), back) for m, back in found)
        for start, end, back in marks:
            before, after = _side(sentence[:start], left=True), _side(sentence[end:], left=False)
            if not before.strip() and back is False:
                continue
            if not before.strip():
                # "After A, B" and "before A, B": the clause behind the comma is the other event.
                head, _, tail = re.split(r"([,，])", sentence[end:], maxsplit=1) if re.search(r"[,，]", sentence[end:]) else ("", "", "")
                before, after = tail, head
            left, right = (_events(after), _events(before)) if back else (_events(before), _events(after))
            if left and right:
                out.append((left, right))
    return tuple(out)


def _side(text: str, left: bool) -> str:
    parts = re.split(r"[;；]", text)
    return parts[-1] if left else parts[0]


def _events(text: str) -> frozenset[str]:
    return frozenset(w for w in words_of(text) if not w.startswith(("<", ">")) and w != "@respiratory")


def turned_round(claim: str, texts: Iterable[str]) -> bool:
    """Whether a claim clearly has two events in the other order than its evidence."""
    return _crossed(claim, texts) >= _CLEAR


def _crossed(claim: str, texts: Iterable[str]) -> float:
    known = [p for t in texts for p in pairs(t)]
    worst = 0.0
    for first, second in pairs(claim):
        for earlier, later in known:
            both = earlier & later
            straight = _joint(first & earlier - both, second & later - both)
            crossed = _joint(first & later - both, second & earlier - both)
            if crossed > straight:
                worst = max(worst, crossed - straight)
    return worst


def _joint(a: frozenset[str], b: frozenset[str]) -> float:
    return min(_weight(a), _weight(b))


def _weight(words: frozenset[str]) -> float:
    return sum(1.5 if w.startswith("@") else 0.5 if w >= "\u4e00" else 1.0 for w in words)
