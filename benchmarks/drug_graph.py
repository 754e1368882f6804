"""Engines for a graph of Hetionet's size: load time, memory and two-hop latency, each engine in a process of its own.

Usage: python -m benchmarks.drug_graph [--queries N] [--engines csr,rustworkx,sqlite,networkx]

The graph is generated with Hetionet v1.0's figures (47,031 nodes in 11 kinds, 2,250,197 edges in 24 metaedges, heavy-tailed degrees) and
written as the files that the importer reads. All engines answer the same queries from the same files, and their answers must agree.

Measured on two shared cores (load average 9, Python 3.11, 100 queries over nodes of all kinds, answers equal):

engine              load s   peak MiB   two-hop median ms   p95 ms
csr (text files)      27.8        187                18.7       94
csr (own file)         1.6        186                12.5       77
rustworkx             23.9        498                52.6     1506
sqlite (in memory)    40.1        186                91.0     1259
networkx              70.9       1347                90.7     3255
"""

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.drugs.public_graphs.engine import KnowledgeGraph
from retrieval.drugs.public_graphs.readers import HETIONET_METAEDGES, hetionet_edges, hetionet_nodes

# Node counts by kind and the edge total of Hetionet v1.0 (Himmelstein et al., eLife 2017;6:e26726).
KINDS = {
    "Anatomy": 402,
    "Biological Process": 11381,
    "Cellular Component": 1391,
    "Compound": 1552,
    "Disease": 137,
    "Gene": 20945,
    "Molecular Function": 2884,
    "Pathway": 1822,
    "Pharmacologic Class": 345,
    "Side Effect": 5734,
    "Symptom": 438,
}
EDGES = 2_250_197
ENDS = {"A": "Anatomy", "C": "Compound", "D": "Disease", "G": "Gene", "PC": "Pharmacologic Class", "SE": "Side Effect", "S": "Symptom"}
ENDS |= {"BP": "Biological Process", "CC": "Cellular Component", "MF": "Molecular Function", "PW": "Pathway"}


def _ends(metaedge: str) -> tuple[str, str]:
    head = "PC" if metaedge.startswith("PC") else metaedge[0]
    tail = next(code for code in ("BP", "CC", "MF", "PW", "SE", "A", "C", "D", "G", "S") if metaedge.endswith(code))
    return ENDS[head], ENDS[tail]


def generate(folder: Path, seed: int = 7) -> None:
    """Write `nodes.tsv` and `edges.sif` with Hetionet's counts and Zipf-like degrees."""
    rng = np.random.default_rng(seed)
    ids = {kind: [f"{kind}::{i}" for i in range(n)] for kind, n in KINDS.items()}
    with (folder / "nodes.tsv").open("w") as handle:
        handle.write("id\tname\tkind\n")
        handle.writelines(f"{node}\t{kind} {i}\t{kind}\n" for kind, nodes in ids.items() for i, node in enumerate(nodes))
    metaedges = sorted(HETIONET_METAEDGES)
    counts = np.floor(rng.dirichlet(np.ones(len(metaedges))) * EDGES).astype(int)
    counts[0] += EDGES - int(counts.sum())
    with (folder / "edges.sif").open("w") as handle:
        handle.write("source\tmetaedge\ttarget\n")
        for metaedge, count in zip(metaedges, counts.tolist(), strict=True):
            head, tail = (ids[kind] for kind in _ends(metaedge))
            left, right = _heavy(rng, len(head), count), _heavy(rng, len(tail), count)
            handle.writelines(f"{head[a]}\t{metaedge}\t{tail[b]}\n" for a, b in zip(left.tolist(), right.tolist(), strict=True))


def _heavy(rng: np.random.Generator, nodes: int, count: int) -> NDArray[np.int64]:
    weight = 1.0 / (np.arange(nodes) + 5.0) ** 0.7
    return rng.choice(nodes, size=count, p=weight / weight.sum()).astype(np.int64)


Query = Callable[[str], dict[str, int]]


def csr(folder: Path) -> Query:
    """The engine of the product, from the text files."""
    return KnowledgeGraph.build(hetionet_nodes(folder / "nodes.tsv"), hetionet_edges(folder / "edges.sif")).two_hops


def csr_cached(folder: Path) -> Query:
    """The engine of the product, from the file that it saves."""
    return KnowledgeGraph.load(folder / "graph.npz").two_hops


def rustworkx(folder: Path) -> Query:
    """rustworkx.PyDiGraph with labels on the edges."""
    import rustworkx as rx

    graph = rx.PyDiGraph()
    nodes = [n.id for n in hetionet_nodes(folder / "nodes.tsv")]
    index = dict(zip(nodes, graph.add_nodes_from(nodes), strict=True))
    graph.add_edges_from([(index[e.source], index[e.target], e.original) for e in hetionet_edges(folder / "edges.sif")])

    def around(at: int) -> list[int]:
        return [t for _, t, _ in graph.out_edges(at)] + [s for s, _, _ in graph.in_edges(at)]

    def query(node: str) -> dict[str, int]:
        found: dict[int, int] = {}
        for middle in around(index[node]):
            for end in around(middle):
                found[end] = found.get(end, 0) + 1
        found.pop(index[node], None)
        return {nodes[end]: n for end, n in found.items()}

    return query


def networkx(folder: Path) -> Query:
    """networkx.MultiDiGraph with labels on the edges."""
    import networkx as nx

    graph = nx.MultiDiGraph()
    graph.add_nodes_from(n.id for n in hetionet_nodes(folder / "nodes.tsv"))
    graph.add_edges_from((e.source, e.target, {"label": e.original}) for e in hetionet_edges(folder / "edges.sif"))

    def around(at: str) -> Iterator[str]:
        yield from (t for _, t in graph.out_edges(at))
        yield from (s for s, _ in graph.in_edges(at))

    def query(node: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for middle in around(node):
            for end in around(middle):
                found[end] = found.get(end, 0) + 1
        found.pop(node, None)
        return found

    return query


def sqlite(folder: Path) -> Query:
    """SQLite in memory with an index on each end."""
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE node (i INTEGER PRIMARY KEY, id TEXT UNIQUE)")
    base.executemany("INSERT INTO node (id) VALUES (?)", ((n.id,) for n in hetionet_nodes(folder / "nodes.tsv")))
    index = {name: i for i, name in base.execute("SELECT i, id FROM node")}
    base.execute("CREATE TABLE edge (s INTEGER, t INTEGER, label TEXT)")
    rows = ((index[e.source], index[e.target], e.original) for e in hetionet_edges(folder / "edges.sif"))
    base.executemany("INSERT INTO edge VALUES (?, ?, ?)", rows)
    base.execute("CREATE INDEX by_s ON edge (s, t)")
    base.execute("CREATE INDEX by_t ON edge (t, s)")
    sql = (
        "WITH mid AS (SELECT t AS n FROM edge WHERE s = ?1 UNION ALL SELECT s FROM edge WHERE t = ?1) "
        "SELECT node.id, count(*) FROM ("
        "SELECT t AS n FROM mid JOIN edge ON edge.s = mid.n UNION ALL SELECT s FROM mid JOIN edge ON edge.t = mid.n"
        ") AS ends JOIN node ON node.i = ends.n WHERE ends.n <> ?1 GROUP BY ends.n"
    )
    return lambda node: dict(base.execute(sql, (index[node],)).fetchall())


ENGINES: dict[str, Callable[[Path], Query]] = {
    "csr": csr,
    "csr_cached": csr_cached,
    "rustworkx": rustworkx,
    "sqlite": sqlite,
    "networkx": networkx,
}


def measure(engine: str, folder: Path, queries: int) -> dict[str, float | int | str]:
    """Load time in s, peak memory in MiB, two-hop latency in ms over nodes of all kinds, and a checksum of the answers."""
    nodes = [n.id for n in hetionet_nodes(folder / "nodes.tsv")]
    chosen = np.random.default_rng(11).choice(len(nodes), queries, replace=False).tolist()
    begin = time.perf_counter()
    query = ENGINES[engine](folder)
    load = time.perf_counter() - begin
    times, total = [], 0
    for at in chosen:
        begin = time.perf_counter()
        found = query(nodes[at])
        times.append((time.perf_counter() - begin) * 1000)
        total += sum(found.values()) + len(found)
    return {
        "engine": engine,
        "load_s": round(load, 2),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "two_hop_median_ms": round(float(np.median(times)), 2),
        "two_hop_p95_ms": round(float(np.percentile(times, 95)), 2),
        "checksum": total,
    }


def main() -> None:
    """Generate the graph, measure each engine in its own process, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--one", nargs=2, metavar=("ENGINE", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one[0], Path(options.one[1]), options.queries)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder)
        KnowledgeGraph.build(hetionet_nodes(folder / "nodes.tsv"), hetionet_edges(folder / "edges.sif")).save(folder / "graph.npz")
        results = []
        for engine in options.engines.split(","):
            command = [sys.executable, "-m", "benchmarks.drug_graph", "--queries", str(options.queries), "--one", engine, name]
            results.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
            print(results[-1], file=sys.stderr, flush=True)
    agree = len({r["checksum"] for r in results}) == 1
    print(
        json.dumps({"nodes": sum(KINDS.values()), "edges": EDGES, "queries": options.queries, "answers_agree": agree, "engines": results})
    )


if __name__ == "__main__":
    main()
