"""Degrees of certainty: stacked doubt, an impression surer than its findings, and one that denies and diagnoses the same disease."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from retrieval.concepts.context import statuses
from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.subjects import is_place
from tools.reports.lint.reading.topics import read_pieces
from tools.reports.lint.reading.vocabulary import group, table, union
from tools.reports.lint.remarks import Remark

pair = messages("tools.report_lint").pair

_WORDS = patterns("tools.report_lint")
_OPEN = _WORDS.regex("signing_open")
_CERTAIN = _WORDS.regex("signing_certain")
_DISEASE = _WORDS.regex("signing_disease")
_GONE = _WORDS.regex("hedges_gone")
_THERE = _WORDS.regex("hedges_there")
_REACH = 40
_LUNG = frozenset(
    ("lesion", "metastasis", "airspace", "ground_glass", "cavity", "collapse", "node", "effusion", "embolus", "fibrosis", "tree_in_bud")
)


@dataclass(frozen=True)
class _Stance:
    """What one clause says of one family of diagnoses: `denied`, `sure`, `open`."""

    family: str
    stance: str
    text: str
    limited: bool


def certainty(sentences: list[Sentence]) -> Iterator[Remark]:
    """All remarks on certainty."""
    yield from _stacked(sentences)
    yield from _overstated(sentences)
    yield from _undecided(sentences)
    yield from _unsupported(sentences)


def _overstated(sentences: list[Sentence]) -> Iterator[Remark]:
    """An impression that calls certain what the findings leave open."""
    open_ = [s for s in sentences if s.section == "findings" and _OPEN.search(s.text)]
    for said in (s for s in sentences if s.section == "impression" and _CERTAIN.search(s.text) and not _OPEN.search(s.text)):
        mine = _matters(said)
        first = next((s for s in open_ if mine & _matters(s)), None)
        if first is not None:
            yield Remark(
                "hedge",
                *pair("The impression calls certain what the findings leave open."),
                (first.text, said.text),
                *pair("Use one degree of certainty."),
            )


def _matters(sentence: Sentence) -> frozenset[str]:
    """What a sentence is about, without places."""
    found = {t for p in read_pieces([sentence]) for t in p.topics if not t.startswith("~") and not is_place(t)}
    return frozenset(found - {"lesion", "disease"}) | frozenset(m.group(0).lower()[:7] for m in _DISEASE.finditer(sentence.text))


def _stacked(sentences: list[Sentence]) -> Iterator[Remark]:
    """Three or more words of doubt in one sentence, or two that double each other."""
    words = group("hedge")["words"]
    for s in sentences:
        hits = list(words.finditer(s.text))
        doubled = any(b.start() - a.end() <= 2 for a, b in itertools.pairwise(hits))
        if s.section != "history" and (len(hits) >= 3 or (doubled and len(hits) >= 2)):
            yield Remark(
                "hedge",
                *pair("The sentence stacks words of doubt."),
                (s.text,),
                *pair("Say how likely and why, once."),
            )


def _undecided(sentences: list[Sentence]) -> Iterator[Remark]:
    """An impression that denies a disease and diagnoses it, or cannot judge what it denies."""
    yield from _gone_and_there(sentences)
    stances = [st for s in sentences if s.section == "impression" for st in _stances(s)]
    for a, b in itertools.permutations(stances, 2):
        elsewhere = [_places(a.text, n) != _places(b.text, n) and bool(_places(a.text, n) and _places(b.text, n)) for n in ("side", "lobe")]
        apart = not any(elsewhere) and {(a.family, a.stance), (b.family, b.stance)} == {("benign", "sure"), ("malignancy", "sure")}
        clash = a.stance == "denied" and b.stance in ("sure", "open") and not a.limited and not (b.stance == "open" and b.limited)
        if apart or (clash and a.family == b.family):
            yield Remark(
                "hedge",
                *pair("The impression both denies and diagnoses the same disease."),
                (a.text, b.text) if a.text != b.text else (a.text,),
                *pair("Use one degree of certainty."),
            )
            return


def _unsupported(sentences: list[Sentence]) -> Iterator[Remark]:
    """Doubt in the impression about nothing that the findings describe, with no place, reason or advice."""
    seen = {t for p in read_pieces([s for s in sentences if s.section == "findings"]) for t in p.topics if p.states(t) and t in _LUNG}
    for s in (s for s in sentences if s.section == "impression"):
        doubt = group("hedge")["words"].search(s.text) or _OPEN.search(s.text)
        bare = not any(_places(s.text, n) for n in ("side", "lobe")) and not re.search(r"\d\s*(?:mm|cm)", s.text)
        if group("vague")["words"].search(s.text) and _alone(sentences):
            yield Remark(
                "hedge",
                *pair("The impression leaves open what it is, and says neither what it may be nor what to do."),
                (s.text,),
                *pair("Say what it may be and what would settle it."),
            )
            return
        if not doubt or not bare or group("follow_up")["words"].search(s.text) or group("reason")["words"].search(s.text):
            continue
        disease = any(p.search(s.text) for p in _families().values())
        if group("vague")["words"].search(s.text) or (disease and not seen and not _matters(s) & _LUNG):
            yield Remark(
                "hedge",
                *pair("The impression doubts something that the findings do not describe."),
                (s.text,),
                *pair("Say what is seen and where, or leave it out."),
            )
            return


def _alone(sentences: list[Sentence]) -> bool:
    """Whether a vague impression names a lesion, and nothing in it names a disease, a cause or a further step."""
    said = [s for s in sentences if s.section in ("impression", "recommendation")]
    closing = " ".join(s.text for s in said)
    rest = group("vague")["words"].sub(" ", closing)
    settled = any(p.search(rest) for p in _families().values()) or _DISEASE.search(rest)
    steps = group("follow_up")["words"].search(rest) or group("reason")["words"].search(rest) or group("benign")["words"].search(rest)
    return any(p.states(t) for p in read_pieces(said) for t in _LUNG) and not settled and not steps


def _gone_and_there(sentences: list[Sentence]) -> Iterator[Remark]:
    """Something of one place that the impression calls gone, and still there."""
    clauses = [(c, s) for s in sentences if s.section == "impression" for c in re.split(r"[.;,，。；]\s*", s.text)]
    for (a, first), (b, second) in itertools.permutations(clauses, 2):
        places = [(_places(c, "side"), _places(c, "lobe")) for c in (a, b)]
        if places[0] == places[1] and all(places[0]) and _GONE.search(a) and _THERE.search(b) and not _GONE.search(b):
            yield Remark(
                "hedge",
                *pair("The impression calls one thing gone and still there."),
                (first.text, second.text) if first != second else (first.text,),
                *pair("Look at the images and keep one of the two sentences."),
            )
            return


def _places(text: str, name: str) -> frozenset[str]:
    return frozenset(key for key, pattern in group(name).items() if pattern.search(text))


def _stances(sentence: Sentence) -> Iterator[_Stance]:
    for clause in re.split(r"(?<=[.;,，。；])\s*", sentence.text):
        for family, pattern in _families().items():
            for m in pattern.finditer(clause):
                found = _stance(clause, m)
                if found is not None:
                    yield _Stance(family, found, sentence.text, bool(_cue("limited").search(clause)))


def _stance(clause: str, m: re.Match[str]) -> str | None:
    before, behind = clause[max(0, m.start() - _REACH) : m.start()], clause[m.end() : m.end() + _REACH]
    if _cue("open").search(clause):
        return "open"
    if _cue("denied_before").search(before) or _cue("denied").match(behind.lstrip()):
        return "denied"
    status = statuses(clause, m.start(), m.end())
    if status & {"hypothetical", "family", "historical"}:
        return None
    if "negated" in status:
        return "denied"
    return "sure" if _cue("sure_before").search(before) or _cue("sure_behind").match(behind) else None


@cache
def _families() -> dict[str, re.Pattern[str]]:
    return {name: union(words) for name, words in table("certainty")["families"].items()}


@cache
def _cue(name: str) -> re.Pattern[str]:
    words = table("certainty")["cues"][name]
    return union(words) if name == "limited" else re.compile("|".join(words), re.IGNORECASE)
