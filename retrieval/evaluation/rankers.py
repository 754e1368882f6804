"""Retrieval quality: recall, MRR and nDCG of BM25, dense, fused and reranked; weights by cross-validation; paired bootstrap.

Sets: our own questions over our corpus (English and Chinese apart), and MedQuAD (respiratory and general questions against all its
answers). Every figure of the fused and the reranked lists comes from weights that never saw the question's fold.
"""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.concepts.lexicon import Lexicon
from retrieval.concepts.table import sources
from retrieval.errors import BadInput
from retrieval.guidelines.asks import ASKS, read_asks
from retrieval.guidelines.passages import Guideline, Passage
from retrieval.guidelines.question import understand
from retrieval.index.answerable import SIGNS, Answerable, signs_of
from retrieval.index.candidates import gather
from retrieval.index.embed import Embedder, EmbeddingCache, MiniLM, minilm_folder
from retrieval.index.rerank import FEATURES, Features, Ranker
from retrieval.index.shard import Place, Shard, content_hash, open_shard

EVAL = Path(__file__).parents[1] / "data" / "eval"
RANKERS = ("bm25", "dense", "fused", "reranked")
FOLDS = 5
BOOTSTRAPS = 2000
_SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Judged:
    """The candidates of one question with both scores, features and relevance."""

    group: str
    question: str
    dense: NDArray[np.float64]
    lexical: NDArray[np.float64]
    features: Features
    relevant: NDArray[np.bool_]
    relevant_total: int
    named: bool = False
    units: int = 0

    @property
    def fold(self) -> int:
        """Fold of this question: fixed by its text."""
        return hashlib.sha256(self.question.encode()).digest()[0] % FOLDS


@dataclass(frozen=True)
class Figures:
    """Figures of one ranker on one group, one row per question: R@1, R@5, R@10, reciprocal rank, nDCG@10."""

    group: str
    ranker: str
    rows: NDArray[np.float64]


# Group, question, ids of the passages that answer it.
Asked = tuple[str, str, frozenset[str]]
NAMES = ("R@1", "R@5", "R@10", "MRR", "nDCG@10")


def own_questions(path: Path = EVAL / "questions.jsonl") -> list[Asked]:
    """Own set: `(group, question, ids of the passages that answer it)`; the group is `own_en` or `own_zh`."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(f"own_{row['language']}", row["question"], frozenset(row["passages"])) for row in rows]


def asks(folder: Path = ASKS, every: int = 3) -> list[Asked]:
    """Every third question of `data/asks`, groups `asks_en` and `asks_zh`: more would not move eight weights."""
    return [(f"asks_{row['lang']}", row["q"], frozenset([row["id"]])) for row in read_asks(folder)[::every]]


def no_answer_questions(path: Path = EVAL / "no_answer.jsonl") -> list[str]:
    """Questions that our corpus does not answer: other fields, made-up names, impossible editions, gibberish."""
    return [json.loads(line)["question"] for line in path.read_text(encoding="utf-8").splitlines()]


def medquad_questions(folder: Path) -> list[Asked]:
    """MedQuAD questions of `folder` in the shape of `own_questions`."""
    found: list[Asked] = []
    for group in ("respiratory", "general"):
        lines = (folder / f"medquad_{group}_dev.jsonl").read_text(encoding="utf-8").splitlines()
        found += [(f"medquad_{group}", row["question"], frozenset(row["relevant"])) for row in map(json.loads, lines)]
    return found


def medquad_shard(folder: Path, cache_dir: Path, lexicon: Lexicon, progress: Progress | None = None) -> Shard:
    """All MedQuAD answers as a shard, built once.

    Raises:
        BadInput: `folder` holds no MedQuAD corpus.
    """
    path = folder / "medquad_corpus.jsonl.gz"
    if not path.exists():
        raise BadInput(f"no medquad_corpus.jsonl.gz in {str(folder)!r}")
    embedder = MiniLM(minilm_folder())
    cache = EmbeddingCache(cache_dir / "embeddings", lambda: embedder, embedder.name)
    digest = content_hash([path, *sources()], embedder.name)
    return open_shard(Place(cache_dir / "index" / "medquad", digest), lambda: _medquad_passages(path), lexicon, cache, progress)


def _medquad_passages(path: Path) -> list[Passage]:
    guideline = Guideline("medquad", "MedQuAD", "", 2019, "", "current")
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    return [Passage(row["id"], row["id"], guideline, "", row["text"], row["text"], language="en") for row in rows]


def judge(shard: Shard, lexicon: Lexicon, embedder: Embedder, questions: Iterable[Asked]) -> list[Judged]:
    """Gather candidates and features of each question over one shard."""
    everything = np.ones(len(shard.passages), bool)
    ids = np.asarray([p.id for p in shard.passages])
    judged: list[Judged] = []
    for group, text, relevant in questions:
        question = understand(text, lexicon, shard.lexical.vocabulary, {})
        # A question that is itself among the asks must not find its passage by itself.
        found = gather(shard, question, embedder.encode([question.rendered or question.text])[0], (), everything, itself=False)
        hit = np.isin(ids[found.rows], sorted(relevant))
        judged.append(
            Judged(group, text, found.dense, found.lexical, found.features(), hit, len(relevant), bool(question.entities), question.units)
        )
    return judged


def medquad_figures(folder: Path, cache_dir: Path, progress: Progress | None = None) -> list[Figures]:
    """Figures on MedQuAD, cross-validated within each of its two sets of questions."""
    lexicon = Lexicon.load()
    embedder = MiniLM(minilm_folder())
    judged = judge(medquad_shard(folder, cache_dir, lexicon, progress), lexicon, embedder, medquad_questions(folder))
    return figures(judged)


def figures(judged: Sequence[Judged]) -> list[Figures]:
    """Figures of all rankers on all groups; fused and reranked cross-validated within each collection."""
    scores: dict[str, list[NDArray[np.float64]]] = {name: [] for name in RANKERS}
    weights = {fold: (_fit_fusion(train), fit_ranking(train)) for fold in range(FOLDS) if (train := [j for j in judged if j.fold != fold])}
    for j in judged:
        blend, ranking = weights[j.fold]
        scores["bm25"].append(j.lexical)
        scores["dense"].append(j.dense)
        scores["fused"].append(blend * j.dense + (1 - blend) * j.lexical)
        scores["reranked"].append(j.features @ ranking)
    out: list[Figures] = []
    for group in sorted({j.group for j in judged}):
        for name in RANKERS:
            rows = [_measure(s, j) for s, j in zip(scores[name], judged, strict=True) if j.group == group]
            out.append(Figures(group, name, np.asarray(rows)))
    return out


def _measure(scores: NDArray[np.float64], judged: Judged) -> tuple[float, float, float, float, float]:
    order = np.argsort(-scores, kind="stable")
    hits = judged.relevant[order]
    rank = int(np.argmax(hits)) + 1 if hits.any() else 0
    gain = float((hits[:10] / np.log2(np.arange(2, 2 + len(hits[:10])))).sum())
    ideal = float((1 / np.log2(np.arange(2, 2 + min(judged.relevant_total, 10)))).sum())
    return float(rank == 1), float(0 < rank <= 5), float(0 < rank <= 10), 1 / rank if rank else 0.0, gain / ideal


def _fit_fusion(train: Sequence[Judged]) -> float:
    """Weight of the dense score that gives the best mean reciprocal rank."""
    grid = np.linspace(0, 1, 41)
    means = [np.mean([_measure(w * j.dense + (1 - w) * j.lexical, j)[3] for j in train]) for w in grid]
    return float(grid[int(np.argmax(means))])


def fit_ranking(train: Sequence[Judged], ridge: float = 0.1) -> NDArray[np.float64]:
    """Weights that maximise the likelihood of a relevant passage being chosen among its question's candidates (softmax over the list)."""
    from scipy.optimize import minimize

    usable = [j for j in train if j.relevant.any()]
    start = np.asarray([5.0, 2.5, 4.0, 3.0, 1.5, 0.0, 1.0, -0.7, 1.5])

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total, gradient = ridge * 0.5 * float(((w - start) ** 2).sum()), ridge * (w - start)
        for j in usable:
            p = _softmax(j.features @ w)
            inside = p[j.relevant].sum()
            total -= float(np.log(inside + 1e-12))
            gradient -= (p[j.relevant] / inside) @ j.features[j.relevant] - p @ j.features
        return total, gradient

    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x, np.float64)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = np.exp(logits - logits.max())
    return np.asarray(shifted / shifted.sum())


def fit_ranker(judged: Sequence[Judged], unanswerable: Sequence[Judged], asked: Sequence[Judged], near: float = 0.98) -> Ranker:
    """Ranking weights, then their calibration to a probability, then the threshold below which none is shown.

    Args:
        judged: Questions with answers.
        unanswerable: Questions without, all of whose candidates are wrong.
        asked: Questions that other hands wrote for single passages (`data/asks`), further from the wording of the corpus.
        near: Share of `asked` whose right passage must stay above the threshold.
    """
    from sklearn.linear_model import LogisticRegression

    # Our own questions know all their passages, an ask only the one it was written for.
    ranking = _with_asks(fit_ranking([*judged, *judged, *judged, *asked]), asked)
    unknown = FEATURES.index("unknown")
    columns, labels = [], []
    for j in (*judged, *unanswerable):
        s = j.features @ ranking
        top = np.argsort(-s, kind="stable")[:10]
        columns.append(np.stack([s[top], j.features[top, unknown]], axis=1))
        labels.append(j.relevant[top])
    model = LogisticRegression(C=10.0).fit(np.concatenate(columns), np.concatenate(labels))
    scale, penalty = map(float, model.coef_[0])
    weights = ranking * scale
    weights[unknown] = min(penalty, 0.0)
    # Policy, not data: the questions accept both editions, a reader should see the current one first.
    superseded = FEATURES.index("superseded")
    weights[superseded] = min(weights[superseded], -0.5)
    ranker = Ranker(tuple(map(float, weights)), float(model.intercept_[0]), 0.0)
    return Ranker(ranker.weights, ranker.bias, float(np.quantile(_best(ranker, asked), 1 - near)))


def _with_asks(ranking: NDArray[np.float64], asked: Sequence[Judged]) -> NDArray[np.float64]:
    """The weights with that of `asks`, as a share of the dense one, that finds most right passages among the first five.

    The likelihood alone weighs it too low: without its own ask a passage is left with two that were written to ask something else.
    """
    column, dense = FEATURES.index("asks"), FEATURES.index("dense")

    def tried(share: float) -> NDArray[np.float64]:
        out = ranking.copy()
        out[column] = share * ranking[dense]
        return out

    usable = [j for j in asked if j.relevant.any()]
    found = {share: np.mean([_measure(j.features @ tried(share), j)[1] for j in usable]) for share in _SHARES}
    return tried(max(_SHARES, key=lambda share: found[share])) if usable else ranking


def fit_answerable(ranker: Ranker, answered: Sequence[Judged], unanswerable: Sequence[Judged], near: float = 0.975) -> Answerable:
    """The model of answerability: both classes weigh the same, `direct` is even odds, `near` keeps that share of the answered.

    Args:
        ranker: The fitted ranker.
        answered: Questions with a passage.
        unanswerable: Questions without.
        near: Share of the answered for which passages must at least be shown.
    """
    from sklearn.linear_model import LogisticRegression

    x = np.asarray([_signs(ranker, j) for j in (*answered, *unanswerable)])
    y = np.asarray([True] * len(answered) + [False] * len(unanswerable))
    model = LogisticRegression(C=1.0, max_iter=2000, class_weight="balanced").fit(x, y)
    weights = tuple(
        max(float(w), 0.0) if name in ("best", "dense", "focus") else float(w) for name, w in zip(SIGNS, model.coef_[0], strict=True)
    )
    fitted = Answerable(weights, float(model.intercept_[0]), 0.0, 0.5)
    sure = [fitted.probability(signs) for signs in x[y]]
    return Answerable(weights, fitted.bias, min(float(np.quantile(sure, 1 - near)), 0.5), 0.5)


def _signs(ranker: Ranker, j: Judged) -> tuple[float, ...]:
    if not len(j.features):
        return signs_of(0.0, 0.0, 0.0, j.named, j.units)
    dense, focus = j.features[:, FEATURES.index("dense")], j.features[:, FEATURES.index("focus")]
    return signs_of(float(ranker.score(j.features).max()), float(dense.max()), float(focus.max()), j.named, j.units)


def off_field_questions(path: Path = EVAL / "off_field.tsv") -> list[Asked]:
    """Questions of other fields and of daily life, in the shape of `own_questions`, group `off_field`."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [("off_field", line.split("\t")[1], frozenset()) for line in lines]


def _best(ranker: Ranker, judged: Sequence[Judged]) -> list[float]:
    """Score of the best right passage of each question that has one among its candidates."""
    return [float(ranker.score(j.features[j.relevant]).max()) for j in judged if j.relevant.any()]


Metric = tuple[float, float, float, int]


def table(results: Sequence[Figures]) -> tuple[dict[str, Metric], dict[str, Metric]]:
    """Baselines (BM25, dense) and metrics (fused, reranked), keyed `group/ranker/measure`: mean, 95 % interval, number of questions."""
    baselines: dict[str, Metric] = {}
    metrics: dict[str, Metric] = {}
    for one in results:
        for column, name in enumerate(NAMES):
            out = baselines if one.ranker in ("bm25", "dense") else metrics
            out[f"{one.group}/{one.ranker}/{name}"] = interval(one.rows[:, column])
    return baselines, metrics


def pooled(results: Sequence[Figures]) -> list[Figures]:
    """Figures of each ranker over the questions of all groups together, as the group `pooled`."""
    return [Figures("pooled", name, np.concatenate([f.rows for f in results if f.ranker == name])) for name in RANKERS]


def differences(results: Sequence[Figures]) -> dict[str, Metric]:
    """Reranked minus the best single ranker in mean reciprocal rank, by paired bootstrap over questions, for each group."""
    rows = {(f.group, f.ranker): f.rows[:, NAMES.index("MRR")] for f in results}
    out: dict[str, Metric] = {}
    for group in sorted({f.group for f in results}):
        best = max(("bm25", "dense"), key=lambda name: float(rows[group, name].mean()))
        out[f"{group}/reranked-{best}/MRR"] = interval(rows[group, "reranked"] - rows[group, best])
    return out


def interval(values: Sequence[float] | NDArray[np.float64], seed: int = 7) -> Metric:
    """Mean of `values`, its 95 % bootstrap interval, and their number."""
    data = np.asarray(values, np.float64)
    rng = np.random.default_rng(seed)
    means = data[rng.integers(0, len(data), (BOOTSTRAPS, len(data)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(data.mean()), float(low), float(high), len(data)
