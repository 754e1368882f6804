"""What a claim says of images against a record of them: the linter of reports reads the record as findings, the claim as impression."""

import re
import tomllib
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from importlib.resources import files

from agent.verify.facts.segments import misbound
from agent.verify.numbers import located, sides_of
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence
from tools.reports.lint import lint

_TEXT = patterns("agent.verify")

_KINDS = frozenset({"ct", "model", "report", "document"})
# Sizes, changes and presence are compared as numbers, words and denials elsewhere.
_READ = frozenset({"side", "lobe", "count"})
# A date in the future of any report, so that dates are no remark.
_TODAY = date(2100, 1, 1)
_SIDE = _TEXT.regex("imaging_side")
_LARGER = _TEXT.regex("imaging_larger")
_NAMES = _TEXT.table("imaging_sides")
_HEADS = _TEXT.regex("imaging_heads")
_HEADINGS = {"en": ("Findings: ", "Impression: "), "zh": (_TEXT.text("imaging_findings_head"), _TEXT.text("imaging_impression_head"))}
_LEVELS = _TEXT.table("imaging_levels")


def remarked(claim: str, cited: Iterable[Evidence], texts: Iterable[str]) -> tuple[str, ...]:
    """Kinds of disagreement between a claim and records of images."""
    items = list(cited)
    if not items or any(e.kind not in _KINDS for e in items):
        return ()
    return _remarked(claim, "\n".join(texts))


@lru_cache(maxsize=2048)
def _remarked(claim: str, text: str) -> tuple[str, ...]:
    findings = _HEADS.sub(" ", text)
    chinese = bool(re.search(r"[\u4e00-\u9fff]", claim + text))
    heads = _HEADINGS["zh" if chinese else "en"]
    alone, found = (lint(text, today=_TODAY) for text in (f"{heads[0]}{findings}", f"{heads[0]}{findings}\n{heads[1]}{claim}"))
    before = {(r.kind, r.text) for r in (*alone.remarks, *alone.look)}
    return tuple(sorted({r.kind for r in (*found.remarks, *found.look) if r.kind in _READ and (r.kind, r.text) not in before}))


def other_side(claim: str, texts: Iterable[str]) -> float:
    """How much better a claim's words stand beside the other side than beside its own."""
    return misbound(claim, texts, lambda t: frozenset(sides_of(t)), _SIDE) if len(sides_of(claim)) == 1 else 0.0


def other_level(claim: str, texts: Iterable[str]) -> bool:
    """Whether a claim calls another level of the lungs the worse than its evidence does."""
    mine, theirs = dominant(claim), frozenset().union(*(dominant(t) for t in texts))
    return bool(mine and theirs) and not mine & theirs


@lru_cache(maxsize=4096)
def dominant(text: str) -> frozenset[str]:
    """Levels that a text calls more affected than others."""
    found = (next(g for g in m.groups() if g is not None).lower() for p in _dominance() for m in p.finditer(text))
    return frozenset(_LEVELS.get(name, name) for name in found)


@lru_cache(maxsize=1)
def _dominance() -> tuple[re.Pattern[str], ...]:
    data = tomllib.loads(files("agent").joinpath("data/wording.toml").read_text(encoding="utf-8"))["dominance"]
    return tuple(re.compile(words, re.IGNORECASE) for words in data["words"])


def compared_wrong(claim: str, texts: Iterable[str]) -> bool:
    """Whether a claim calls one side more where the evidence gives it the smaller number."""
    match = _LARGER.search(claim)
    if not match:
        return False
    more, less = (_NAMES.get(x, x.lower()) for x in ((match["a"], match["b"]) if match["a"] else (match["c"], match["d"])))
    for text in texts:
        by_side: dict[str, float] = {}
        for _, _, number in located(text):
            if number.unit is not None and len(number.side) == 1:
                by_side.setdefault(next(iter(number.side)), number.value)
        if {more, less} <= by_side.keys() and by_side[more] < by_side[less]:
            return True
    return False
