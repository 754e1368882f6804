"""Fits the model that tells an unknown subject of a question from an unknown word in passing.

Labels come from questions whose passage is known (`data/asks`). A made-up word in the place of a disease, drug, test, organism or score
that the passage's heading names makes the question one about nothing. Unknown words that the questions hold by themselves leave them
answerable, and so does a rare word outside the heading that the index is made to forget.
"""

import json
import random
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from retrieval.concepts.lexicon import HAN, Lexicon, normalise, words
from retrieval.evaluation.rankers import EVAL
from retrieval.guidelines.passages import Passage
from retrieval.guidelines.question import strange_of
from retrieval.guidelines.strange import MODEL, NAMED_KINDS, SIGNS, Strange, SubjectModel, is_general

_SEED = 20261129
_WORDS: dict[str, Any] = tomllib.loads((EVAL / "made_up.toml").read_text(encoding="utf-8"))
# Times each template is filled.
_FILLED = 12


def made_up(kind: str, chinese: bool, draw: random.Random) -> str:
    """A word that exists in no language, shaped like a disease, a drug or something else."""
    w = _WORDS
    shape = kind if kind in ("disease", "drug") else "other"
    if chinese:
        return f"{''.join(draw.choices(w['han'], k=draw.choice((2, 2, 3))))}{draw.choice(w['endings_zh'][shape])}"
    if shape == "other" and draw.random() < 0.5:
        return f"{''.join(draw.choices('BCDFGKLMPQRTVWXZ', k=draw.choice((3, 4))))}{draw.choice(w['endings_en'][shape])}"
    syllables = [draw.choice(w["onsets"]) + draw.choice(w["vowels"]) for _ in range(draw.choice((2, 2, 3)))]
    word = f"{''.join(syllables)}{draw.choice('bdglmnprst')}{draw.choice(w['endings_en'][shape])}"
    return word.capitalize() if "'" in word or " " in word or draw.random() < 0.2 else word


def examples(
    asks: Sequence[dict[str, str]], passages: Sequence[Passage], lexicon: Lexicon, vocabulary: frozenset[str]
) -> Iterator[tuple[str, Strange, bool]]:
    """`(passage, unknown word with its signs, whether it is the subject)`."""
    draw = random.Random(_SEED)
    by_id = {p.id: p for p in passages}
    for ask in asks:
        passage = by_id.get(ask["id"])
        if passage is None:
            continue
        yield from ((passage.id, s, False) for s in strange_of(ask["q"], lexicon, vocabulary))
        yield from _forgotten(ask["q"], passage, lexicon, vocabulary)
        yield from _replaced(ask["q"], passage, lexicon, vocabulary, draw)
    yield from _templates(lexicon, vocabulary, draw)


def _templates(lexicon: Lexicon, vocabulary: frozenset[str], draw: random.Random) -> Iterator[tuple[str, Strange, bool]]:
    """Plain questions about things that do not exist."""
    for language in ("en", "zh"):
        for kind, texts in _WORDS[f"templates_{language}"].items():
            for text in texts * _FILLED:
                word = (
                    made_up(kind, language == "zh", draw)
                    .removesuffix(" score")
                    .removesuffix(" index")
                    .removesuffix(" criteria")
                    .removesuffix(" guideline")
                )
                filled = text.format(x=word, d=draw.choice(_WORDS["diseases"][language]))
                yield from ((text, s, True) for s in strange_of(filled, lexicon, vocabulary) if s.text[:2] in word)


def _heading(passage: Passage) -> str:
    return normalise(" ".join((passage.section, *passage.tags, passage.guideline.title)))


def _forgotten(text: str, passage: Passage, lexicon: Lexicon, vocabulary: frozenset[str]) -> Iterator[tuple[str, Strange, bool]]:
    """Rare words in passing, as they look to an index that does not hold them."""
    heading = {s for w in words(_heading(passage)) for s in w.stems}
    for word in words(normalise(text)):
        if len(word.stems) == 1 and word.stems[0] in vocabulary - heading and not is_general(word.text.lower()):
            seen = strange_of(text, lexicon, vocabulary - {word.stems[0]})
            yield from ((passage.id, s, False) for s in seen if s.text == word.text)


def _replaced(
    text: str, passage: Passage, lexicon: Lexicon, vocabulary: frozenset[str], draw: random.Random
) -> Iterator[tuple[str, Strange, bool]]:
    """The question with what it is about replaced by a made-up word."""
    text = " ".join(normalise(text).split())
    heading = set(lexicon.concepts_in(_heading(passage)))
    spans = [s for s in lexicon.find(text, question=True) if lexicon.concepts[s[0]].kind in NAMED_KINDS and s[0] in heading]
    if not spans:
        return
    name, start, end = draw.choice(spans)
    word = made_up(lexicon.concepts[name].kind, bool(HAN.search(text[start:end])), draw)
    changed = text[:start] + word + text[end:]
    yield from ((passage.id, s, True) for s in strange_of(changed, lexicon, vocabulary) if s.text[:2] in word)


def fit_subjects(labelled: Sequence[tuple[str, Strange, bool]], keep: float = 0.845) -> SubjectModel:
    """Weights of the signs by logistic regression; the threshold lets `keep` of the words in passing through."""
    from sklearn.linear_model import LogisticRegression

    x = np.asarray([s.signs for _, s, _ in labelled])
    y = np.asarray([subject for *_, subject in labelled])
    model = LogisticRegression(C=1.0).fit(x, y)
    scores = model.predict_proba(x)[:, 1]
    return SubjectModel(tuple(map(float, model.coef_[0])), float(model.intercept_[0]), float(np.quantile(scores[~y], keep)))


def save(model: SubjectModel, labelled: Sequence[tuple[str, Strange, bool]]) -> None:
    """Write the fitted file with how it was made."""
    subjects = sum(subject for *_, subject in labelled)
    data = {
        "weights": {n: round(w, 3) for n, w in zip(SIGNS, model.weights, strict=True)},
        "bias": round(model.bias, 3),
        "threshold": round(model.threshold, 3),
        "fitted_on": f"{subjects} made-up subjects and {len(labelled) - subjects} words in passing, from data/asks",
    }
    MODEL.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
