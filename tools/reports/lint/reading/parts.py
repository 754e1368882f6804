"""A report cut into sentences, each with the section it stands in."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from retrieval.concepts.context import sentences as split
from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.vocabulary import table

_WORDS = patterns("tools.report_lint")
_PERSON = _WORDS.regex("parts_person")
_BEFORE = _WORDS.regex("parts_before")
_SIDE_HEADING = _WORDS.regex("parts_side_heading", 0)
# So many sentences at the start may tell who the patient is.
_OPENING = 3

Section = Literal["findings", "impression", "technique", "history", "comparison", "recommendation"]


@dataclass(frozen=True)
class Sentence:
    """One sentence of a report.

    Attributes:
        text: As written.
        start: Its place in the report.
        section: Where it stands; text before any heading counts as findings.
        side: Side whose heading opens its line ("L: no pneumothorax."), empty without one.
    """

    text: str
    start: int
    section: Section
    side: str = ""


@cache
def _headings() -> re.Pattern[str]:
    names = "|".join(f"(?P<{name}>{'|'.join(words)})" for name, words in table("words")["sections"].items())
    plain = names.replace("(?P<", "(?P<x_")
    # A heading opens a line and ends with a colon, or is alone on its line, or follows a full stop in capitals or Chinese.
    return re.compile(
        rf"(?:^|(?<=[\n.。;；]))[ \t*#]*(?:\d+[.、])?\s*(?:[【\[](?:{names})[】\]][:：]?|(?:{plain})[ \t*]*(?:[:：]|\s[-–—]\s|(?=\n)|$))",
        re.IGNORECASE | re.MULTILINE,
    )


def sentences_of(report: str) -> list[Sentence]:
    """Sentences of `report` in order; headings are left out."""
    marks = [(m.end(), str(m.lastgroup).removeprefix("x_"), m.start()) for m in _headings().finditer(report)]
    told = "findings" in {name for _, name, _ in marks}
    # What stands before the first heading of a report that has findings of its own is who and why.
    bounds = [(0, marks[0][2] if marks else len(report), "history" if told else "findings")]
    for i, (end, name, _) in enumerate(marks):
        bounds.append((end, marks[i + 1][2] if i + 1 < len(marks) else len(report), str(name)))
    bounds = bounds if told else _without_findings(report, bounds)
    out: list[Sentence] = []
    for low, high, name in bounds:
        body = report[low:high]
        for span in split(body):
            text = body[span.start : span.end]
            lead = len(text) - len(text.lstrip(" \t\r\n-•*"))
            text = re.sub(r"^\d{1,2}[.、)]\s*(?=\D)", "", text.strip(" \t\r\n-•*"))
            if text:
                own = "history" if name == "findings" and not told and len(out) < _OPENING and _of_before(text) else name
                start = low + span.start + lead
                out.append(Sentence(text, start, own, _side_of_line(report, start)))  # type: ignore[arg-type]
    return out


def _side_of_line(report: str, start: int) -> str:
    """The side whose heading opens the line of a place in the report."""
    m = _SIDE_HEADING.match(report, report.rfind("\n", 0, start) + 1)
    return "" if m is None else "left" if m["left"] else "right"


def _of_before(text: str) -> bool:
    """Whether an opening sentence tells who the patient is and what was before."""
    return bool(_PERSON.search(text)) and bool(_BEFORE.search(text))


def _without_findings(report: str, bounds: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Where no heading opens the findings, a line of history, technique or comparison ends with its first sentence."""
    out: list[tuple[int, int, str]] = []
    for low, high, name in bounds:
        first = next(iter(split(report[low:high])), None)
        if name in ("history", "technique", "comparison") and first is not None and low + first.end < high:
            out += [(low, low + first.end, name), (low + first.end, high, "findings")]
        else:
            out.append((low, high, name))
    return out


def is_chinese(report: str) -> bool:
    """Whether a report is written in Chinese."""
    return len(re.findall(r"[\u3400-\u9fff]", report)) > len(re.findall(r"[A-Za-z]", report)) / 4
