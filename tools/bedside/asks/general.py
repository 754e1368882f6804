"""The door of the general questions: which of them a message asks, and the answer out of record and rows."""

from dataclasses import replace

from tools.bedside.asks import cause, dosing, formula, part, reading
from tools.bedside.asks.course import course
from tools.bedside.asks.plain import plain
from tools.bedside.asks.subject import asks, values_named
from tools.bedside.record.view import Record
from tools.evidence import Evidence

# Keys of answers that nothing of the topics stands beside.
ALONE = ("B-course-", "B-cause-", "B-dose-")


def written_out(record: Record) -> Record:
    """The record with the question's short names written out."""
    question = plain(record)
    return record if question == record.question else replace(record, question=question)


def raised(question: str) -> bool:
    """Whether a message asks one of the general questions by its words alone (a case may still have no answer)."""
    named = values_named(question)
    return bool(
        (named and (asks("trend").search(question) or asks("meaning").search(question)))
        or cause.raised(question)
        or formula.asked(question)
        or part.raised(question)
    )


def answers(record: Record) -> list[Evidence]:
    """What the general questions bring, the most specific kind alone.

    A dose is checked before a cause is looked for, a cause before a course; a formula and the meaning of a value come last.
    """
    question = record.question
    return (
        dosing.checked(record)
        or cause.causes(question, record)
        or formula.computed(record)
        or _courses(question, record)
        or part.quoted(record)
        or reading.meanings(record)
    )


def _courses(question: str, record: Record) -> list[Evidence]:
    named = values_named(question)
    if not named or not asks("trend").search(question) or record.graph.mentions(question):
        return []
    return course(named, record)
