"""Figures that follow from those of a record: the change between two values, the mean of two diameters, the ratio of two values."""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise, permutations

from agent.verify.numbers import Number, located, numbers_of_evidence
from tools.evidence import Evidence

_PRODUCT = re.compile(r"^\s*[x×*]\s*$", re.IGNORECASE)


@lru_cache(maxsize=1)
def _words() -> dict[str, re.Pattern[str]]:
    data = tomllib.loads(files("agent").joinpath("data/wording.toml").read_text(encoding="utf-8"))["derived"]
    return {name: re.compile(words, re.IGNORECASE) for name, words in data.items()}


def worked_out(claim: str, evidence: list[Evidence]) -> list[Number]:
    """Numbers that the claim may state because its records give what they are worked out from."""
    words = _words()
    pool = [n for e in evidence for n in numbers_of_evidence(e)]
    out: list[Number] = []
    if words["change"].search(claim):
        pairs = [(a, b) for a in pool for b in pool if a.unit and a.unit == b.unit and a.value > b.value]
        out += [Number(round(a.value - b.value, 6), a.unit, max(a.decimals, b.decimals)) for a, b in pairs]
    if words["mean"].search(claim):
        out += [Number((a.value + b.value) / 2, b.unit or a.unit, 1, exact=True) for e in evidence for a, b in _diameters(e.text)]
    if words["ratio"].search(claim):
        known = [n for n in pool if n.unit and n.value]
        out += [Number(a.value / b.value, None, 4) for a, b in permutations(known, 2) if a.unit == b.unit]
    return out


def _diameters(text: str) -> list[tuple[Number, Number]]:
    """Pairs of diameters as they are written, `9 x 7 mm`."""
    found = located(text)
    return [(a, b) for (_, end, a), (start, _, b) in pairwise(found) if _PRODUCT.match(text[end:start])]
