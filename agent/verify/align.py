"""Where in its evidence a sentence stands: evidence as sentences and chunks, and the run of chunks that speaks of the same thing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from agent.reading.lexicon import language_of, mentions
from agent.verify.numbers import numbers_of
from agent.verify.text import tokens
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence

_TEXT = patterns("agent.verify")

_SENTENCE = re.compile(r"[;；。！？!?]|\.(?=\s|$)|\n")
_CHUNK = _TEXT.regex("align_chunk")
# "(strong, high certainty)" is one remark, not two statements.
_GRADING = _TEXT.regex("align_grading", flags=0)
_HEAVY = frozenset({"drug", "drug_class", "action", "analyte", "score", "organism", "enzyme"})
_CODE = re.compile(r"(?<![A-Za-z])[A-Z][A-Za-z]*[A-Z0-9][A-Za-z0-9]*(?:-[A-Z0-9]+)*(?![A-Za-z])")
# Arms of a trial that are not drugs.
_ARMS = {"placebo": _TEXT.regex("align_placebo"), "usual-care": _TEXT.regex("align_usual_care")}
_SIGN = {"at_least": ">", "above": ">", "at_most": "<", "below": "<"}
# Share of a run's content that its core must hold to stand for it.
_ALONE = 0.8
# Longest run of chunks that is still one statement.
_RUN = 5


@dataclass(frozen=True)
class Piece:
    """A sentence of the evidence with its chunks."""

    text: str
    chunks: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where a claim stands.

    Attributes:
        run: The chunks that speak of it, joined.
        sentence: Their sentence.
        share: Weighted share of the claim's content that the run holds.
        before: What stands before the run in the evidence: the topic was named there.
        core: The one chunk of the run that holds most of the claim.
        alone: Whether that chunk holds nearly all that the run holds.
    """

    run: str
    sentence: str
    share: float
    before: str
    core: str = ""
    alone: bool = False


def pieces(text: str) -> tuple[Piece, ...]:
    """Sentences of a text with their chunks."""
    out = []
    whole = _GRADING.sub(lambda m: re.sub(r"[,，]\s?", " ", m.group(0)), text)
    for sentence in _SENTENCE.split(whole):
        if re.search(r"\w", sentence):
            chunks = tuple(c for c in _CHUNK.split(sentence) if c and re.search(r"\w", c))
            out.append(Piece(sentence.strip(), chunks))
    return tuple(out)


@lru_cache(maxsize=8192)
def content(text: str) -> dict[str, float]:
    """Content of a text with weights: terms, codes such as CYP1A2, numbers in base units, words, Chinese pairs."""
    weights: dict[str, float] = {}
    for token in tokens(text):
        weights[token] = 0.5 if re.match(r"[\u4e00-\u9fff]", token) else 1.0
    for mention in mentions(text):
        heavy = 2.0 if mention.term.kind in _HEAVY else 0.5 if mention.term.kind == "respiratory" else 1.5
        weights[f"@{mention.term.id}"] = heavy
    for code in codes(text):
        weights[f"!{code}"] = 1.0
    for name, pattern in _ARMS.items():
        if pattern.search(text):
            weights[f"!{name}"] = 1.5
    for number in numbers_of(text):
        if number.unit is None and 1980 <= number.value <= 2100:
            continue
        base = number.value * number.unit[1] if number.unit else number.value
        weights[f"#{base:g}"] = 2.0
        if number.direction is not None:
            weights[f"{_SIGN[number.direction]}{base:g}"] = 2.0
    return weights


def codes(text: str) -> frozenset[str]:
    """Codes of a text such as CYP1A2 or T2b."""
    return frozenset(code.lower() for code in _CODE.findall(text))


def texts_for(claim: str, evidence: Iterable[Evidence]) -> list[str]:
    """The evidence in the claim's language where it has it, else in the other."""
    language = language_of(claim)
    return [(e.text_zh or e.text) if language == "zh" else e.text for e in evidence]


def place(claim: str, texts: Iterable[str]) -> Place:
    """The run of chunks that holds most of the claim; of equal ones the shortest."""
    mine = content(claim)
    total = sum(mine.values()) or 1.0
    best = Place("", "", 0.0, "")
    best_score = -1.0
    for text in texts:
        done = ""
        for piece in pieces(text):
            for run, start in _runs(piece):
                theirs = content(run)
                held = sum(w for t, w in mine.items() if t in theirs)
                extra = sum(w for t, w in theirs.items() if t not in mine)
                score = held / total - 0.01 * extra / total
                if score > best_score:
                    best_score = score
                    best = Place(run, piece.text, held / total, f"{done} {start}")
            done += f" {piece.text}"
    core = _core(mine, best.run)
    held, whole = (sum(w for t, w in mine.items() if t in content(p)) for p in (core, best.run))
    return replace(best, core=core, alone=held >= _ALONE * whole)


def _core(mine: dict[str, float], run: str) -> str:
    chunks = run.split(" , ")
    return max(chunks, key=lambda c: sum(w for t, w in mine.items() if t in content(c)))


def _runs(piece: Piece) -> list[tuple[str, str]]:
    out = []
    for i in range(len(piece.chunks)):
        for j in range(i + 1, min(len(piece.chunks), i + _RUN) + 1):
            out.append((" , ".join(piece.chunks[i:j]), " , ".join(piece.chunks[:i])))
    if len(piece.chunks) > _RUN:
        out.append((piece.text, ""))
    return out
