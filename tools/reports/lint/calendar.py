"""Dates: of this study, of prior ones, of the report, of operations; in figures, in words, in Chinese."""

import re
from collections.abc import Iterator
from datetime import date

from retrieval.messages.catalogue import Pair, messages
from retrieval.messages.patterns import patterns
from tools.reports.lint.matching.intervals import intervals
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.vocabulary import group
from tools.reports.lint.remarks import Remark

pair = messages("tools.report_lint").pair

_WORDS = patterns("tools.report_lint")

_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
    "twenty-first",
    "twenty-second",
    "twenty-third",
    "twenty-fourth",
    "twenty-fifth",
    "twenty-sixth",
    "twenty-seventh",
    "twenty-eighth",
    "twenty-ninth",
    "thirtieth",
    "thirty-first",
]
_DATE = _WORDS.regex("calendar_date")
_MONTH = _WORDS.regex("calendar_month")
_PRIOR = _WORDS.regex("calendar_prior")
_EXAM = _WORDS.regex("calendar_exam")
# A date of the examination stands near the start of its sentence.
_OPENING = 34
# A first line that is a heading is short.
_HEAD = 60
_REPORT = _WORDS.regex("calendar_report")  # fmt: skip
_BIRTH = _WORDS.regex("calendar_birth")
_BEFORE_OPERATION = _WORDS.regex("calendar_operation")
_AFTER_OPERATION = _WORDS.regex("calendar_after_operation")
_OPERATED = _WORDS.regex("calendar_operated")
_PLANNED = _WORDS.regex("calendar_planned")


def found_dates(text: str) -> Iterator[tuple[date | None, str, int]]:
    """Dates with their words and place; None for one that no calendar has."""
    for m in _DATE.finditer(text):
        g = {k[0]: v for k, v in m.groupdict().items() if v}
        month = _NAMES.index(g["m"][:3].lower()) + 1 if g["m"].isalpha() else int(g["m"])
        day = _ORDINALS.index(g["d"].lower()) + 1 if not g["d"].isdigit() else int(g["d"])
        year = int(g["y"]) + (2000 if len(g["y"]) == 2 else 0)
        if m["y4"] and month > 12:
            day, month = month, day
        try:
            yield date(year, month, day), m.group(), m.start()
        except ValueError:
            yield None, m.group(), m.start()


def found_months(text: str) -> Iterator[tuple[int, int, str, int]]:
    """Months and years without a day: year, month (0 for a year alone), words and place."""
    for m in _MONTH.finditer(text):
        yield (*_month(m), m.group(), m.start())


def _later_months(report: str, sentences: list[Sentence], exam: date) -> Iterator[Remark]:
    """Months and years of earlier studies that lie behind this one."""
    for m in _MONTH.finditer(report):
        g = {k[0]: v for k, v in m.groupdict().items() if v}
        month = g.get("m")
        if month is not None and _role(report, m.start(), sentences) != "prior":
            continue
        if int(g["y"]) > exam.year:
            place = _line(report, m.start(), sentences)
            yield _when((place,), pair("{day} is not before this study, and is told as past.", day=m.group().strip()))
            return


def dates(report: str, sentences: list[Sentence], studied: date | None, today: date) -> Iterator[Remark]:
    """Impossible dates, and dates of the past that lie after the study: priors, operations; a report before its study."""
    told: list[tuple[date, str, str]] = []
    for when, words, place in found_dates(report):
        if when is None:
            yield _when((words,), pair("{words} is no date.", words=words))
        else:
            told.append((when, _role(report, place, sentences), _line(report, place, sentences)))
    yield from _in_order(report, sentences)
    exams = [d for d, role, _ in told if role == "now"]
    reports = [d for d, role, _ in told if role == "report"]
    exam = studied or (exams[0] if exams else None)
    if exam is not None:
        yield from _later_months(report, sentences, exam)
        yield from intervals(sentences, exam, [d for d, role, _ in told if role == "prior"])
    for when, role, line in told:
        if role in ("prior", "past") and when >= (exam or (reports[0] if reports else today)) and not (when == exam and role == "past"):
            yield _when(
                (line,),
                pair("{day} is not before this study, and is told as past.", day=when.isoformat()),
            )  # fmt: skip
        elif role == "report" and exam is not None and when < exam:
            yield _when((line,), pair("The report of {day} is older than its study.", day=when.isoformat()))
        elif role in ("now", "report") and when > today:
            yield _when((line,), pair("{day} is in the future.", day=when.isoformat()))


def _in_order(report: str, sentences: list[Sentence]) -> Iterator[Remark]:
    """A study before an operation that is dated after it, or one after it that is dated before."""
    told = [(*_month(m), m.start(), m.end()) for m in _MONTH.finditer(report)]
    told += [(d.year, d.month, place, place + len(words)) for d, words, place in found_dates(report) if d is not None]
    roles = [(year, month, _operation(report, low, high), low) for year, month, low, high in told if month]
    for year, month, role, place in roles:
        for y, m, other, _ in roles:
            wrong = (role == "before" and (year, month) > (y, m)) or (role == "after" and (year, month) < (y, m))
            if other == "operation" and wrong:
                line = _line(report, place, sentences)
                yield _when((line,), pair("{day} does not fit the date of the operation.", day=f"{year}-{month:02d}"))
                return


def _month(m: re.Match[str]) -> tuple[int, int]:
    """Year and month of a month in words or figures; 0 for a year alone."""
    g = {k[0]: v for k, v in m.groupdict().items() if v}
    month = g.get("m", "0")
    return int(g["y"]), _NAMES.index(month[:3].lower()) + 1 if month.isalpha() else int(month)


def _operation(report: str, low: int, high: int) -> str:
    """What the words of its clause make a date: of the `operation`, of a study `before` or `after` it, or nothing of these."""
    start = max(report.rfind(c, 0, low) for c in "\n。；;，,.") + 1
    lead = report[start:low]
    tail = re.split(r"[\n。；;，,.]", report[high : high + 40])[0]
    for name, pattern in (("before", _BEFORE_OPERATION), ("after", _AFTER_OPERATION), ("operation", _OPERATED)):
        if pattern.search(lead) or (name == "operation" and pattern.search(tail)):
            return name
    return ""


def _line(report: str, place: int, sentences: list[Sentence]) -> str:
    home = [s for s in sentences if s.start <= place]
    return home[-1].text if home else report[max(0, place - 30) : place + 20].strip()


def _role(report: str, place: int, sentences: list[Sentence]) -> str:
    """What a date is of: `now`, `prior`, `report`, `birth`, `planned`, or anything else told as past; by the nearest words before it."""
    lead = re.split(r"\n|[。；;]|(?<=[a-z)\d])\.\s", report[:place])[-1]
    near = lead[-26:]
    if _BIRTH.search(near):
        return "birth"
    if _REPORT.search(near):
        return "report"
    prior = [m.end() for m in _PRIOR.finditer(lead)]
    now = [m.end() for m in group("today")["words"].finditer(lead)]
    if now and (not prior or now[-1] > prior[-1]):
        return "now"
    if prior and not (now and now[-1] > prior[-1]):
        return "prior"
    if _EXAM.search(near) and len(lead.strip()) <= _OPENING:
        return "now"
    tail = re.split(r"\n|[。；;,，]|(?<=[a-z)\d])\.\s", report[place:])[0]
    if _PLANNED.search(lead[-40:]) or _PLANNED.search(tail):
        return "planned"
    head, _, rest = report.strip().partition("\n")
    if rest and place < len(head) <= _HEAD and _only_one(head, place):
        return "now"
    if place < _OPENING and not lead.strip() and next(found_dates(report))[2] == place:
        return "now"
    section = next((s.section for s in reversed(sentences) if s.start <= place), "findings")
    return {"comparison": "prior", "technique": "now", "recommendation": "planned"}.get(section, "past")


def _only_one(head: str, place: int) -> bool:
    """Whether the date at a place of a heading is its only one, besides those of earlier studies behind it."""
    found = [at for _, _, at in found_dates(head)]
    return found[:1] == [place] and all(_PRIOR.search(head[place:at]) for at in found[1:])


def _when(places: tuple[str, ...], said: Pair) -> Remark:
    return Remark("date", *said, places, *pair("Correct the date."))
