"""Marks of the viewer in a report: as a template says them, with the evidence behind them."""

from tools.evidence import Evidence
from tools.imaging.marks.mark import Mark
from tools.imaging.marks.statements import KINDS, mark_statement, noun, place
from tools.reports.document.template import Template

# Lesions that an impression names; every one stands among the findings.
MOST_IN_IMPRESSION = 3


def largest_first(marks: tuple[Mark, ...]) -> list[Mark]:
    """In the order in which a report speaks of them."""
    return sorted(marks, key=lambda mark: -mark.lesion.long_mm)


def mark_words(mark: Mark, study: str, template: Template) -> tuple[str, Evidence]:
    """A mark of the viewer as a report says it, and the evidence behind it; the person's name for it stays out."""
    lesion, at = mark.lesion, 1 if template.language == "zh" else 0
    text = template.mark.format(
        kind=KINDS[lesion.type][at],
        noun=noun(lesion)[at],
        place=place(lesion)[at],
        long=f"{lesion.long_mm:.0f}",
        short=f"{lesion.short_mm:.0f}",
        slice=lesion.slice,
    )
    return text[:1].upper() + text[1:], mark_statement(mark, study)
