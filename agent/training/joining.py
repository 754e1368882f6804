"""Messages that ask for several things, joined out of messages of one author that ask for one."""

import random
from collections.abc import Sequence

from agent.training.utterances import Utterance
from retrieval.messages.patterns import patterns
from tools.evidence import Language, ToolName

# So many joined messages for each real one on an open case; of 0.3, 0.6 and 1.2 tried across authors the middle did best.
SHARE = 0.6
_LONGEST = 90
_WITH: dict[Language, tuple[str, ...]] = {
    "en": patterns("agent.training").words("with_en"),
    "zh": patterns("agent.training").words("with_zh"),
}
_SINGLE = frozenset({"what_if", "emergency", "follow_up", "about_answer"})
Pool = dict[ToolName, list[Utterance]]


def joined(rows: Sequence[Utterance], seed: int = 1) -> list[Utterance]:
    """Joined messages, the tools dealt evenly; the same rows give the same messages."""
    draw = random.Random(seed)
    usable = [r for r in rows if r.case and not r.before and len(r.tools) == 1 and len(r.q) < _LONGEST and r.kind not in _SINGLE]
    pools: dict[tuple[str, Language], Pool] = {}
    for r in usable:
        pools.setdefault((r.author, r.lang), {}).setdefault(r.tools[0], []).append(r)
    wide = {key: pool for key, pool in pools.items() if len(pool) >= 3}
    weights = [sum(len(v) for v in pool.values()) for pool in wide.values()]
    if not wide:
        return []
    chosen = draw.choices(list(wide), weights=weights, k=int(SHARE * len(usable)))
    return [_join(draw, wide[key], key) for key in chosen]


def _join(draw: random.Random, pool: Pool, key: tuple[str, Language]) -> Utterance:
    author, language = key
    tools = draw.sample(sorted(pool), 3 if draw.random() < 0.25 else 2)
    picked = [draw.choice(pool[t]) for t in tools]
    text = picked[0].q.rstrip(".。?？")
    for r in picked[1:]:
        text += draw.choice(_WITH[language]) + _lower(r.q).rstrip(".。")
    also = tuple(sorted({t for r in picked for t in r.alt} - set(tools)))
    return Utterance(q=text, lang=language, case=True, tools=tuple(tools), alt=also, kind=picked[0].kind, author=author, joined=True)


def _lower(text: str) -> str:
    """Without its capital, unless it begins with an abbreviation."""
    return text if text[:2] == text[:2].upper() else text[:1].lower() + text[1:]
