"""The door of the general questions: which of them a message asks, and the answer out of record and rows."""

import re
from dataclasses import replace

from retrieval.drugs.graph import DrugGraph
from tools.bedside.asks import cause, dosing, formula, part, reading, review
from tools.bedside.asks.course import course, points
from tools.bedside.asks.plain import plain, short_names
from tools.bedside.asks.subject import asks, values_named
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import words
from tools.bedside.subject import treated
from tools.evidence import Evidence

# A question of so few words that names a value asks for it.
_SHORT = 8
_PIECES = re.compile(r"[A-Za-z0-9.]+|[\u4e00-\u9fff]")
# Keys of answers that nothing of the topics stands beside.
ALONE = ("B-review-", "B-course-", "B-cause-", "B-dose-")


def written_out(record: Record) -> Record:
    """The record with the question's short names written out."""
    question = plain(record)
    return record if question == record.question else replace(record, question=question)


def raised(question: str) -> bool:
    """Whether a message asks one of the general questions by its words alone (a case may still have no answer)."""
    named = values_named(question)
    return bool(
        review.raised(question)
        or (named and (asks("trend").search(question) or asks("meaning").search(question)))
        or cause.raised(question)
        or formula.asked(question)
        or (part.concepts(question) and treated(question) is None)
    )


def answers(record: Record) -> list[Evidence]:
    """What the general questions bring, the most specific kind alone.

    The list of medicines is reviewed as a whole where none of them is named; a dose is checked before a cause is looked for, a cause
    before a course; a formula and the meaning of a value come last.
    """
    question = record.question
    return (
        review.reviewed(record)
        or dosing.checked(record)
        or cause.causes(question, record)
        or formula.computed(record)
        or _courses(question, record)
        or part.quoted(record)
        or ([] if record.graph.mentions(question) else reading.meanings(record))
    )


def fallback(record: Record) -> list[Evidence]:
    """A value that is named and nothing else answers: its values in order, where there is more than one or the question is short."""
    named = values_named(record.question)
    if record.graph.mentions(record.question) or words("explain").search(record.question):
        return []
    if not named:
        return part.quoted(record, loose=True)
    told = course(named, record)
    short = len(_PIECES.findall(record.question)) <= _SHORT
    repeated = [e for e, name in zip(told, (n for n in named if points(n, record)), strict=False) if short or len(points(name, record)) > 1]
    return [*reading.meanings(record, loose=True), *repeated]


def names_a_drug(question: str) -> bool:
    """Whether a question names a medicine, also by a short name."""
    graph = DrugGraph.load()
    return bool(graph.mentions(question)) or bool(short_names(question))


def _courses(question: str, record: Record) -> list[Evidence]:
    named = values_named(question)
    if not named or not asks("trend").search(question) or record.graph.mentions(question):
        return []
    return course(named, record)
