"""Where vectors live: one contract, `VectorStore`, and its two implementations.

Chroma (embedded, or a server by URL) holds the guideline passages and documents of ordinary size; FAISS holds large collections in
memory with an exact filter. `open_store` chooses by size. Both return cosines, because all vectors have unit length.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import BadInput, Unavailable
from retrieval.index.coarse import Coarse
from retrieval.index.embed import Vectors

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

Value = str | int | bool
Metadata = Mapping[str, Value]
# Above this many vectors the embedded Chroma with a metadata filter is slower than an exact filtered scan (benchmarks/retrieval.py).
FAISS_FROM = 20_000
# A filter that leaves a smaller share of the rows than this is scanned exactly; a weaker one goes through the coarse index.
WEAK = 0.1


@dataclass(frozen=True)
class Condition:
    """One test on metadata; a row passes when all conditions hold. A row without the field fails."""

    field: str
    op: Literal["==", ">=", "<="]
    value: Value


class VectorStore(Protocol):
    """Unit vectors with metadata under string ids."""

    def add(self, ids: Sequence[str], vectors: Vectors, metadata: Sequence[Metadata]) -> None:
        """Insert or replace rows; `vectors` is `(n, dim)` float32 with unit rows, and every row has the same fields."""
        ...

    def delete(self, ids: Sequence[str]) -> None:
        """Remove rows; unknown ids are ignored."""
        ...

    def query(self, vector: Vectors, k: int, where: Sequence[Condition] = ()) -> list[tuple[str, float]]:
        """The `k` nearest rows that pass `where`, as `(id, cosine)`, best first; `vector` is `(dim,)`."""
        ...

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """Vectors of `ids` in their order, `(n, dim)`."""
        ...

    def count(self) -> int:
        """Number of rows."""
        ...

    def close(self) -> None:
        """Write what is not written and let go of files."""
        ...


def open_store(folder: Path, size: int, *, chroma_url: str | None = None, collection: str = "passages") -> VectorStore:
    """The store that suits `size` rows: a Chroma server when `chroma_url` is given, embedded Chroma, or FAISS from `FAISS_FROM` rows."""
    if chroma_url is None and size >= FAISS_FROM:
        return FaissStore(folder / "faiss")
    return ChromaStore(folder / "chroma", collection=collection, url=chroma_url)


class ChromaStore:
    """Chroma, in this process or on a server."""

    def __init__(self, folder: Path, *, collection: str = "passages", url: str | None = None) -> None:
        """Open or make `collection` in `folder`, or on the server at `url`.

        Raises:
            BadInput: `url` is not `http(s)://host:port`.
            Unavailable: no Chroma server answers at `url`.
        """
        self._client = _chroma_client(folder, url)
        self._size: int | None = None
        # search_ef bounds how many neighbours a query can return reliably; pools of search.py stay below it.
        self._rows = self._client.get_or_create_collection(
            collection, embedding_function=None, configuration={"hnsw": {"space": "cosine", "ef_search": 400, "ef_construction": 200}}
        )

    def add(self, ids: Sequence[str], vectors: Vectors, metadata: Sequence[Metadata]) -> None:
        """See `VectorStore.add`."""
        self._size = None
        for start in range(0, len(ids), 2000):
            part = slice(start, start + 2000)
            self._rows.upsert(ids=list(ids[part]), embeddings=vectors[part], metadatas=[dict(m) for m in metadata[part]])

    def delete(self, ids: Sequence[str]) -> None:
        """See `VectorStore.delete`."""
        self._size = None
        if ids:
            self._rows.delete(ids=list(ids))

    def query(self, vector: Vectors, k: int, where: Sequence[Condition] = ()) -> list[tuple[str, float]]:
        """See `VectorStore.query`."""
        if self._size is None:
            self._size = self.count()
        k = min(k, self._size)
        if k == 0:
            return []
        found = self._rows.query(
            query_embeddings=np.asarray(vector, np.float32)[None, :], n_results=k, where=_chroma_where(where), include=["distances"]
        )
        distances = found["distances"] or [[]]
        return [(key, 1.0 - float(distance)) for key, distance in zip(found["ids"][0], distances[0], strict=True)]

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """See `VectorStore.vectors`."""
        found = self._rows.get(ids=list(ids), include=["embeddings"])
        rows = dict(zip(found["ids"], np.asarray(found["embeddings"], np.float32), strict=True))
        return np.stack([rows[key] for key in ids])

    def count(self) -> int:
        """See `VectorStore.count`."""
        return int(self._rows.count())

    def close(self) -> None:
        """See `VectorStore.close`."""
        cast(Any, self._client).close()


def _chroma_client(folder: Path, url: str | None) -> "ClientAPI":
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    if url is None:
        folder.mkdir(parents=True, exist_ok=True)
        return chromadb.PersistentClient(str(folder), settings=settings)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadInput(f"Chroma URL {url!r} is not http://host:port; set MEDMPT_CHROMA_URL")
    try:
        return chromadb.HttpClient(host=parts.hostname, port=parts.port or 8000, ssl=parts.scheme == "https", settings=settings)
    except ValueError as error:
        raise Unavailable(
            f"no Chroma server answers at {url!r}; start one with `chroma run --path DIR` or unset MEDMPT_CHROMA_URL"
        ) from error


def _chroma_where(where: Sequence[Condition]) -> dict[str, Any] | None:
    names = {"==": "$eq", ">=": "$gte", "<=": "$lte"}
    tests: list[dict[str, Any]] = [{c.field: {names[c.op]: c.value}} for c in where]
    if not tests:
        return None
    return tests[0] if len(tests) == 1 else {"$and": tests}


class FaissStore:
    """Inner products in memory (FAISS flat index) with metadata columns beside it; `close` writes the folder.

    Exact, except that from `FAISS_FROM` rows on `close` builds a coarse index, which names the rows to compare when no filter or
    a weak one is given. A change drops it until the next `close`.
    """

    def __init__(self, folder: Path) -> None:
        """Open `folder`, or start empty when it does not exist."""
        self._folder = folder
        self._ids: list[str] = []
        self._position: dict[str, int] = {}
        self._metadata: list[dict[str, Value]] = []
        self._columns: dict[str, NDArray[Any]] = {}
        self._index: Any = None
        self._coarse: Coarse | None = None
        self._dirty = False
        if (folder / "rows.json").exists():
            import faiss

            rows = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
            self._ids, self._metadata = rows["ids"], rows["metadata"]
            self._index = faiss.read_index(str(folder / "vectors.faiss"))
            self._coarse = Coarse.read(folder / "coarse.faiss")
            self._refresh()

    def add(self, ids: Sequence[str], vectors: Vectors, metadata: Sequence[Metadata]) -> None:
        """See `VectorStore.add`."""
        import faiss

        self.delete([key for key in ids if key in self._position])
        if self._index is None:
            self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(np.ascontiguousarray(vectors, np.float32))
        self._ids.extend(ids)
        self._metadata.extend(dict(m) for m in metadata)
        self._refresh()
        self._coarse, self._dirty = None, True

    def delete(self, ids: Sequence[str]) -> None:
        """See `VectorStore.delete`."""
        gone = sorted(self._position[key] for key in ids if key in self._position)
        if not gone:
            return
        self._index.remove_ids(np.asarray(gone, np.int64))
        dropped = set(gone)
        self._ids = [key for i, key in enumerate(self._ids) if i not in dropped]
        self._metadata = [m for i, m in enumerate(self._metadata) if i not in dropped]
        self._refresh()
        self._coarse, self._dirty = None, True

    def query(self, vector: Vectors, k: int, where: Sequence[Condition] = ()) -> list[tuple[str, float]]:
        """See `VectorStore.query`."""
        import faiss

        if not self._ids:
            return []
        query = np.ascontiguousarray(vector, np.float32)[None, :]
        selector = None
        allowed = len(self._ids)
        if where:
            mask = self._mask(where)
            allowed = int(mask.sum())
            bits = np.packbits(mask, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
        k = min(k, allowed)
        if k == 0:
            return []
        if self._coarse is not None and allowed >= WEAK * len(self._ids):
            near = self._coarse.nearest(query, min(2 * k, allowed), selector)
            if len(near) >= k:
                return self._ranked(query[0], near, k)
        parameters = faiss.SearchParameters(sel=selector) if selector is not None else None  # type: ignore[call-arg]
        cosines, rows = self._index.search(query, k, params=parameters)
        return [(self._ids[row], float(cosine)) for row, cosine in zip(rows[0], cosines[0], strict=True) if row >= 0]

    def _ranked(self, query: Vectors, rows: NDArray[np.int64], k: int) -> list[tuple[str, float]]:
        """The best `k` of `rows` by exact product."""
        cosines = self._index.reconstruct_batch(rows) @ query
        return [(self._ids[rows[i]], float(cosines[i])) for i in np.argsort(-cosines, kind="stable")[:k]]

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """See `VectorStore.vectors`."""
        return np.stack([self._index.reconstruct(self._position[key]) for key in ids])

    def count(self) -> int:
        """See `VectorStore.count`."""
        return len(self._ids)

    def close(self) -> None:
        """See `VectorStore.close`."""
        if not self._dirty or self._index is None:
            return
        import faiss

        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "coarse.faiss").unlink(missing_ok=True)
        if len(self._ids) >= FAISS_FROM:
            self._coarse = Coarse.build(self._index.reconstruct_n(0, len(self._ids)))
        for name, write in (
            ("vectors.faiss", lambda path: faiss.write_index(self._index, path)),
            ("rows.json", lambda path: Path(path).write_text(json.dumps({"ids": self._ids, "metadata": self._metadata}), encoding="utf-8")),
        ):
            write(str(self._folder / f"{name}.part"))
            os.replace(self._folder / f"{name}.part", self._folder / name)
        if self._coarse is not None:
            self._coarse.write(str(self._folder / "coarse.faiss.part"))
            os.replace(self._folder / "coarse.faiss.part", self._folder / "coarse.faiss")
        self._dirty = False

    def _refresh(self) -> None:
        self._position = {key: i for i, key in enumerate(self._ids)}
        fields = set().union(*self._metadata) if self._metadata else set()
        self._columns = {field: np.asarray([m.get(field) for m in self._metadata]) for field in fields}

    def _mask(self, where: Sequence[Condition]) -> NDArray[np.bool_]:
        mask = np.ones(len(self._ids), bool)
        for condition in where:
            column = self._columns.get(condition.field)
            if column is None:
                return np.zeros(len(self._ids), bool)
            if condition.op == "==":
                mask &= column == condition.value
            else:
                mask &= (column >= condition.value) if condition.op == ">=" else (column <= condition.value)
        return mask
