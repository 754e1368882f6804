"""A coarse index in front of many vectors: FAISS inverted lists of 8-bit codes that name the rows worth an exact product.

Reads less than half of the rows at a quarter of their size; a full scan of 100,000 rows reads 150 MB for every question.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.index.embed import Vectors

# Lists of the index and how many a search opens: on MiniLM vectors of MedQuAD 230 of 512 hold 98 to 99 % of the true ten nearest, 97 hold
# 97 % (docs/retrieval.md).
LISTS, OPENED = 512, 230
# Rows that the centres are learnt from, per list; FAISS asks for at least 39.
LEARN_FROM = 64


class Coarse:
    """Inverted lists over rows `0..n-1`."""

    def __init__(self, index: Any) -> None:
        """Wrap a FAISS index; use `build` or `read`."""
        self._index = index

    @classmethod
    def build(cls, vectors: Vectors) -> "Coarse":
        """Learn the lists from a sample of `vectors`, `(n, dim)` unit rows, and sort all into them."""
        import faiss

        index = faiss.index_factory(vectors.shape[1], f"IVF{LISTS},SQ8", faiss.METRIC_INNER_PRODUCT)
        step = max(1, len(vectors) // (LISTS * LEARN_FROM))
        index.train(np.ascontiguousarray(vectors[::step]))
        index.add(vectors)
        return cls(index)

    @classmethod
    def read(cls, path: Path) -> "Coarse | None":
        """The index at `path`, None when there is none."""
        import faiss

        return cls(faiss.read_index(str(path))) if path.exists() else None

    def write(self, path: str) -> None:
        """Write to `path`."""
        import faiss

        faiss.write_index(self._index, path)

    def nearest(self, query: Vectors, k: int, selector: Any = None) -> NDArray[np.int64]:
        """About the `k` nearest rows to `query`, `(1, dim)`, that the FAISS `selector` admits, in no order; fewer where few are."""
        import faiss

        parameters = faiss.SearchParametersIVF(sel=selector, nprobe=OPENED)  # type: ignore[call-arg]
        _, rows = self._index.search(query, k, params=parameters)
        found: NDArray[np.int64] = rows[0][rows[0] >= 0]
        return found
