"""Words of a claim that are no field of the records it cites and say something of their own."""

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from agent.reading.lexicon import ids
from agent.verify.align import content
from agent.verify.facts.named import covered
from agent.verify.text import tokens
from tools.evidence import Evidence


def own_words(claim: str, cited: Sequence[Evidence]) -> list[str]:
    """Words of a claim that its records do not hold; empty where it says the same as their fields."""
    texts = [t for e in cited for t in (e.text, e.text_zh or "", " ; ".join(e.subjects).replace("_", " "))]
    pool = " \n ".join(texts)
    known = frozenset(content(pool)) | _neutral()
    named = ids(pool) | frozenset(s for e in cited for s in e.subjects)
    return sorted(
        t
        for t in content(claim)
        if t[0] not in "#<>!" and t not in known and not (t[0] == "@" and (t[1:] in _neutral_terms() or covered(t[1:], named)))
    )


@lru_cache(maxsize=1)
def _neutral() -> frozenset[str]:
    """Words that say nothing beside a field."""
    return tokens(_words()["english"]) | tokens(_words()["chinese"])


@lru_cache(maxsize=1)
def _neutral_terms() -> frozenset[str]:
    return ids(f"{_words()['english']} ; {_words()['chinese']}")


@lru_cache(maxsize=1)
def _words() -> dict[str, str]:
    data = tomllib.loads(files("agent").joinpath("data/wording.toml").read_text(encoding="utf-8"))
    words: dict[str, str] = data["record"]["neutral"]
    return words
