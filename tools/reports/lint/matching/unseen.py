"""Findings of the impression that nothing in the findings names, denies or could mean (`unseen.toml`)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.topics import Piece
from tools.reports.lint.reading.vocabulary import group, table, union
from tools.reports.lint.remarks import Remark, label

pair = messages("tools.report_lint").pair

# What is not judged, or only looked for.
_UNJUDGED = patterns("tools.report_lint").regex("unseen_unjudged")
_OPEN = frozenset(("uncertain", "hypothetical", "historical", "family"))
# Findings in fewer sentences than this may be a mere heading.
_LEAST = 3


@dataclass(frozen=True)
class _Row:
    """Other words for a finding, and whether only a size of its own makes it certain."""

    may_mean: re.Pattern[str]
    sized: bool


@cache
def _rows() -> dict[str, _Row]:
    return {name: _Row(union(row["may_mean"]), bool(row.get("sized"))) for name, row in table("unseen").items()}


def unseen(pieces: list[Piece], sentences: list[Sentence]) -> Iterator[Remark]:
    """One remark for the first finding that only the impression has."""
    seen = [s for s in sentences if s.section in ("findings", "technique", "history", "comparison")]
    found = [s for s in seen if s.section == "findings"]
    told = " \n ".join(s.text for s in seen)
    if len(found) < _LEAST:
        return
    for said in (p for p in pieces if p.sentence.section == "impression"):
        topic = next((t for t in said.topics if t in _rows() and _claimed(said, t)), None)
        if topic is None or any(topic in p.topics for p in pieces if p.sentence.section == "findings"):
            continue
        row = _rows()[topic]
        if not row.may_mean.search(told) and (not row.sized or said.figures.now):
            yield Remark(
                "presence",
                *pair("Only the impression has this finding: {what}.", what=label(topic)),
                (said.sentence.text,),
                *pair("Describe it in the findings, or leave it out."),
            )
            return


def _claimed(said: Piece, topic: str) -> bool:
    """Whether the impression says that it is there now, and not what to watch for."""
    plain = not (said.status[topic] & _OPEN) and said.change not in ("resolved", "down") and topic not in said.limited
    wished = group("follow_up")["words"].search(said.text[: said.topics[topic]]) or _UNJUDGED.search(said.text)
    return plain and said.states(topic) and not wished and not any(group(name)["words"].search(said.text) for name in ("hedge", "past"))
