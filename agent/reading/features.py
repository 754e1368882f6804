"""What the reader sees of a message: a sentence vector, hashed n-grams, concepts found, what the patterns propose, the message before."""

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from agent.reading.intents import read_question
from agent.reading.lexicon import language_of
from retrieval.index.sentence import VECTOR, sentence_vector, sentence_vectors
from retrieval.messages.patterns import patterns

_WORDS = patterns("agent.reading")

__all__ = ["VECTOR", "Message", "sentence_vector", "sentence_vectors"]

GRAM_BINS = 1 << 14
MARK_BINS = 1 << 12
WIDTH = 2 * VECTOR + GRAM_BINS + MARK_BINS
# Weight of each block: sentence vector, vector of the message before, n-grams, concepts and patterns (best of five tried across authors).
SCALES = (2.0, 1.0, 3.0, 2.0)
# Names of concepts that stand in too few messages to be learnt one by one are known by their kind.
_OWN_NAME = frozenset({"score", "action", "respiratory", "drug_class", "finding", "analyte", "vital"})
_FLAGS = ("why", "elliptic", "greeting", "thanks", "identity", "about_patient", "guideline_named", "seen", "presence")
_QUOTE = re.compile(r"[\"“「'‘].{12,}[\"”」'’]|[:：].{25,}", re.DOTALL)
_WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)?|[\u4e00-\u9fff]|[^\s\w]", re.IGNORECASE)


@dataclass(frozen=True)
class Message:
    """A message to read.

    Attributes:
        text: As typed.
        case: A patient case is open.
        before: The person's previous message in the thread.
    """

    text: str
    case: bool = False
    before: str = ""


@dataclass(frozen=True)
class Sparse:
    """One row of features: indices and values."""

    index: NDArray[np.int64]
    value: NDArray[np.float32]


def grams(text: str) -> set[str]:
    """Words, pairs of words and runs of characters; numbers become their number of digits."""
    words = ["#" * len(w.split(".")[0]) if w[0].isdigit() else w.lower() for w in _WORD.findall(text[:600])]
    out = {f"w:{w}" for w in words} | {f"p:{a} {b}" for a, b in zip(["^", *words], [*words, "$"], strict=True)}
    for word in words:
        if word.isascii() and word.isalpha():
            padded = f"<{word}>"
            out |= {f"c:{padded[i : i + n]}" for n in (3, 4, 5) for i in range(len(padded) - n + 1)}
    for run in re.findall(r"[\u4e00-\u9fff]+", text[:600]):
        out |= {f"z:{run[i : i + n]}" for n in (2, 3, 4) for i in range(len(run) - n + 1)}
    return out


def marks(message: Message) -> set[str]:
    """What the vocabulary and the patterns say of the message, and what stands around it."""
    here = _said(message.text)
    place = "case" if message.case else "none"
    out = {f"at:{place}", f"lang:{language_of(message.text)}", f"long:{min(len(message.text) // 20, 6)}"}
    out |= {f"m:{m}" for m in here} | {f"{place}:{m}" for m in here if not m.startswith("id:")}
    if message.before:
        out |= {"before", f"before:{place}"} | {f"b:{m}" for m in _said(message.before)}
    return out


@lru_cache(maxsize=4096)
def _said(text: str) -> frozenset[str]:
    reading = read_question(text)
    out = {f"intent:{i}" for i in reading.intents} | {f"flag:{f}" for f in _FLAGS if getattr(reading, f)}
    if reading.intents:
        out.add(f"first:{min(reading.intents, key=lambda i: (reading.intents[i], i))}")
    kinds = [t.kind for t in reading.terms]
    out |= {f"kind:{k}" for k in kinds} | {f"many:{k}" for k in set(kinds) if kinds.count(k) > 1}
    out |= {f"id:{t.measured}" for t in reading.terms if t.kind in _OWN_NAME}
    if re.search(r"\d", text):
        out.add("number")
    if len(text) > 150:
        out.add("pasted")
    if _QUOTE.search(text):
        out.add("quotes")
    out.add(f"ends:{'question' if text.rstrip().endswith(_WORDS.words('features_question_ends')) else 'other'}")
    return frozenset(out)


def _hashed(names: Iterable[str], bins: int, start: int, scale: float) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    found = np.unique(np.fromiter((zlib.crc32(n.encode()) % bins for n in names), np.int64))
    value = np.full(len(found), scale / max(len(found), 1) ** 0.5, np.float32)
    return found + start, value


def row(message: Message, vector: NDArray[np.float32], before: NDArray[np.float32] | None) -> Sparse:
    """Features of a message whose sentence vectors are known."""
    gram_at, gram = _hashed(grams(message.text), GRAM_BINS, 2 * VECTOR, SCALES[2])
    mark_at, mark = _hashed(marks(message), MARK_BINS, 2 * VECTOR + GRAM_BINS, SCALES[3])
    dense = [(np.arange(VECTOR), SCALES[0] * vector)]
    if before is not None:
        dense.append((np.arange(VECTOR, 2 * VECTOR), SCALES[1] * before))
    index = np.concatenate([*(i for i, _ in dense), gram_at, mark_at])
    value = np.concatenate([*(v for _, v in dense), gram, mark]).astype(np.float32)
    return Sparse(index.astype(np.int64), value)


def features(message: Message) -> Sparse:
    """Features of one message."""
    before = sentence_vector(message.before) if message.before else None
    return row(message, sentence_vector(message.text), before)
