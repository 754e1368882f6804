"""Signs by which a right remark is told from a wrong one: how sure the pairing is, what is open or past, how many candidates there are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.topics import Piece
from tools.reports.lint.reading.vocabulary import group
from tools.reports.lint.remarks import Remark

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_STEM = re.compile(r"[A-Za-z]{4,}|[\u4e00-\u9fff]{2}")
_SIZED = re.compile(r"\d+(?:\.\d+)?(?=\s*(?:mm|cm|毫米|厘米))", re.IGNORECASE)
_CLAUSE = re.compile(r"[,，;；。:：、]|\. ")
# A sentence of this length, and so many clauses, are long.
_LONG = 200.0
_MANY = 8.0
_CANDIDATES = 4.0
_OTHERS = 3.0

NAMES: tuple[str, ...] = (
    "both_heads", "one_place", "same_section", "shared_topics", "shared_words", "same_size", "open", "past", "changed", "limited",
    "candidates", "long", "clauses", "same_side", "other_side", "other_organ", "in_history", "others",
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What the parse knows of a report.

    Attributes:
        sentences: All of them.
        pieces: Those of findings, impression and recommendation.
        remarks: How many remarks there are in all.
    """

    sentences: Sequence[Sentence]
    pieces: Sequence[Piece]
    remarks: int


def rule_of(remark: Remark) -> str:
    """The rule that made a remark: its kind and the words of its sentence that do not change."""
    return f"{remark.kind}: {_NUMBER.sub('#', re.split(r'[:(]', remark.text)[0]).strip()}"


def signs(remark: Remark, report: Report) -> dict[str, float]:
    """Every sign of `NAMES`, between 0 and 1."""
    texts = list(remark.places[:2])
    where = [_sentence(text, report.sentences) for text in texts]
    about = [[p for p in report.pieces if p.sentence.text == text] for text in texts]
    topics = [{t for p in some for t in p.topics if not t.startswith("~")} for some in about]
    sides = [frozenset(s for p in some for s in p.sides) for some in about]
    sections = {s.section for s in report.sentences}
    two = len(texts) > 1
    joined = " ".join(texts)
    both = topics[0] & topics[1] if two else set()
    return {
        "both_heads": float({"findings", "impression"} <= sections),
        "one_place": float(not two),
        "same_section": float(two and where[0] is not None and where[1] is not None and where[0].section == where[1].section),
        "shared_topics": min(len(both), 3) / 3,
        "shared_words": _jaccard(*(set(_STEM.findall(t.lower())) for t in texts)) if two else 0.0,
        "same_size": float(two and bool(set(_SIZED.findall(texts[0])) & set(_SIZED.findall(texts[-1])))),
        "open": float(bool(group("hedge")["words"].search(joined))),
        "past": float(bool(group("prior")["words"].search(joined) or group("past")["words"].search(joined))),
        "changed": float(any(p.change is not None for some in about for p in some)),
        "limited": float(bool(group("limiting")["words"].search(joined) or group("except")["words"].search(joined))),
        "candidates": min(sum(bool(p.topics.keys() & both) for p in report.pieces), int(_CANDIDATES)) / _CANDIDATES,
        "long": min(max((len(t) for t in texts), default=0) / _LONG, 1.0),
        "clauses": min(max((len(_CLAUSE.findall(t)) for t in texts), default=0) / _MANY, 1.0),
        "same_side": float(two and bool(sides[0] & sides[1])),
        "other_side": float(two and bool(sides[0]) and bool(sides[1]) and not sides[0] & sides[1]),
        "other_organ": float(any(pattern.search(joined) for pattern in group("organ").values())),
        "in_history": float(any(s is not None and s.section in ("history", "comparison", "technique") for s in where)),
        "others": min(report.remarks - 1, _OTHERS) / _OTHERS,
    }


def _sentence(text: str, sentences: Sequence[Sentence]) -> Sentence | None:
    return next((s for s in sentences if s.text == text), None)


def _jaccard(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b) if a | b else 0.0
