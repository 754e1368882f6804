"""What must be settled before signing: identity and template left-overs."""

import re
from collections.abc import Iterator

from retrieval.messages.catalogue import Pair, messages
from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.vocabulary import choices, group, left_over
from tools.reports.lint.remarks import Remark, label

pair = messages("tools.report_lint").pair

_WORDS = patterns("tools.report_lint")
_RELATIVES = _WORDS.regex("signing_relatives")
_NEUTRAL = _WORDS.regex("signing_neutral")
_CLAUSE = re.compile(r"(?<=[,，;；。:：(（])|(?<=\. )")

_PRONOUNS = _WORDS.regex("signing_pronouns")
_HEADING = _WORDS.regex("signing_heading")
_AGE = _WORDS.regex("signing_age")
_YEARS_AGO = _WORDS.regex("signing_years_ago")


def identity(report: str, sentences: list[Sentence], sex: str | None, age: float | None) -> Iterator[Remark]:
    """Sex and age of the text against each other and against the open case."""
    words = {name: [s for s in sentences if group(name)["words"].search(patient_words(s.text))] for name in ("male", "female")}
    own = [s for s in sentences if not _absent(s.text)]
    organs = {name: [s for s in own if group(name)["organs"].search(patient_words(s.text))] for name in ("male", "female")}
    said = {name: words[name] + organs[name] for name in ("male", "female")}
    if said["male"] and said["female"]:
        yield _who((said["male"][0].text, said["female"][0].text), pair("The report speaks of a man and of a woman."))
    elif sex in ("male", "female") and said["female" if sex == "male" else "male"]:
        yield _who(
            (said["female" if sex == "male" else "male"][0].text,),
            pair("The report does not fit the open case ({sex}).", sex=label(sex)),
        )
    ages = ages_in(report)
    if len(ages) > 1:
        yield _who(
            tuple(m.group() for m in _AGE.finditer(report)),
            pair("The report gives {count} ages: {ages}.", count=len(ages), ages=(", ".join(map(str, ages)), "、".join(map(str, ages)))),
        )
    elif ages and ages[0] >= 18 and (child := group("child")["words"].search(report)):
        yield _who((child.group(),), pair("A child of {years} years.", years=ages[0]))
    elif ages and age is not None and abs(ages[0] - age) > 1:
        yield _who((str(ages[0]),), pair("The report says {told} years, the open case {years:g}.", told=ages[0], years=age))
    if len(ages) == 1:
        yield from _before_birth(sentences, ages[0])


def ages_in(report: str) -> list[int]:
    """Ages in years that a report gives its patient."""
    return sorted({n for groups in _AGE.findall(report) if 0 < (n := int(next(g for g in groups if g))) < 121})


def _before_birth(sentences: list[Sentence], age: int) -> Iterator[Remark]:
    """Something of this patient's past that lies before the birth."""
    for s in sentences:
        for m in _YEARS_AGO.finditer(patient_words(s.text)):
            if int(next(g for g in m.groups() if g)) >= age:
                yield _who((s.text,), pair("“{words}” does not fit a patient of {years} years.", words=m.group(), years=age))
                return


def patient_words(text: str) -> str:
    """Without the clauses of relatives, whose sex and organs are their own."""
    plain = _NEUTRAL.sub(" ", text)
    if not _RELATIVES.search(plain):
        return plain
    return _PRONOUNS.sub("", "".join(c for c in _CLAUSE.split(plain) if not _RELATIVES.search(c)))


def _absent(text: str) -> bool:
    return bool(re.search(r"gynaecologist|gynecologist|family history", text, re.IGNORECASE))


def _who(places: tuple[str, ...], said: Pair) -> Remark:
    return Remark("identity", *said, places, *pair("Make sure that this is the right patient's report."))


def _opens(report: str, m: re.Match[str]) -> bool:
    """Whether words in brackets open a line that goes on: a heading, filled in."""
    line = report[report.rfind("\n", 0, m.start()) + 1 : m.end()]
    return bool(_HEADING.match(line)) and report[m.end() : m.end() + 1].strip(" \n") != ""


def left_overs(report: str) -> Iterator[Remark]:
    """What a template or dictation left behind."""
    found = list(dict.fromkeys(m.group().strip() for m in left_over().finditer(report) if not _opens(report, m)))
    found += [m.group() for m in re.finditer(r"\b(the|of|in|is|and|a|to)\s+\1\b", report, re.IGNORECASE)]
    found += [words for choice in choices() for words in choice.unmade(report)]
    if found:
        yield Remark(
            "leftover",
            *pair("Left over from a template: {words}.", words=(", ".join(found[:4]), "、".join(found[:4]))),
            tuple(found),
            *pair("Fill in or delete."),
        )
