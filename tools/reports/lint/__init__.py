"""The linter of a pasted CT report: against itself, against the case, and against what was measured.

Door: `tools.reports.lint.lint`.
"""

from dataclasses import dataclass
from datetime import date

from retrieval.messages.catalogue import messages
from tools.reports.lint import (
    anatomy,
    calendar,
    changes,
    compare,
    conflicts,
    devices,
    hedges,
    omissions,
    parts_normal,
    presence,
    procedures,
    signing,
    within,
)
from tools.reports.lint.advice import follow_up, guideline
from tools.reports.lint.chance.model import model, rated
from tools.reports.lint.chance.signs import Report
from tools.reports.lint.matching import anchors, counts, names, priors, unseen
from tools.reports.lint.reading.mentions import Mention, mentions_of
from tools.reports.lint.reading.parts import Sentence, is_chinese, sentences_of
from tools.reports.lint.reading.topics import Piece, read_pieces
from tools.reports.lint.remarks import KINDS, Kind, Remark

pair = messages("tools.report_lint").pair

__all__ = ["KINDS", "Kind", "Lint", "Remark", "lint"]

_READ = ("findings", "impression", "recommendation")


@dataclass(frozen=True)
class Lint:
    """What was found, and what was looked at.

    Attributes:
        remarks: In the order of a reader's concern: identity and contradictions first; those that the fitted model holds for likely.
        look: The others: worth a look, no error found.
        checked: What was compared, English.
        checked_zh: The same in Chinese.
        not_checked: What was not, English.
        not_checked_zh: The same in Chinese.
        mentions: Every finding as it was understood.
        chinese: Whether the report is written in Chinese.
    """

    remarks: tuple[Remark, ...]
    look: tuple[Remark, ...]
    checked: tuple[str, ...]
    checked_zh: tuple[str, ...]
    not_checked: tuple[str, ...]
    not_checked_zh: tuple[str, ...]
    mentions: tuple[Mention, ...]
    chinese: bool


def lint(report: str, *, sex: str | None = None, age: float | None = None, studied: date | None = None, today: date) -> Lint:
    """Check a report.

    Args:
        report: Text, English or Chinese, with or without headings.
        sex: Of the open case; None without one.
        age: Of the open case in years; None without one.
        studied: Date of the study; None takes what the report says.
        today: For dates in the future.
    """
    sentences = sentences_of(report)
    mentions = mentions_of(sentences)
    pieces = read_pieces([s for s in sentences if s.section in _READ])
    remarks = [
        *signing.identity(report, sentences, sex, age),
        *_compared(pieces, mentions, sentences),
        *conflicts.conflicts(report, sentences),
        *omissions.omitted(sentences, pieces),
        *calendar.dates(report, sentences, studied, today),
        *priors.misdated(sentences),
        *priors.before_birth(report, sentences, studied, today),
        *follow_up.unfollowed(pieces, sentences),
        *follow_up.too_late(pieces, sentences),
        *follow_up.undated(pieces, sentences),
        *guideline.against_guideline(report, pieces, sentences),
        *signing.left_overs(report),
        *devices.placed(sentences),
        *procedures.procedures(sentences),
        *hedges.certainty(sentences),
    ]
    sections = {s.section for s in sentences}
    both = {"findings", "impression"} <= sections
    checked = [pair("the report against itself"), pair("sizes, units and dates")]
    skipped = [pair("whether the images show anything else")]
    (checked if both else skipped).append(pair("findings against impression"))
    (checked if both else skipped).append(pair("whether the impression leaves out what must be named"))
    checked.append(pair("advice for lung nodules against guidelines"))
    skipped.append(pair("advice for anything but lung nodules, and whether a diagnosis is right"))
    (checked if sex or age else skipped).append(pair("sex and age against the case"))
    every = list({(r.kind, r.places): r for r in remarks}.values())
    judged = rated(every, Report(sentences, pieces, mentions, len(every)))
    return Lint(
        remarks=tuple(r for r in judged if r.chance >= model().limit),
        look=tuple(r for r in judged if r.chance < model().limit),
        checked=tuple(c[0] for c in checked),
        checked_zh=tuple(c[1] for c in checked),
        not_checked=tuple(c[0] for c in skipped),
        not_checked_zh=tuple(c[1] for c in skipped),
        mentions=tuple(mentions),
        chinese=is_chinese(report),
    )


def _compared(pieces: list[Piece], mentions: list[Mention], sentences: list[Sentence]) -> list[Remark]:
    """The report against itself."""
    return [
        *presence.contradicted(pieces),
        *parts_normal.overturned(pieces),
        *compare.compared(pieces),
        *counts.numbered(pieces),
        *counts.levels(sentences),
        *anchors.anchored(pieces),
        *names.misnamed(pieces, sentences),
        *unseen.unseen(pieces, sentences),
        *changes.changes(pieces),
        *changes.misnamed(pieces),
        *within.counted(mentions),
        *within.impossible(pieces, sentences),
        *anatomy.misplaced(pieces, sentences),
    ]
