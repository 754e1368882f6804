"""Search over 100,000 generated passages with a metadata filter: product store against plain Chroma, bm25s against rank_bm25.

    python benchmarks/search_speed.py [--passages 100000] [--queries 200] [--product-only] [--embeddings FILE] [--json]

Vectors are generated (clusters on the sphere, 384 numbers each), texts are drawn from a Zipf vocabulary; all is measured in one run.
Embedding of a question is timed apart.
"""

import argparse
import json
import operator
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi

from retrieval.evaluation.rankers import own_questions
from retrieval.index.candidates import POOL
from retrieval.index.coarse import Coarse
from retrieval.index.embed import Vectors, load_embedder
from retrieval.index.lexical import LexicalIndex
from retrieval.index.store import ChromaStore, Condition, FaissStore, Metadata, VectorStore, open_store

# No filter, one that two of three passages pass, and one that three of a hundred pass.
FILTERS: dict[str, tuple[Condition, ...]] = {
    "unfiltered": (),
    "weakly_filtered": (Condition("current", "==", True),),
    "filtered": (Condition("year", ">=", 2020), Condition("topic", "==", "topic-3")),
}


def say(text: str) -> None:
    """Progress on stderr."""
    print(text, file=sys.stderr, flush=True)


def vectors(n: int, seed: int) -> Vectors:
    """Unit vectors around 500 centres, `(n, 384)` float32."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(500, 384))
    rows = (centres[rng.integers(0, 500, n)] + 0.7 * rng.normal(size=(n, 384))).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def texts(n: int, seed: int, words: int) -> list[list[str]]:
    """Token lists from a Zipf vocabulary of about 30,000 words."""
    rng = np.random.default_rng(seed)
    return [[f"w{w}" for w in row] for row in np.minimum(rng.zipf(1.3, size=(n, words)), 30_000)]


def timed(run: Callable[[int], object], times: int) -> dict[str, float]:
    """Median and 95th percentile of `run(i)` in milliseconds, after three warm-up calls."""
    for i in range(3):
        run(i)
    spent: list[float] = []
    for i in range(times):
        start = time.perf_counter()
        run(i)
        spent.append((time.perf_counter() - start) * 1000)
    return {"median_ms": round(float(np.median(spent)), 2), "p95_ms": round(float(np.quantile(spent, 0.95)), 2), "queries": times}


def admitted(metadata: Sequence[Metadata], where: Sequence[Condition]) -> NDArray[np.bool_]:
    """Which rows pass, by plain Python."""
    tests = {"==": operator.eq, ">=": operator.ge, "<=": operator.le}
    return np.asarray([all(tests[c.op](m[c.field], c.value) for c in where) for m in metadata])


def recall(store: VectorStore, base: Vectors, queries: Vectors, where: Sequence[Condition], allowed: NDArray[np.bool_]) -> float:
    """Share of the exact ten nearest allowed rows that the store returns."""
    found = 0
    for query in queries:
        cosines = np.where(allowed, base @ query, -2.0)
        exact = {f"p{i}" for i in np.argsort(-cosines)[:10]}
        found += len(exact & {key for key, _ in store.query(query, 10, where)})
    return round(found / (10 * len(queries)), 4)


def stores(n: int, times: int, folder: Path, product_only: bool) -> dict[str, dict[str, float | str]]:
    """Build and query the stores with the same rows and the same filters; 100 neighbours each, as the product asks for."""
    base, queries = vectors(n, 1), vectors(times + 3, 2)
    metadata: list[Metadata] = [{"year": 2000 + i % 26, "topic": f"topic-{i % 7}", "current": i % 3 > 0} for i in range(n)]
    chosen = open_store(folder / "product", n)
    known: dict[str, VectorStore] = {f"product ({type(chosen).__name__})": chosen}
    if not product_only:
        known["plain Chroma"] = ChromaStore(folder / "plain")
    out: dict[str, dict[str, float | str]] = {}
    for name, store in known.items():
        start = time.perf_counter()
        for first in range(0, n, 10_000):
            part = slice(first, first + 10_000)
            store.add([f"p{i}" for i in range(n)[part]], base[part], metadata[part])
            say(f"{name}: {min(first + 10_000, n)} of {n} rows, {time.perf_counter() - start:.0f} s")
        if isinstance(store, FaissStore):
            store.close()
        out[name] = {"build_s": round(time.perf_counter() - start, 1)}
        for label, where in FILTERS.items():
            figures = timed(lambda i, store=store, where=where: store.query(queries[i], POOL, where), times)
            out[name] |= {f"{label}_{k}": v for k, v in figures.items()}
            out[name][f"{label}_recall_at_10"] = recall(store, base, queries[:20], where, admitted(metadata, where))
    return out


def lexical(n: int, times: int, product_only: bool) -> dict[str, dict[str, float]]:
    """bm25s, as the product uses it, against rank_bm25 on the same tokens; all scores of all rows each time."""
    rows, queries = texts(n, 3, 60), texts(times + 3, 4, 8)
    start = time.perf_counter()
    index = LexicalIndex.build(rows)
    built = time.perf_counter() - start
    ours = timed(lambda i: index.scores(queries[i]), times)
    say("bm25s done")
    if product_only:
        return {"bm25s": {"build_s": round(built, 1), **ours}}
    start = time.perf_counter()
    theirs = BM25Okapi(rows)
    their_build = time.perf_counter() - start
    few = timed(lambda i: theirs.get_scores(queries[i]), min(times, 15))
    return {"bm25s": {"build_s": round(built, 1), **ours}, "rank_bm25": {"build_s": round(their_build, 1), **few}}


def embedding(times: int) -> dict[str, float]:
    """One question through MiniLM, each a new one."""
    model = load_embedder("minilm")
    return timed(lambda i: model.encode([f"How long should anticoagulation go on after pulmonary embolism number {i}?"]), times)


def real_recall(cache: Path) -> dict[str, float]:
    """Recall@10 of the coarse index on the vectors of an embedding cache (generated ones are easier), asked our own questions."""
    with closing(sqlite3.connect(f"file:{cache}?mode=ro", uri=True)) as db:
        base = np.stack([np.frombuffer(blob, np.float32) for (blob,) in db.execute("SELECT vector FROM vectors")])
    model, coarse = load_embedder("minilm"), Coarse.build(base)
    shares: list[float] = []
    for _, question, _ in own_questions()[::3]:
        query = model.encode([question])
        cosines = base @ query[0]
        near = coarse.nearest(query, 20)
        shares.append(len(set(np.argsort(-cosines)[:10]) & set(near[np.argsort(-cosines[near])[:10]])) / 10)
    return {"vectors": len(base), "questions": len(shares), "recall_at_10": round(float(np.mean(shares)), 4)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--product-only", action="store_true", help="leave plain Chroma and rank_bm25 out")
    parser.add_argument("--embeddings", type=Path, help="minilm-128.sqlite of the cache of `medmpt eval retrieval`: recall on real vectors")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        result = {
            "passages": options.passages,
            "question_embedding": embedding(min(options.queries, 50)),
            "stores": stores(options.passages, options.queries, Path(folder), options.product_only),
            "lexical": lexical(options.passages, options.queries, options.product_only),
        }
    if options.embeddings:
        result["real_vectors"] = real_recall(options.embeddings)
    print(json.dumps(result, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
