"""Nodules that need a decision, and the advice given for them: none, without interval and modality, or an interval that cannot be meant."""

import re
from collections.abc import Iterator

from retrieval.concepts.context import statuses
from retrieval.messages.catalogue import Pair, messages
from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.subjects import known
from tools.reports.lint.reading.topics import Piece
from tools.reports.lint.reading.units import number, to_months
from tools.reports.lint.reading.vocabulary import group
from tools.reports.lint.remarks import Remark

pair = messages("tools.report_lint").pair

_WORDS = patterns("tools.report_lint")
_NOTHING_TO_DO = _WORDS.regex("follow_up_nothing_to_do")
_NODULE_WORD = _WORDS.regex("follow_up_nodule_word", 0)

# Nodules from this size need a decision: Fleischner 2017 (MacMahon et al., Radiology 2017;284:228).
_FOLLOW_MM = 6.0
# One that shrank by 30 % (partial response, RECIST 1.1) has its plan.
_SHRUNK = 0.7
# No guideline lets a nodule of that size wait longer for its first control; ground glass every 2 years until 5.
_LONGEST_MONTHS = 36.0
# Nobody books a decision so far ahead.
_NEVER_MONTHS = 66.0
# From here a number beside "year" is a year.
_A_YEAR = 1900.0
# A repeat of imaging for one of these needs a time.
_REPEATED = frozenset(("lesion", "airspace", "ground_glass", "cavity"))
_COMMA = re.compile(r"[,，;；。]")
_WAIT = _WORDS.regex("follow_up_wait")
_PLANNED = _WORDS.regex("follow_up_planned")
_REPEAT = _WORDS.regex("follow_up_repeat")
_WHEN = _WORDS.regex("follow_up_when")
_DECIDED = _WORDS.regex("follow_up_decided")
# What an examination may miss is no finding.
_MISSED = _WORDS.regex("follow_up_missed")


def unfollowed(pieces: list[Piece], sentences: list[Sentence]) -> Iterator[Remark]:
    """A nodule that needs a decision, and none is given; or advice that says neither when nor how, or far too late."""
    words = group("follow_up")
    advice = [
        p.text for p in _advice_parts(sentences) if words["words"].search(p.text) and not _about_benign(p.text)
    ]  # fmt: skip
    needing = [p for p in pieces if _needs(p)]
    if not needing or not any(s.section in ("impression", "recommendation") for s in sentences) or treated(sentences):
        return
    largest = max(needing, key=lambda p: max(p.figures.now))
    size = max(largest.figures.now)
    whole = " ".join(advice)
    if not advice:
        if not _benign_impression(pieces):
            yield _remark(
                largest.sentence.text,
                pair("A nodule of {size:g} mm is reported and no follow-up or further step is given.", size=size),
            )
    elif _NOTHING_TO_DO.search(whole) and _benign_impression(pieces):
        return
    elif _PLANNED.search(whole) and not _DECIDED.search(whole) and not words["interval"].search(whole):
        yield _remark(advice[-1], pair("Follow-up is advised without interval and modality."))
    elif _REPEAT.search(whole) and words["interval"].search(whole) and not (_DECIDED.search(whole) or words["modality"].search(whole)):
        yield _remark(advice[-1], pair("Follow-up is advised without saying by which examination."))


def treated(sentences: list[Sentence]) -> bool:
    """Whether a known disease under treatment explains what is seen: its plan stands elsewhere."""
    return any(
        "negated" not in statuses(s.text, m.start(), m.end())
        for s in sentences
        if s.section != "technique"
        for m in group("explained")["words"].finditer(s.text)
    )


def undated(pieces: list[Piece], sentences: list[Sentence]) -> Iterator[Remark]:
    """A repeat of imaging that is advised for a lesion without saying when."""
    words = group("follow_up")
    if not any(p.states(t) for p in pieces for t in _REPEATED):
        return
    for s in sentences:
        m = _REPEAT.search(s.text)
        if s.section not in ("impression", "recommendation") or m is None or _DECIDED.search(s.text):
            continue
        topics = {t for t, _, _ in known(s.text)}
        clause = _COMMA.split(s.text[: m.start()])[-1] + _COMMA.split(s.text[m.start() :])[0]
        if (not topics or topics & _REPEATED) and not words["interval"].search(s.text) and not _WHEN.search(clause):
            yield _remark(s.text, pair("A repeat examination is advised without a time."))
            return


def too_late(pieces: list[Piece], sentences: list[Sentence]) -> Iterator[Remark]:
    """A lesion whose next control is many years away."""
    if not any("lesion" in p.topics and p.states("lesion") for p in pieces):
        return
    for s in _advice_parts(sentences):
        months = _wait(s.text) if group("follow_up")["words"].search(s.text) else None
        if months and months > (_NEVER_MONTHS if _DECIDED.search(s.text) else _LONGEST_MONTHS):
            yield _remark(s.text, pair("The next control is {years:g} years away.", years=months / 12))
            return


def _advice_parts(sentences: list[Sentence]) -> Iterator[Sentence]:
    yield from (s for s in sentences if s.section not in ("technique", "history", "comparison"))


def _about_benign(text: str) -> bool:
    """Advice that is only about something harmless: "granuloma, no action needed"."""
    return bool(group("benign")["words"].search(text)) and bool(_NOTHING_TO_DO.search(text)) and not _NODULE_WORD.search(text)


def _needs(p: Piece) -> bool:
    if "lesion" not in p.topics or not p.states("lesion") or not p.figures.now or max(p.figures.now) < _FOLLOW_MM:
        return False
    if p.figures.before and max(p.figures.now) <= _SHRUNK * max(p.figures.before):
        return False
    if any(pattern.search(p.sentence.text) for pattern in group("organ").values()) or _MISSED.search(p.sentence.text):
        return False
    return not group("benign")["words"].search(p.text) and "historical" not in p.status["lesion"]


def _benign_impression(pieces: list[Piece]) -> bool:
    """Every lesion of the impression is called benign."""
    said = [p for p in pieces if p.sentence.section == "impression" and "lesion" in p.topics and p.states("lesion")]
    return bool(said) and all(group("benign")["words"].search(p.text) for p in said)


def _wait(text: str) -> float | None:
    """The shortest wait that is advised, in months."""
    waits = []
    for m in _WAIT.finditer(text):
        amount = number(m["n"] or m["zn"])
        if amount < _A_YEAR:
            waits.append(amount * to_months(m["u"] or m["zu"]))
    return min(waits, default=None)


def _remark(place: str, said: Pair) -> Remark:
    return Remark(
        "follow_up",
        *said,
        (place,),
        *pair("Give interval and modality (Fleischner 2017, Lung-RADS v2022 or BTS 2015)."),
    )
