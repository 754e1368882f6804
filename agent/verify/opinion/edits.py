"""A claim beside the nearest sentence of its evidence, word by word: what was exchanged, put in and left out, by kind."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise

from agent.reading.lexicon import mentions
from agent.verify.opinion.wording import contrary_pairs, kinds_of_words
from agent.verify.polarity import cues
from agent.verify.text import stem

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[a-z]+(?:'[a-z]+)?|[\u4e00-\u9fff]|[<>≤≥%/]", re.IGNORECASE)
_SENTENCE = re.compile(r"[;；。！？!?\n]|\.(?=\s|$)")
# Words at most on each side of an exchange that is one edit of a sentence, not another wording.
_TIGHT = {True: 3, False: 2}
# Terms by what they name; other kinds are not told apart.
_FAMILY = {"drug": "drug", "drug_class": "drug", "disease": "disease", "comorbidity": "disease", "analyte": "analyte", "score": "score"}
_MOST = 3.0


@lru_cache(maxsize=16384)
def words_in_order(text: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Words of a text, stemmed, and where each begins; Chinese by character."""
    plain = unicodedata.normalize("NFKC", text).lower()
    found = list(_WORD.finditer(re.sub(r"(?<=\d),(?=\d{3}\b)", "", plain)))
    return tuple(_form(m.group(0)) for m in found), tuple(m.start() for m in found)


def _form(word: str) -> str:
    return stem(word) if word.isascii() and word.isalpha() and len(word) > 2 else word


def edits(claim: str, texts: Iterable[str]) -> dict[str, float]:
    """Signs from comparing a claim with the sentence of the evidence, or two in a row, that shares most of its words in order."""
    mine, _ = words_in_order(claim)
    near = nearest(mine, texts)
    if not mine or near is None:
        return {}
    sentence, matcher = near
    theirs, _ = words_in_order(sentence)
    same = sum(b.size for b in matcher.get_matching_blocks())
    held = sum((Counter(mine) & Counter(theirs)).values())
    out: defaultdict[str, float] = defaultdict(float)
    chinese = bool(re.search("[\u4e00-\u9fff]", claim))
    inside = [op for op in matcher.get_opcodes() if op[0] == "equal"]
    first, last = (inside[0][3], inside[-1][4]) if inside else (0, 0)
    for name, a, b, c, d in matcher.get_opcodes():
        if name != "equal":
            _count(out, mine[a:b], theirs[c:d], chinese, outside=d <= first or c >= last)
    found = {f"edit {name}": min(float(value), _MOST) for name, value in out.items()}
    found |= {"edit order": same / len(mine), "edit words": held / len(mine), "edit moved": (held - same) / len(mine)}
    found["edit kept"] = same / max(1, len(theirs))
    return found | _poles(claim, sentence, same / len(mine))


def _poles(claim: str, sentence: str, near: float) -> dict[str, float]:
    """Whether denials and words of the contrary together leave claim and sentence at opposite poles."""
    odd = (cues(claim) + cues(sentence)) % 2
    turned = contrary_pairs(claim, sentence)
    pole = (odd + turned) % 2
    return {
        "pole odd": float(pole),
        "pole odd near": pole * near,
        "pole denial near": odd * near,
        "pole contrary near": min(turned, 2) * near,
    }


def nearest(mine: tuple[str, ...], texts: Iterable[str]) -> tuple[str, SequenceMatcher[str]] | None:
    """The sentence (or two neighbours) of the texts that shares most words with `mine`, and how the two are aligned."""
    return _nearest(mine, tuple(texts))


@lru_cache(maxsize=64)
def _nearest(mine: tuple[str, ...], texts: tuple[str, ...]) -> tuple[str, SequenceMatcher[str]] | None:
    best: tuple[float, str, tuple[str, ...]] | None = None
    held = Counter(mine)
    for text in texts:
        single = [s.strip() for s in _SENTENCE.split(text) if re.search(r"\w", s)]
        for sentence in [*single, *(" ; ".join(pair) for pair in pairwise(single))]:
            theirs, _ = words_in_order(sentence)
            score = sum((held & Counter(theirs)).values()) - 0.02 * len(theirs)
            if best is None or score > best[0]:
                best = (score, sentence, theirs)
    return None if best is None else (best[1], SequenceMatcher(None, mine, best[2], autojunk=False))


def _count(out: defaultdict[str, float], mine: tuple[str, ...], theirs: tuple[str, ...], chinese: bool, outside: bool) -> None:
    glue = "" if chinese else " "
    said, there = _kinds(glue.join(mine)), _kinds(glue.join(theirs))
    tight = mine and theirs and max(len(mine), len(theirs)) <= _TIGHT[chinese]
    if tight:
        out["tight"] += 1
    for kind in said | there:
        how = "swap" if kind in said and kind in there else "put" if kind in said else "cut" if outside else "drop"
        out[f"{how} {kind}"] += 1
        if tight:
            out[f"tight {kind}"] += 1
    if mine:
        out["put words"] += len(mine) / (4 if chinese else 2)
    if theirs and not outside:
        out["drop words"] += len(theirs) / (4 if chinese else 2)


@lru_cache(maxsize=32768)
def _kinds(text: str) -> frozenset[str]:
    found = set(kinds_of_words(text))
    if re.search(r"\d", text):
        found.add("number")
    found |= {_FAMILY[m.term.kind] for m in mentions(text) if m.term.kind in _FAMILY}
    return frozenset(found)
