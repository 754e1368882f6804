"""How long ago: an interval that a sentence gives for a comparison against the dates of this study and of the earlier ones."""

from collections.abc import Iterator
from datetime import date

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.remarks import Remark

pair = messages("tools.report_lint").pair

_WORDS = patterns("tools.report_lint")
_SPAN = _WORDS.regex("intervals_span")
_ONLY = _WORDS.regex("intervals_only")
_NUMBERS = {word: float(n) for word, n in _WORDS.table("intervals_numbers").items()}
_DAYS = {unit: float(n) for unit, n in _WORDS.table("intervals_days").items()}
# People round: an interval is off where it differs by this share of the longer one and by this many days.
_SHARE = 0.34
_LEAST_DAYS = 21.0


def intervals(sentences: list[Sentence], studied: date, earlier: list[date]) -> Iterator[Remark]:
    """One remark for an interval that the dates do not give.

    Args:
        sentences: The report.
        studied: Date of this study.
        earlier: Dates of earlier studies; an interval may be to any of them.
    """
    true = sorted({float((studied - day).days) for day in earlier})
    if not true or true[0] <= 0:
        return
    for s in (s for s in sentences if s.section in ("findings", "impression") and _ONLY.search(s.text)):
        for m in _SPAN.finditer(s.text):
            said = days_of(m["n"] or m["zn"], m["u"] or m["zu"])
            if said is not None and all(abs(said - days) > max(_LEAST_DAYS, _SHARE * max(said, days)) for days in true):
                days = min(true, key=lambda days: abs(said - days))
                yield Remark(
                    "date",
                    *pair("The dates of the two studies are {days} days apart, not {said}.", days=int(days), said=m.group().strip()),
                    (s.text,),
                    *pair("Correct the date."),
                )
                return


def days_of(number: str, unit: str) -> float | None:
    """An interval in days; None for a number that is not known."""
    value = _NUMBERS.get(number.lower()) if not number.replace(".", "", 1).isdigit() else float(number)
    return None if value is None else value * _DAYS[unit.lower().rstrip("s")[:1] if unit.isascii() else unit]
