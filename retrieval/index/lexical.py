"""Lexical index: medical tokens of both languages under bm25s.

Tokens of a passage are the stems of its English words (compounds also whole: `curb-65`, `mg/kg`), the character bigrams of its Chinese
text, and one token per lexicon concept, so that `PE`, `pulmonary thromboembolism` and their Chinese meet.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.concepts.lexicon import GLUE_HAN, STOPWORDS, Lexicon, bigrams, han_runs, normalise, words

Scores = NDArray[np.float32]


def text_tokens(text: str, lexicon: Lexicon, *, question: bool = False) -> list[str]:
    """Tokens of one text; a Chinese question is cut at its function characters first."""
    text = normalise(text)
    tokens: list[str] = []
    for word in words(text):
        parts = [s for s in word.stems if s not in STOPWORDS and (len(s) > 1 or s.isdigit())]
        tokens.extend(parts)
        if len(word.stems) > 1:
            tokens.append(word.text.lower())
    for run in han_runs(text):
        for piece in GLUE_HAN.split(run) if question else [run]:
            tokens.extend(bigrams(piece) if piece else ())
    concepts = [name for name, _, _ in lexicon.find(text, question=True)] if question else lexicon.concepts_in(text)
    tokens.extend("c:" + name for name in concepts)
    return tokens


class LexicalIndex:
    """BM25 over token lists; scores of all rows at once, aligned with the order of the rows."""

    def __init__(self, model: Any, size: int) -> None:
        """Wrap a bm25s model of `size` rows."""
        self._model = model
        self.size = size

    @classmethod
    def build(cls, rows: Sequence[Sequence[str]]) -> "LexicalIndex":
        """Index token lists."""
        import bm25s

        model = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
        model.index([list(row) for row in rows] or [[""]], show_progress=False)
        return cls(model, len(rows))

    def save(self, folder: Path) -> None:
        """Write to `folder`."""
        self._model.save(str(folder), show_progress=False)

    @classmethod
    def load(cls, folder: Path, size: int) -> "LexicalIndex":
        """Read what `save` wrote."""
        import bm25s

        return cls(bm25s.BM25.load(str(folder), show_progress=False), size)

    @property
    def vocabulary(self) -> frozenset[str]:
        """All tokens of the index."""
        return frozenset(self._model.vocab_dict)

    def idf(self, token: str) -> float:
        """Lucene's inverse document frequency; the largest possible one for a token that no row has."""
        return float(np.log(1 + (self.size - self._frequency(token) + 0.5) / (self._frequency(token) + 0.5)))

    def scores(self, tokens: Iterable[str]) -> Scores:
        """BM25 of every row, `(size,)` float32."""
        known = [token for token in tokens if token in self._model.vocab_dict]
        if not known or not self.size:
            return np.zeros(self.size, np.float32)
        return np.asarray(self._model.get_scores(known), np.float32)[: self.size]

    def rows_with(self, token: str) -> NDArray[np.int64]:
        """Rows that hold `token`."""
        column = self._model.vocab_dict.get(token)
        if column is None:
            return np.zeros(0, np.int64)
        pointers = self._model.scores["indptr"]
        return np.asarray(self._model.scores["indices"][pointers[column] : pointers[column + 1]], np.int64)

    def _frequency(self, token: str) -> int:
        return len(self.rows_with(token))
