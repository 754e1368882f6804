"""A shard: a set of passages with its lexical index and its vectors, built once under a content hash and opened fast afterwards."""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from retrieval.concepts.lexicon import Lexicon, normalise
from retrieval.guidelines.asks import asks_of
from retrieval.guidelines.passages import Guideline, Passage
from retrieval.index.embed import EmbeddingCache, Progress, Vectors
from retrieval.index.lexical import LexicalIndex, text_tokens
from retrieval.index.store import FAISS_FROM, Condition, Metadata, VectorStore, open_store

# Raise when tokens, fields or layout change, so that older indexes are rebuilt.
LAYOUT = 5
# A question this near to an ask is that ask.
_SAME = 0.9995
_KEEP_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Place:
    """Where a shard lives.

    Attributes:
        folder: Parent folder of this kind of shard in the cache.
        digest: Content hash: names the subfolder and the server's collection.
        chroma_url: Chroma server, or None.
    """

    folder: Path
    digest: str
    chroma_url: str | None = None

    @property
    def home(self) -> Path:
        """Folder of this shard."""
        return self.folder / self.digest


class Shard:
    """Passages in a fixed order with everything that ranks them; parts are loaded when first used, by one thread at a time."""

    def __init__(self, place: Place, passages: tuple[Passage, ...]) -> None:
        """Wrap a built shard."""
        self.place = place
        self.passages = passages
        self.row = {p.key: i for i, p in enumerate(passages)}
        self._lock = RLock()

    @cached_property
    def lexical(self) -> LexicalIndex:
        """The lexical index."""
        with self._lock:
            return LexicalIndex.load(self.place.home / "bm25", len(self.passages))

    @cached_property
    def headings(self) -> dict[str, set[int]]:
        """Concept to the rows in whose heading it stands."""
        data: dict[str, list[int]] = json.loads((self.place.home / "headings.json").read_text(encoding="utf-8"))
        return {concept: set(rows) for concept, rows in data.items()}

    @cached_property
    def store(self) -> VectorStore:
        """The vectors."""
        with self._lock:
            return _store(self.place, self.place.home, len(self.passages))

    @cached_property
    def _matrix(self) -> Vectors | None:
        """All vectors in the order of the passages, mapped from a file beside the store: an exact scan of a small shard costs less than
        opening Chroma. None on a server and for large shards, where the store answers."""
        path = self.place.home / "vectors.npy"
        if self.place.chroma_url is not None or not 0 < len(self.passages) < FAISS_FROM:
            return None
        if not path.exists():
            _keep_vectors(path, self.store.vectors([p.key for p in self.passages]))
        found: Vectors = np.load(path, mmap_mode="r")
        return found if len(found) == len(self.passages) else None

    def near(self, vector: Vectors, n: int, mask: NDArray[np.bool_], where: Sequence[Condition]) -> list[int]:
        """The `n` nearest rows of `mask`, best first; `where` is what the store itself can apply of it."""
        matrix = self._matrix
        if matrix is None:
            return [self.row[key] for key, _ in self.store.query(vector, n, where)]
        cosines = np.where(mask, matrix @ vector, -np.inf)
        return [int(r) for r in np.argsort(-cosines, kind="stable")[:n] if mask[r]]

    def cosines(self, rows: NDArray[np.int64], vector: Vectors) -> NDArray[np.float32]:
        """Cosines of some rows, in their order."""
        matrix = self._matrix
        vectors = self.store.vectors([self.passages[r].key for r in rows]) if matrix is None else matrix[rows]
        out: NDArray[np.float32] = vectors @ vector
        return out

    @cached_property
    def _asks(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Row of each question that a passage answers, in order, and its vector."""
        with np.load(self.place.home / "asks.npz") as data:
            return data["rows"], data["vectors"].astype(np.float32)

    def asked(self, vector: Vectors, itself: bool = True) -> NDArray[np.float32]:
        """Cosine of `vector` and the nearest question that each row answers, `(rows,)`; 0 where none is known.

        Without `itself` the asks that are this very question do not count.
        """
        rows, vectors = self._asks
        out = np.zeros(len(self.passages), np.float32)
        if len(rows):
            cosines = vectors @ vector
            np.maximum.at(out, rows, cosines if itself else np.where(cosines > _SAME, 0.0, cosines))
        return out

    def presence(self, token: str) -> NDArray[np.bool_]:
        """Which rows hold `token`."""
        mask = np.zeros(len(self.passages), bool)
        mask[self.lexical.rows_with(token)] = True
        return mask

    def close(self) -> None:
        """Let go of the store."""
        if "store" in self.__dict__:
            self.store.close()


def open_shard(
    place: Place, load: Callable[[], Sequence[Passage]], lexicon: Lexicon, embeddings: EmbeddingCache, progress: Progress | None = None
) -> Shard:
    """Open the shard at `place`, building it from `load()` when it is not there. Builds at the same time
    in other processes wait for the first."""
    if not (place.home / "manifest.json").exists():
        with _locked(place.folder):
            if not (place.home / "manifest.json").exists():
                _build(place, tuple(load()), lexicon, embeddings, progress)
                _sweep(place)
    records = json.loads((place.home / "passages.json").read_text(encoding="utf-8"))
    shard = Shard(place, tuple(_passage(record) for record in records))
    if not _has_vectors(shard):
        with _locked(place.folder):
            _fill(shard.store, shard.passages, lexicon, embeddings, progress)
    return shard


def _has_vectors(shard: Shard) -> bool:
    """Whether the store of these settings holds the vectors: an index that was built for another store (an image's own, a server that
    was emptied since) does not."""
    if shard.place.chroma_url is not None:
        return shard.store.count() == len(shard.passages)
    return any((shard.place.home / name).exists() for name in ("chroma", "faiss"))


def _fill(store: VectorStore, passages: Sequence[Passage], lexicon: Lexicon, embeddings: EmbeddingCache, progress: Progress | None) -> None:
    """Put the vectors of all passages into a store; they are in the cache of embeddings where they were made before."""
    if passages and store.count() != len(passages):
        vectors = embeddings.encode([dense_text(p, lexicon) for p in passages], progress)
        store.add([p.key for p in passages], vectors, [metadata(p) for p in passages])


def dense_text(passage: Passage, lexicon: Lexicon) -> str:
    """What is embedded of a passage: title, section and text; Chinese documents in the lexicon's English."""
    if passage.language == "zh":
        text = normalise(passage.text)
        return lexicon.render(text, lexicon.find(text))
    return ". ".join(part for part in (passage.guideline.title, passage.section, passage.text) if part)


def passage_tokens(passage: Passage, lexicon: Lexicon) -> list[str]:
    """What the lexical index holds of a passage: its text in both languages, its heading twice."""
    both = passage.text if passage.text_zh == passage.text else f"{passage.text} {passage.text_zh}"
    heading = text_tokens(_heading(passage), lexicon)
    return text_tokens(both, lexicon) + heading + heading


def metadata(passage: Passage) -> Metadata:
    """Fields a store can filter by."""
    g = passage.guideline
    return {"year": g.year, "topic": g.topic, "current": g.status == "current", "kind": passage.kind}


def _heading(passage: Passage) -> str:
    g = passage.guideline
    return " ".join(
        [passage.section, *passage.tags, passage.population or "", g.topic.replace("_", " ").upper(), g.title, g.issuer, str(g.year)]
    )


def _build(place: Place, passages: tuple[Passage, ...], lexicon: Lexicon, embeddings: EmbeddingCache, progress: Progress | None) -> None:
    part = place.folder / f".{place.digest}.{uuid4().hex[:8]}"
    part.mkdir(parents=True)
    LexicalIndex.build([passage_tokens(p, lexicon) for p in passages]).save(part / "bm25")
    headings: dict[str, list[int]] = {}
    for row, passage in enumerate(passages):
        for concept in set(lexicon.concepts_in(normalise(_heading(passage)))):
            headings.setdefault(concept, []).append(row)
    vectors = embeddings.encode([dense_text(p, lexicon) for p in passages], progress)
    _keep_asks(part / "asks.npz", passages, lexicon, embeddings, progress)
    store = _store(place, part, len(passages))
    if passages:
        store.add([p.key for p in passages], vectors, [metadata(p) for p in passages])
        _keep_vectors(part / "vectors.npy", vectors)
    store.close()
    _write(part / "headings.json", headings)
    _write(part / "passages.json", [asdict(p) for p in passages])
    _write(part / "manifest.json", {"layout": LAYOUT, "digest": place.digest, "passages": len(passages), "built": int(time.time())})
    os.replace(part, place.home)


def _keep_vectors(path: Path, vectors: Vectors) -> None:
    """Write the vectors beside the store; a reader sees the whole file or none."""
    part = path.with_name(f".{uuid4().hex[:8]}.npy")
    np.save(part, np.ascontiguousarray(vectors, np.float32))
    os.replace(part, path)


def _keep_asks(path: Path, passages: tuple[Passage, ...], lexicon: Lexicon, embeddings: EmbeddingCache, progress: Progress | None) -> None:
    """The vectors of the questions that the passages answer; own documents have none."""
    row = {p.id: i for i, p in enumerate(passages) if p.kind == "guideline"}
    asks = asks_of(row, lexicon)
    vectors = embeddings.encode([text for _, text in asks], progress).astype(np.float16)
    np.savez(path, rows=np.asarray([row[ident] for ident, _ in asks], np.int64), vectors=vectors)


def _store(place: Place, folder: Path, size: int) -> VectorStore:
    return open_store(folder, size, chroma_url=place.chroma_url, collection=f"medmpt-{place.folder.name}-{place.digest}")


def _sweep(place: Place) -> None:
    """Remove indexes of other contents that nobody has used for a day, and what killed builds left."""
    for other in place.folder.iterdir():
        if other.is_dir() and other != place.home and (other.name.startswith(".") or time.time() - other.stat().st_mtime > _KEEP_SECONDS):
            shutil.rmtree(other, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")


def _passage(record: dict[str, Any]) -> Passage:
    guideline = Guideline(**record.pop("guideline"))
    return Passage(guideline=guideline, **{**record, "tags": tuple(record["tags"])})


def content_hash(files: Iterable[Path], embedder: str) -> str:
    """Hash of the files' bytes, the embedder and the layout of the index; names the index."""
    digest = hashlib.sha256(f"{LAYOUT} {embedder}".encode())
    for path in files:
        digest.update(path.name.encode() + b"\0" + (path.read_bytes() if path.exists() else b""))
    return digest.hexdigest()[:16]
