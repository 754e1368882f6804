"""Parts that the findings call normal and the impression diseased, and words that the findings only deny and the impression states."""

import re
from collections.abc import Iterator

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.reports.lint.compare import meet
from tools.reports.lint.reading.topics import Piece
from tools.reports.lint.reading.vocabulary import group
from tools.reports.lint.remarks import Remark

pair = messages("tools.report_lint").pair

_PORTION = patterns("tools.report_lint").regex("parts_normal_portion")

_COMMA = re.compile(r"[,，;；。]|\.\s")
_CERTAIN = frozenset(("negated", "uncertain", "historical", "family", "hypothetical"))


def overturned(pieces: list[Piece]) -> Iterator[Remark]:
    """Impressions that overturn what the findings say of a part, or of a word that they only deny."""
    seen = [p for p in pieces if p.sentence.section == "findings"]
    for said in (p for p in pieces if p.sentence.section == "impression" and not group("double")["words"].search(p.sentence.text)):
        other = _normal_part(said, seen) or _denied_word(said, seen)
        if other is not None:
            yield Remark(
                "presence",
                *pair("The impression states what the findings call normal or absent."),
                (other.sentence.text, said.sentence.text),
                *pair("Look at the images and keep one of the two sentences."),
            )


def _normal_part(said: Piece, seen: list[Piece]) -> Piece | None:
    ill = group("ill")["words"]
    if not ill.search(said.text) or any(_CERTAIN & said.status[t] for t in said.topics):
        return None
    for pattern in group("part").values():
        if not pattern.search(said.text):
            continue
        about = [p for p in seen if pattern.search(p.text) and _one_side(said, p)]
        sound = [p for p in about if _sound(p, pattern)]
        if sound and len(sound) == len(about) and not any(group("except")["words"].search(p.sentence.text) for p in sound):
            return sound[0]
    return None


def _clauses(p: Piece, pattern: re.Pattern[str]) -> list[str]:
    """The parts of a piece between commas that a pattern is found in."""
    return [c for c in _COMMA.split(p.text) if pattern.search(c)]


def _denied(clause: str, said: str) -> bool:
    """Whether a clause denies a sign as a whole, or of the very portion that the impression names."""
    portion = _PORTION.search(clause)
    whole = portion is None or portion.group().lower() in said.lower()
    return whole and bool(group("none")["words"].search(clause)) and not group("limiting")["words"].search(clause)


def _sound(p: Piece, part: re.Pattern[str]) -> bool:
    """Whether a part is called normal in its own clause, and ill in none."""
    clauses = _clauses(p, part)
    sound = [c for c in clauses if group("sound")["words"].search(c)]
    return bool(sound) and len(sound) == len(clauses)


def _one_side(a: Piece, b: Piece) -> bool:
    """Whether the words of two pieces do not name opposite sides."""
    return not a.sides or not b.sides or bool(a.sides & b.sides) or "both" in a.sides | b.sides


def _denied_word(said: Piece, seen: list[Piece]) -> Piece | None:
    """A plain word or sign that every sentence of the findings which has it denies."""
    for topic in said.topics:
        if _CERTAIN & said.status[topic] or topic in said.limited or said.change is not None:
            continue
        about = [p for p in seen if topic in p.topics]
        denied = [p for p in about if "negated" in p.status[topic] and topic not in p.limited and p.change is None and meet(said, p)]
        if topic.startswith("~") and denied and len(denied) == len(about) and not topic[1:].isascii():
            return denied[0]
    for pattern in group("sign").values():
        m = pattern.search(said.text)
        if m is None or group("none")["words"].search(said.text):
            continue
        clauses = [(p, c) for p in seen for c in _clauses(p, pattern)]
        if clauses and all(_denied(c, said.text) for _, c in clauses):
            return clauses[0][0]
    return None
