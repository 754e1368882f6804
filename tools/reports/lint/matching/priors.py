"""Earlier studies: whether the head of a report and its body name the same one, and whether one lies before the patient's birth."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from retrieval.messages.catalogue import Pair, messages
from retrieval.messages.patterns import patterns
from tools.reports.lint.calendar import found_dates, found_months
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.remarks import Remark
from tools.reports.lint.signing import ages_in, patient_words

pair = messages("tools.report_lint").pair

_WORDS = patterns("tools.report_lint")
_COMPARED = _WORDS.regex("priors_compared")
_COMPARED_BEHIND = _WORDS.regex("priors_compared_behind")
_SINCE = _WORDS.regex("priors_since")
_OTHERS = _WORDS.regex("priors_others")
_REPORTS = ("findings", "impression", "recommendation")
# So far before a date its words of comparison may stand, and so far behind it.
_LEAD = 48
_TAIL = 36


@dataclass(frozen=True)
class _Told:
    """A date in a sentence; the day is 0 where only a month is told."""

    year: int
    month: int
    day: int
    words: str
    sentence: Sentence
    compared: bool
    since: bool

    def same(self, other: "_Told") -> bool:
        """Whether two may be one date."""
        days = not self.day or not other.day or self.day == other.day
        return (self.year, self.month) == (other.year, other.month) and days

    def slip(self, other: "_Told") -> bool:
        """Whether two differ in one of year, month and day only."""
        ours, theirs = (self.year, self.month, self.day), (other.year, other.month, other.day)
        return sum(a != b for a, b in zip(ours, theirs, strict=True)) == 1 and bool(self.day) == bool(other.day)


def misdated(sentences: list[Sentence]) -> Iterator[Remark]:
    """A comparison in the body with a study that the head does not name, and that is told nowhere else."""
    told = [t for s in sentences for t in _dates(s)]
    head = [t for t in told if t.sentence.section not in _REPORTS]
    before = [t for t in head if t.sentence.section == "comparison" or t.compared]
    if not before or any(_OTHERS.search(t.sentence.text) for t in before):
        return
    for t in (t for t in told if t.sentence.section in _REPORTS and (t.compared or t.since)):
        slip = any(t.slip(h) for h in before)
        if not any(t.same(h) for h in head) and (slip or (t.compared and len(before) == 1)):
            other = next((h for h in before if t.slip(h)), before[0])
            said = pair("The earlier study is of {one} here and of {two} there.", one=other.words, two=t.words)
            yield Remark("date", *said, (other.sentence.text, t.sentence.text), *pair("Correct the date."))
            return


def before_birth(report: str, sentences: list[Sentence], studied: date | None, today: date) -> Iterator[Remark]:
    """A date of this patient's past in a year before the birth that the stated age allows."""
    ages = ages_in(report)
    if len(ages) != 1:
        return
    born = (studied or _studied(sentences) or today).year - ages[0] - 1
    for s in (s for s in sentences if s.section != "technique"):
        for t in _dates(s):
            if t.year < born and t.words in patient_words(s.text):
                said = pair("{day} lies before the birth of a patient of {years} years.", day=t.words, years=ages[0])
                yield _who(s.text, said)
                return


def _studied(sentences: list[Sentence]) -> date | None:
    """The latest date that is told: no study of the past is younger than this one."""
    days = [d for s in sentences for d, _, _ in found_dates(s.text) if d is not None]
    return max(days, default=None)


def _dates(sentence: Sentence) -> Iterator[_Told]:
    text = sentence.text
    days = [(d.year, d.month, d.day, words, place) for d, words, place in found_dates(text) if d is not None]
    months = [(year, month, 0, words, place) for year, month, words, place in found_months(text) if month]
    for year, month, day, words, place in days + months:
        lead, tail = text[max(0, place - _LEAD) : place], text[place + len(words) : place + len(words) + _TAIL]
        compared = bool(_COMPARED.search(lead) or _COMPARED_BEHIND.match(tail))
        yield _Told(year, month, day, words.strip(), sentence, compared, day > 0 and bool(_SINCE.search(lead)))


def _who(place: str, said: Pair) -> Remark:
    return Remark("identity", *said, (place,), *pair("Make sure that this is the right patient's report."))
