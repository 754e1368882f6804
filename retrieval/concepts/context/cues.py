"""Cues of the context module: which words deny, doubt, date, suppose, or speak of a relative."""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal, cast

Status = Literal["negated", "uncertain", "family", "historical", "hypothetical"]
Reach = Literal["after", "before", "both"]


@dataclass(frozen=True)
class Cue:
    """One cue as it stands in a text.

    Attributes:
        status: What it says; None for wording that only looks like a cue.
        reach: Where what it speaks of stands.
        far: Whether it carries on over commas.
        near: Whether what it speaks of must adjoin it.
        start: First character.
        end: One past the last character.
    """

    status: Status | None
    reach: Reach
    far: bool
    near: bool
    start: int
    end: int


@dataclass(frozen=True)
class _Rule:
    status: Status | None
    reach: Reach
    far: bool
    near: bool
    pattern: re.Pattern[str]


@dataclass(frozen=True)
class Rules:
    """Everything the rule files hold, compiled."""

    cues: tuple[_Rule, ...]
    ends: re.Pattern[str]
    restart: re.Pattern[str]
    lists: re.Pattern[str]
    breaks: str


def _bounded(word: str) -> str:
    """An English word ends at a word boundary; signs and Chinese have none."""
    plain = re.sub(r"^(?:\(\?[:=!<]+|\(|\[|\\s\*)+", "", word)
    left = r"(?<![A-Za-z0-9])" if re.match(r"[A-Za-z]|\\d", plain) else ""
    right = r"(?![A-Za-z0-9])" if re.search(r"[A-Za-z)?]$", word) and not word.endswith(r"\)") and word[-2:] != r"\?" else ""
    return f"{left}(?:{word}){right}"


@lru_cache(maxsize=1)
def rules() -> Rules:
    """Rules of both languages."""
    cues: list[_Rule] = []
    ends: list[str] = []
    restart: list[str] = []
    lists: list[str] = []
    breaks: list[str] = []
    for name, bound in (("english", _bounded), ("chinese", str)):
        data = tomllib.loads(files("retrieval").joinpath(f"data/context/{name}.toml").read_text(encoding="utf-8"))
        for row in data["cue"]:
            status = None if row["status"] == "none" else cast(Status, row["status"])
            words = "|".join(bound(w) for w in sorted(row["words"], key=len, reverse=True))
            pattern = re.compile(words, re.IGNORECASE)
            cues.append(_Rule(status, row["reach"], row.get("far", False), row.get("near", False), pattern))
        ends += [bound(w) for w in data["scope"]["ends"]]
        restart += [bound(w) for w in data["scope"]["restart"]]
        lists += [bound(w) for w in data["scope"]["lists"]]
        breaks += [bound(w) for w in data["clauses"]["breaks"]]
    return Rules(
        tuple(cues),
        re.compile("|".join(ends), re.IGNORECASE),
        re.compile(rf"\s*(?:{'|'.join(restart)})", re.IGNORECASE),
        re.compile("|".join(lists), re.IGNORECASE),
        "|".join(breaks),
    )


@lru_cache(maxsize=4096)
def cues_of(sentence: str) -> tuple[Cue, ...]:
    """Cues of one sentence; of overlapping ones the longest, and all that share its span."""
    found = [
        Cue(r.status, r.reach, r.far, r.near, m.start(), m.end())
        for r in rules().cues
        for m in r.pattern.finditer(sentence)
        if m.end() > m.start()
    ]
    kept: list[Cue] = []
    for cue in sorted(found, key=lambda c: (c.start - c.end, c.status is not None)):
        clashes = [k for k in kept if cue.start < k.end and k.start < cue.end]
        if all((k.start, k.end) == (cue.start, cue.end) and k.status is not None for k in clashes):
            kept.append(cue)
    return tuple(sorted(kept, key=lambda c: c.start))
