"""Similar cases: exact cosine search (FAISS) over scan embeddings and report embeddings of the same studies.

The vectors come from one set of weights; an index remembers which (`encoder`) and refuses vectors of another. Both spaces share one
projection, so an image finds texts and a text finds images. Saved indexes are opened memory-mapped.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import BadInput

if TYPE_CHECKING:
    pass

Space = Literal["scan", "text"]
SPACES: tuple[Space, ...] = ("scan", "text")
Vectors = NDArray[np.float32]
_MANIFEST = "cases.json"


@dataclass(frozen=True)
class SimilarCase:
    """One hit: the owner's pseudonym, cosine similarity, and what was stored with it."""

    id: str
    score: float
    facts: Mapping[str, str]


def _units(vectors: Vectors, dimension: int) -> Vectors:
    found = np.atleast_2d(np.asarray(vectors, np.float32))
    if found.ndim != 2 or found.shape[1] != dimension:
        raise BadInput(f"vectors of {found.shape[-1]} numbers do not fit an index of {dimension}")
    norm = np.linalg.norm(found, axis=1, keepdims=True)
    if not np.isfinite(found).all() or not (norm > 0).all():
        raise BadInput("a vector is zero or not finite")
    out: Vectors = np.ascontiguousarray(found / norm)
    return out


class CaseIndex:
    """Vectors by space, with one id and a few facts per row."""

    def __init__(self, dimension: int, encoder: str) -> None:
        """An empty index.

        Args:
            dimension: Length of the vectors.
            encoder: Digest of the weights that make the vectors (`Encoding.config_hash`).
        """
        import faiss

        self.dimension, self.encoder = dimension, encoder
        self._index: dict[Space, faiss.Index] = {space: faiss.IndexFlatIP(dimension) for space in SPACES}
        self._rows: dict[Space, list[tuple[str, dict[str, str]]]] = {space: [] for space in SPACES}
        self._read_only = False

    def __len__(self) -> int:
        """Number of studies with a scan vector."""
        return len(self._rows["scan"])

    def count(self, space: Space) -> int:
        """Vectors of one space."""
        return len(self._rows[space])

    def add(self, ids: Sequence[str], vectors: Vectors, space: Space = "scan", facts: Sequence[Mapping[str, str]] | None = None) -> None:
        """Add studies.

        Args:
            ids: Pseudonyms, new in this space.
            vectors: `(N, dimension)`; scaled to unit length.
            space: `scan` or `text`.
            facts: Per study a few short texts to show with a hit (no identity).

        Raises:
            BadInput: Numbers do not agree, an id is known, the index was opened read-only, or a vector is no direction.
        """
        if self._read_only:
            raise BadInput("this index was opened memory-mapped; open it with mapped=False to add to it")
        units = _units(vectors, self.dimension) if len(ids) else np.zeros((0, self.dimension), np.float32)
        details = [dict(f) for f in facts] if facts is not None else [{} for _ in ids]
        if not len(ids) == len(units) == len(details):
            raise BadInput(f"{len(ids)} ids, {len(units)} vectors and {len(details)} facts do not agree")
        known = {row[0] for row in self._rows[space]}
        double = next((i for i in ids if i in known), None) or (None if len(set(ids)) == len(ids) else "one of the new ones")
        if double:
            raise BadInput(f"id {double!r} is already in the {space} space")
        self._index[space].add(units)
        self._rows[space] += list(zip(ids, details, strict=True))

    def search(self, vector: Vectors, k: int = 5, space: Space = "scan", without: str | None = None) -> list[SimilarCase]:
        """Most similar studies, best first.

        Args:
            vector: `(dimension,)` of a scan or a text.
            k: Most hits.
            space: Space to look in: `text` with a scan's vector is image to text, `scan` with a text's vector is text to image.
            without: Id to leave out (the study itself).
        """
        if k < 1:
            raise BadInput(f"k is {k}; ask for at least one case")
        wanted = min(k + (without is not None), self.count(space))
        if not wanted:
            return []
        scores, rows = self._index[space].search(_units(vector, self.dimension), wanted)
        found = [(self._rows[space][int(row)], float(score)) for score, row in zip(scores[0], rows[0], strict=True) if row >= 0]
        hits = [SimilarCase(name, score, facts) for (name, facts), score in found if name != without]
        return hits[:k]

    def save(self, folder: Path) -> None:
        """Write the index as one folder, complete or not at all."""
        import faiss

        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".cases-", dir=folder.parent))
        try:
            for space in SPACES:
                faiss.write_index(self._index[space], str(staging / f"{space}.faiss"))
                with (staging / f"{space}.jsonl").open("w", encoding="utf-8") as file:
                    file.writelines(json.dumps([name, facts], ensure_ascii=False) + "\n" for name, facts in self._rows[space])
            manifest = {"schema_version": 1, "dimension": self.dimension, "encoder": self.encoder}
            (staging / _MANIFEST).write_text(json.dumps(manifest | {s: self.count(s) for s in SPACES}), encoding="utf-8")
            old = folder.with_name(f".{folder.name}-old-{os.getpid()}")
            if folder.exists():
                folder.rename(old)
            staging.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    @classmethod
    def load(cls, folder: Path, encoder: str | None = None, mapped: bool = True) -> "CaseIndex":
        """Open a saved index.

        Args:
            folder: As saved.
            encoder: Digest that the caller's vectors have; a difference is refused.
            mapped: Memory-map the vectors (read-only) instead of reading them.

        Raises:
            BadInput: Damaged, incomplete, or of other weights.
        """
        import faiss

        try:
            manifest: dict[str, Any] = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
            loaded = cls(int(manifest["dimension"]), str(manifest["encoder"]))
            for space in SPACES:
                flags = faiss.IO_FLAG_MMAP_IFC if mapped else 0
                loaded._index[space] = faiss.read_index(str(folder / f"{space}.faiss"), flags)
                lines = (folder / f"{space}.jsonl").read_text(encoding="utf-8").splitlines()
                loaded._rows[space] = [(name, facts) for name, facts in map(json.loads, lines)]
                if not loaded._index[space].ntotal == len(lines) == manifest[space]:
                    raise BadInput(f"the case index {folder.name!r} is damaged: its {space} rows do not agree; build it again")
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise BadInput(f"the case index {folder.name!r} cannot be read: {str(error)[:200]}; build it again") from error
        if encoder is not None and encoder != loaded.encoder:
            raise BadInput(f"the case index {folder.name!r} was made with other weights ({loaded.encoder}); build it again")
        loaded._read_only = mapped
        return loaded
