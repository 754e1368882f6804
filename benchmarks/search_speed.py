"""Search over 100,000 generated passages with a metadata filter: product store against plain Chroma, bm25s against rank_bm25.

    python benchmarks/search_speed.py [--passages 100000] [--queries 200] [--json]

Vectors are generated (clusters on the sphere, 384 numbers each), texts are drawn from a Zipf vocabulary; all is measured in one run.
Embedding of a question is timed apart.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi

from retrieval.embed import Vectors, load_embedder
from retrieval.lexical import LexicalIndex
from retrieval.store import ChromaStore, Condition, FaissStore, VectorStore, open_store

WHERE = (Condition("year", ">=", 2020), Condition("topic", "==", "topic-3"))


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


def recall(store: VectorStore, base: Vectors, queries: Vectors, allowed: NDArray[np.bool_]) -> float:
    """Share of the exact ten nearest allowed rows that the store returns."""
    found = 0
    for query in queries:
        cosines = np.where(allowed, base @ query, -2.0)
        exact = {f"p{i}" for i in np.argsort(-cosines)[:10]}
        found += len(exact & {key for key, _ in store.query(query, 10, WHERE)})
    return round(found / (10 * len(queries)), 4)


def stores(n: int, times: int, folder: Path) -> dict[str, dict[str, float | str]]:
    """Build and query both stores with the same rows and the same filter."""
    base, queries = vectors(n, 1), vectors(times + 3, 2)
    metadata = [{"year": 2000 + i % 26, "topic": f"topic-{i % 7}", "current": i % 3 > 0} for i in range(n)]
    allowed = np.asarray([m["year"] >= 2020 and m["topic"] == "topic-3" for m in metadata])
    chosen = open_store(folder / "product", n)
    out: dict[str, dict[str, float | str]] = {}
    for name, store in ((f"product ({type(chosen).__name__})", chosen), ("plain Chroma", ChromaStore(folder / "plain"))):
        start = time.perf_counter()
        for first in range(0, n, 10_000):
            part = slice(first, first + 10_000)
            store.add([f"p{i}" for i in range(n)[part]], base[part], metadata[part])
            say(f"{name}: {min(first + 10_000, n)} of {n} rows, {time.perf_counter() - start:.0f} s")
        store.close() if isinstance(store, FaissStore) else None
        built = round(time.perf_counter() - start, 1)
        filtered = timed(lambda i, store=store: store.query(queries[i], 10, WHERE), times)
        plain = timed(lambda i, store=store: store.query(queries[i], 10), times)
        out[name] = {
            "build_s": built,
            **{f"filtered_{k}": v for k, v in filtered.items()},
            **{f"unfiltered_{k}": v for k, v in plain.items()},
            "filtered_recall_at_10": recall(store, base, queries[:20], allowed),
        }
    return out


def lexical(n: int, times: int) -> dict[str, dict[str, float]]:
    """bm25s, as the product uses it, against rank_bm25 on the same tokens; all scores of all rows each time."""
    rows, queries = texts(n, 3, 60), texts(times + 3, 4, 8)
    start = time.perf_counter()
    index = LexicalIndex.build(rows)
    built = time.perf_counter() - start
    ours = timed(lambda i: index.scores(queries[i]), times)
    say("bm25s done")
    start = time.perf_counter()
    theirs = BM25Okapi(rows)
    their_build = time.perf_counter() - start
    few = timed(lambda i: theirs.get_scores(queries[i]), min(times, 15))
    return {"bm25s": {"build_s": round(built, 1), **ours}, "rank_bm25": {"build_s": round(their_build, 1), **few}}


def embedding(times: int) -> dict[str, float]:
    """One question through MiniLM, each a new one."""
    model = load_embedder("minilm")
    return timed(lambda i: model.encode([f"How long should anticoagulation go on after pulmonary embolism number {i}?"]), times)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        result = {
            "passages": options.passages,
            "question_embedding": embedding(min(options.queries, 50)),
            "stores": stores(options.passages, options.queries, Path(folder)),
            "lexical": lexical(options.passages, options.queries),
        }
    print(json.dumps(result, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
