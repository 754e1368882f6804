"""Findings that the impression may not leave out, and leaves out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from retrieval.concepts.context import statuses
from retrieval.messages.catalogue import Pair, messages
from tools.reports.lint.compare import wide_lobes
from tools.reports.lint.reading.figures import figures_in
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.subjects import change_in, organ_of
from tools.reports.lint.reading.topics import Piece
from tools.reports.lint.reading.vocabulary import group, table, union
from tools.reports.lint.remarks import Remark

pair = messages("tools.report_lint").pair

_NOT_THERE = frozenset(("negated", "hypothetical", "family", "historical", "uncertain"))
_OLD = "old"
_CLAUSE = re.compile(r"[,，;；。\n]|\. ")
_LUNG = frozenset(("lesion", "metastasis", "airspace", "ground_glass", "cavity", "abscess", "collapse", "effusion", "disease"))


@dataclass(frozen=True)
class _Alert:
    words: re.Pattern[str]
    told: re.Pattern[str]
    least_mm: float
    placed: bool
    lung: bool
    said: Pair


@cache
def _alerts() -> tuple[_Alert, ...]:
    return tuple(
        _Alert(
            union(row["words"]),
            union(row["told"]),
            float(row.get("least_mm", 0.0)),
            bool(row.get("placed")),
            bool(row.get("lung")),
            (row["en"], row["zh"]),
        )
        for name, row in table("alerts").items()
        if name != _OLD
    )


@cache
def _old() -> re.Pattern[str]:
    return union(table("alerts")[_OLD]["words"])


def _settled(text: str) -> bool:
    """Whether a sentence speaks of what is old, harmless, unchanged or on its way out."""
    return bool(_old().search(text)) or change_in(text) in ("down", "resolved", "stable")


def omitted(sentences: list[Sentence], pieces: list[Piece]) -> Iterator[Remark]:
    """One remark for every such finding that nothing in the impression or behind it names, in that place."""
    behind = [s for s in sentences if s.section in ("impression", "recommendation")]
    if not any(s.section == "impression" for s in behind):
        return
    said = " \n".join(s.text for s in behind)
    told = [p for p in pieces if p.sentence.section in ("impression", "recommendation")]
    for alert in _alerts():
        stated = (s for s in sentences if s.section == "findings" and _stated(s, alert))
        if alert.told.search(said):
            stated = (s for s in stated if alert.placed and _left_out(s, alert, pieces, told) and not _by_place(s, alert, said))
        where = next(stated, None)
        if where is not None:
            yield Remark(
                "presence",
                *pair("The findings describe what the impression does not name: {what}.", what=alert.said),
                (where.text, behind[0].text),
                *pair("Name it in the impression, with what is to be done."),
            )


def _left_out(sentence: Sentence, alert: _Alert, pieces: list[Piece], told: list[Piece]) -> bool:
    """Whether everything that the impression says of such a thing is of another place."""
    own = [p for p in pieces if p.sentence == sentence and alert.words.search(p.text) and len(p.sides) == 1 and "both" not in p.sides]
    if not own:
        return False
    near = [p for p in told if alert.told.search(p.text) or _LUNG & p.topics.keys()]
    return any(all(_elsewhere(p, q) for q in near) for p in own) and bool(near)


def _by_place(sentence: Sentence, alert: _Alert, said: str) -> bool:
    """Whether a clause of the impression names the place and such a thing in words that no topic has ("changes after radiotherapy")."""
    places = {(n, k) for n in ("side", "lobe") for k, p in group(n).items() if p.search(sentence.text)}
    clauses = [c for c in _CLAUSE.split(said) if alert.told.search(c)]
    return bool(places) and any(all(group(n)[k].search(c) for n, k in places) for c in clauses)


def _elsewhere(seen: Piece, said: Piece) -> bool:
    """Whether a piece of the impression names a place, and not that of the findings."""
    if not said.sides or "both" in said.sides:
        return False
    lobes = wide_lobes(said.lobes) & wide_lobes(seen.wide_lobes)
    return not said.sides & seen.sides or (bool(said.lobes and seen.lobes) and not lobes)


def _around(text: str, m: re.Match[str]) -> str:
    """The clause around a match."""
    tail = _CLAUSE.split(text[m.end() :])[0]
    return _CLAUSE.split(text[: m.start()])[-1] + m.group() + tail


def _stated(sentence: Sentence, alert: _Alert) -> bool:
    """Whether a sentence states the finding, large enough and not as old or harmless."""
    for m in alert.words.finditer(sentence.text):
        status = statuses(sentence.text, m.start(), m.end()) | statuses(sentence.text, m.end() - 1, m.end())
        if alert.placed and group("around")["words"].search(sentence.text[: m.start()]):
            continue
        if alert.placed and group("around_behind")["words"].match(sentence.text[m.end() :]):
            continue
        if _NOT_THERE & status or group("absent")["words"].search(m.group()) or _settled(sentence.text):
            continue
        if alert.lung and organ_of(_around(sentence.text, m)) == "thyroid":
            continue
        if not alert.least_mm or max(figures_in(sentence.text).now, default=0.0) >= alert.least_mm:
            return True
    return False
