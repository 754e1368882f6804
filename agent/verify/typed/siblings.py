"""Sets of things of which a text means one or the other: a claim that names one where its evidence has another of the set only."""

import re
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=1)
def _sets() -> tuple[tuple[str, tuple[tuple[str, re.Pattern[str]], ...]], ...]:
    data = tomllib.loads(files("agent").joinpath("data/siblings.toml").read_text(encoding="utf-8"))
    return tuple((name, tuple((v, re.compile(p, re.IGNORECASE)) for v, p in row.items())) for name, row in data.items())


@lru_cache(maxsize=16384)
def members_of(text: str) -> frozenset[tuple[str, str]]:
    """Members of sets that a text names."""
    return frozenset((name, value) for name, row in _sets() for value, pattern in row if pattern.search(text))


def sibling(claim: str, texts: Iterable[str]) -> tuple[str, str] | None:
    """The set, and the member of it that the claim names and its evidence only has a sibling of; None where there is none."""
    mine = members_of(claim)
    theirs = frozenset().union(*(members_of(t) for t in texts))
    for name, value in sorted(mine - theirs):
        left_out = {v for n, v in theirs if n == name} - {v for n, v in mine if n == name}
        if left_out:
            return name, value
    return None
