"""Dates: of this study, of prior ones, of the report, of operations; in figures, in words, in Chinese."""

import re
from collections.abc import Iterator
from datetime import date

from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.vocabulary import group
from tools.reports.lint.remarks import Remark

_MONTH = r"(?P<{0}>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
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
_DATE = re.compile(
    r"(?<!\d)(?P<y1>\d{4})\s*[-/.年]\s*(?P<m1>\d{1,2})\s*[-/.月]\s*(?P<d1>\d{1,2})(?!\d)"
    rf"|(?<!\d)(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?[\s-]+(?:of )?{_MONTH.format('m2')}\.?,?[\s-]+(?P<y2>\d{{4}})"
    rf"|(?<![A-Za-z]){_MONTH.format('m3')}\.?\s+(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y3>\d{{4}})"
    r"|(?<!\d)(?P<d4>\d{1,2})[/.](?P<m4>\d{1,2})[/.](?P<y4>\d{4}|\d{2})(?![\d/]|\.\d)"
    rf"|(?P<d5>{'|'.join(sorted(_ORDINALS, key=len, reverse=True))}) (?:of )?{_MONTH.format('m5')},? (?P<y5>\d{{4}})",
    re.IGNORECASE,
)
_PRIOR = re.compile(
    r"compar|prior|previous|earlier|last (?:ct|scan|study|examination)|old study|baseline|against|versus|vs\b|对比"
    r"|对照|比较|较|前片|旧片|上次|前次|既往|原片|与",
    re.IGNORECASE,
)
_EXAM = re.compile(
    r"(?:date of (?:exam\w*|study|scan)|exam\w* date|study date|scan date|exam(?:ination)?|(?:CT|scan"
    r"|study)(?: \w+)? (?:dated|of|on)|performed on"
    r"|this (?:scan|study|CT)|检查(?:日期|时间)?|扫描(?:日期|时间)?|本片|本次)\s*[:：]?\s*(?:of|on|dated|the)?\s*$",
    re.IGNORECASE,
)
# A date of the examination stands near the start of its sentence.
_OPENING = 34
_REPORT = re.compile(r"(?:report(?:ed)?(?: date)?(?: on)?|signed(?: on)?|dictated(?: on)?|issued(?: on)?"
    r"|verified(?: on)?|报告(?:日期|时间)?|审核(?:日期|时间)?|签发(?:日期|时间)?)\s*[:：]?\s*$", re.IGNORECASE)  # fmt: skip
_BIRTH = re.compile(r"(?:birth|born|d\.?o\.?b\.?|出生(?:日期)?|生于)\W*\w{0,3}\W*$", re.IGNORECASE)
_PLANNED = re.compile(
    r"appointment|booked|scheduled|planned|next|follow|review|repeat|clinic|due|will|recommend|annual|surveillance"
    r"|预约|复查|随访|拟|下次|计划|建议",
    re.IGNORECASE,
)


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


def dates(report: str, sentences: list[Sentence], studied: date | None, today: date) -> Iterator[Remark]:
    """Impossible dates, and dates of the past that lie after the study: priors, operations; a report before its study."""
    told: list[tuple[date, str, str]] = []
    for when, words, place in found_dates(report):
        if when is None:
            yield _when((words,), f"{words} is no date.", f"{words} 不是有效日期。")
        else:
            told.append((when, _role(report, place, sentences), _line(report, place, sentences)))
    exams = [d for d, role, _ in told if role == "now"]
    reports = [d for d, role, _ in told if role == "report"]
    exam = studied or (exams[0] if exams else None)
    for when, role, line in told:
        if role in ("prior", "past") and when >= (exam or (reports[0] if reports else today)) and not (when == exam and role == "past"):
            yield _when(
                (line,),
                f"{when.isoformat()} is not before this study, and is told as past.",
                f"{when.isoformat()} 不早于本次检查，却作为既往描述。",
            )  # fmt: skip
        elif role == "report" and exam is not None and when < exam:
            yield _when(
                (line,), f"The report of {when.isoformat()} is older than its study.", f"报告日期 {when.isoformat()} 早于检查日期。"
            )
        elif role in ("now", "report") and when > today:
            yield _when((line,), f"{when.isoformat()} is in the future.", f"{when.isoformat()} 晚于今天。")


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
    section = next((s.section for s in reversed(sentences) if s.start <= place), "findings")
    return {"comparison": "prior", "technique": "now", "recommendation": "planned"}.get(section, "past")


def _when(places: tuple[str, ...], en: str, zh: str) -> Remark:
    return Remark("date", en, zh, places, "Correct the date.", "请更正日期。")
