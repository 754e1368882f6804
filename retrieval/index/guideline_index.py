"""Search over the guideline corpus and the hospital's own documents: two rankers, feature reranking, calibrated threshold."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from threading import RLock

import numpy as np
from numpy.typing import NDArray

from retrieval.concepts.lexicon import Lexicon
from retrieval.concepts.table import sources as vocabulary_files
from retrieval.documents.ingest import open_documents
from retrieval.errors import BadInput
from retrieval.guidelines.asks import ASKS
from retrieval.guidelines.corpus import GUIDELINES, corpus_files, load_corpus
from retrieval.guidelines.countries import at_home, of_country
from retrieval.guidelines.narrowing import admits, conditions, describe
from retrieval.guidelines.passages import Filters, Hit, Passage, SearchResult
from retrieval.guidelines.question import Question, issuer_names, understand
from retrieval.guidelines.sizes import shift, size_of
from retrieval.index.answerable import Answerable, signs_of
from retrieval.index.candidates import gather
from retrieval.index.cross import READ, CrossEncoderReranker, cross_encoder_folder
from retrieval.index.embed import Embedder, EmbeddingCache, Progress, load_embedder
from retrieval.index.rerank import FEATURES, Ranker, newer_first
from retrieval.index.shard import Place, Shard, content_hash, open_shard
from retrieval.index.silence import filtered_out, nearest, no_edition, nothing_fits, unknown_name
from retrieval.messages.catalogue import Pair

# More than five passages dilute what a language model is given (issue text: "few and relevant").
MOST_HITS = 5
_ALL = 0.999


@dataclass(frozen=True)
class Scored:
    """One candidate with its score; `near` when it speaks of everything that the question names, whatever the score."""

    passage: Passage
    score: float
    near: bool = False
    dense: float = 0.0
    focus: float = 0.0


class GuidelineIndex:
    """The door to guideline passages and documents."""

    def __init__(
        self,
        shards: tuple[Shard, ...],
        conflicts: dict[str, tuple[str, ...]],
        lexicon: Lexicon,
        embedder: Callable[[], Embedder],
        reranker: Path | None = None,
    ) -> None:
        """Assemble an index from opened shards; use `open`."""
        self._shards = shards
        self._conflicts = conflicts
        self.lexicon = lexicon
        self._load_embedder = embedder
        self._reranker = reranker
        self._lock = RLock()
        self._ranker = Ranker.load()
        self._answerable = Answerable.load()

    @classmethod
    def open(
        cls,
        cache_dir: Path,
        *,
        embedder: str = "minilm",
        reranker: str | None = None,
        chroma_url: str | None = None,
        data_dir: Path | None = None,
        corpus_dir: Path = GUIDELINES,
        progress: Progress | None = None,
    ) -> "GuidelineIndex":
        """Open the index, building what is missing or stale.

        Args:
            cache_dir: For the index and the embeddings.
            embedder: `minilm`, `hashing`, or the path of a sentence-transformers folder.
            reranker: Path of a sentence-transformers cross-encoder that reorders the best hits; None for none.
            chroma_url: `http://host:port` of a Chroma server; None for the embedded store.
            data_dir: Where imported documents live; None leaves them out.
            corpus_dir: Folder of the guideline corpus.
            progress: Called with (embedded, total) while building.

        Raises:
            BadInput: the corpus or the embedder's name is wrong.
            Unavailable: there is no model in the folder of the reranker.
        """
        folder = cross_encoder_folder(reranker)
        lexicon = Lexicon.load()
        load = _Once(embedder)
        embeddings = EmbeddingCache(cache_dir / "embeddings", load, embedding_name(embedder))
        place = guideline_place(cache_dir, embedder, chroma_url, corpus_dir)
        shards = [open_shard(place, lambda: load_corpus(corpus_dir).passages, lexicon, embeddings, progress)]
        if data_dir is not None:
            documents = open_documents(data_dir, cache_dir, embedder, chroma_url, lexicon, embeddings, progress)
            shards += [documents] if documents is not None else []
        return cls(tuple(shards), _conflict_keys(corpus_dir), lexicon, load, folder)

    def passages(self) -> tuple[Passage, ...]:
        """All passages, guidelines first."""
        return tuple(p for shard in self._shards for p in shard.passages)

    def passage(self, key: str) -> Passage | None:
        """The passage with this key, or None."""
        return next((shard.passages[shard.row[key]] for shard in self._shards if key in shard.row), None)

    def close(self) -> None:
        """Let go of the stores' files."""
        for shard in self._shards:
            shard.close()

    def search(self, query: str, k: int = 5, filters: Filters = Filters()) -> SearchResult:  # noqa: B008 (frozen)
        """Find passages that answer `query`.

        Args:
            query: A question in English or Chinese.
            k: At most this many hits, and never more than five.
            filters: Narrowing; a narrower filter never brings more hits.

        Raises:
            BadInput: empty query, or `k` below 1.
        """
        if not query.strip() or k < 1:
            raise BadInput(f"a search needs a question and k of at least 1, got {query!r:.80} and k={k}")
        question = understand(query, self.lexicon, self.vocabulary, self._issuers, self._written)
        counts = {"passages": sum(len(s.passages) for s in self._shards)}
        allowed, reason = self._allowed(question, filters)
        counts["after_filters"] = sum(int(mask.sum()) for mask in allowed)
        reason = reason or unknown_name(question)
        ranked: list[Scored] = []
        direct = False
        if reason is None:
            ranked = self._rank(question, allowed, filters)
            counts["candidates"] = len(ranked)
            sure = self._answerable.probability(_signs(question, ranked))
            direct = sure >= self._answerable.direct
            ranked = [s for s in ranked if sure >= self._answerable.near and (s.near or s.score >= self._ranker.threshold)]
            counts["above_threshold"] = len(ranked)
            ranked = self._reread(question, ranked)
            direct = direct and bool(ranked)
            reason = self._why_empty(question) if not ranked else None if direct else nearest()
        hits = tuple(self._hit(s, ranked) for s in ranked[: min(k, MOST_HITS)])
        counts["returned"] = len(hits)
        return SearchResult(query, question.language, question.rendered, filters, hits, counts, reason, direct, question.names)

    def _why_empty(self, question: Question) -> Pair:
        absent = [*question.unknown, *(name for name in question.entities if "c:" + name not in self.vocabulary)]
        return nothing_fits(absent)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """All tokens of the index."""
        return frozenset().union(*(shard.lexical.vocabulary for shard in self._shards))

    def _written(self, name: str) -> bool:
        """Whether a word or a Chinese name stands in a passage."""
        return any(name in text for text in self._texts)

    @cached_property
    def _texts(self) -> tuple[str, ...]:
        passages = [p for shard in self._shards for p in shard.passages]
        return (*(p.text.lower() for p in passages), *(p.text_zh for p in passages))

    @cached_property
    def _issuers(self) -> dict[str, set[str]]:
        return issuer_names([p.guideline for p in self.passages() if p.kind == "guideline"])

    def _allowed(self, question: Question, filters: Filters) -> tuple[list[NDArray[np.bool_]], Pair | None]:
        """Rows of each shard that filters and named edition admit, and why there are none."""
        masks = [np.fromiter((admits(p, filters) for p in s.passages), bool, len(s.passages)) for s in self._shards]
        if not any(mask.any() for mask in masks):
            return masks, filtered_out(describe(filters))
        edition = self._edition(question)
        if edition is None:
            return masks, None
        named = [np.fromiter((p.guideline.id in edition for p in s.passages), bool, len(s.passages)) for s in self._shards]
        masks = [mask & name for mask, name in zip(masks, named, strict=True)]
        if any(mask.any() for mask in masks):
            return masks, None
        years = sorted({p.guideline.year for p in self.passages() if p.kind == "guideline" and self._issued_by(p, question.issuers)})
        return masks, no_edition(question.issuers, question.year, years)

    def _edition(self, question: Question) -> set[str] | None:
        """Ids of guidelines of the edition the question names; None when it names none."""
        guidelines = {p.guideline.id: p.guideline for p in self.passages() if p.kind == "guideline"}
        newest = max((g.year for g in guidelines.values()), default=0)
        asks = question.issuers or "recommendation" in question.concepts or (question.year or 0) > newest
        if question.year is None or not asks:
            return None
        ids = set().union(*(self._issuers[name] for name in question.issuers)) if question.issuers else set(guidelines)
        return {i for i in ids if guidelines[i].year == question.year}

    def _issued_by(self, passage: Passage, issuers: Collection[str]) -> bool:
        return not issuers or any(passage.guideline.id in self._issuers[name] for name in issuers)

    @property
    def rankers(self) -> tuple[Shard, Lexicon, Embedder]:
        """What ranks the guideline passages, before any threshold: for the evaluation."""
        return self._shards[0], self.lexicon, self._embedder

    def _named(self, question: Question, passages: Sequence[Passage]) -> list[float]:
        """1 where the question names the passage's issuer or its country, -1 where it names another, else 0."""
        if not question.issuers:
            return of_country(question.countries, [p.guideline.issuer if p.kind == "guideline" else "" for p in passages])
        return [1.0 if self._issued_by(p, question.issuers) else -1.0 for p in passages]

    def _rank(self, question: Question, allowed: list[NDArray[np.bool_]], filters: Filters) -> list[Scored]:
        vector = self._embedder.encode([question.rendered or question.text])[0]
        size = size_of(question.text)
        scored: list[Scored] = []
        for shard, mask in zip(self._shards, allowed, strict=True):
            if mask.any():
                with self._lock:
                    found = gather(shard, question, vector, conditions(filters), mask)
                named = self._named(question, [shard.passages[row] for row in found.rows])
                rows, features = found.rows, found.features(named)
                spoken = features[:, FEATURES.index("entities")] if question.entities else np.zeros(len(rows))
                on_topic = spoken > 0 if question.entities else np.ones(len(rows), bool)
                rows, features, near = rows[on_topic], features[on_topic], spoken[on_topic] > _ALL
                passages = [shard.passages[row] for row in rows]
                home = partial(at_home, question.language, question.countries | frozenset(question.issuers))
                scores = self._ranker.score(features, [shift(size, p) + home(p.guideline.issuer) for p in passages])
                dense, focus = features[:, FEATURES.index("dense")], features[:, FEATURES.index("focus")]
                rows_of = zip(passages, scores, near, dense, focus, strict=True)
                scored += [Scored(p, float(s), bool(n), float(d), float(f)) for p, s, n, d, f in rows_of]
        ranked = sorted(scored, key=lambda s: (-s.score, s.passage.id))
        return ranked if size is None else newer_first(ranked)

    def _reread(self, question: Question, ranked: list[Scored]) -> list[Scored]:
        """The best `READ` in the order of the cross-encoder, with its scores; unchanged without one.

        Membership is settled before, so that narrowing filters still never add hits; what it does not read is not shown.
        """
        if self._cross is None:
            return ranked
        best = ranked[:READ]
        scores = self._cross.score(question, [s.passage for s in best])
        read = [replace(s, score=float(score)) for s, score in zip(best, scores, strict=True)]
        return sorted(read, key=lambda s: (-s.score, s.passage.id)) + ranked[READ:]

    @cached_property
    def _cross(self) -> CrossEncoderReranker | None:
        with self._lock:
            return CrossEncoderReranker(self._reranker, self.lexicon) if self._reranker is not None else None

    @cached_property
    def _embedder(self) -> Embedder:
        with self._lock:
            return self._load_embedder()

    def _hit(self, scored: Scored, ranked: Iterable[Scored]) -> Hit:
        newer = scored.passage.guideline.superseded_by
        successor = next((s.passage.key for s in ranked if s.passage.guideline.id == newer), None) if newer else None
        conflicts = self._conflicts.get(scored.passage.key, ())
        return Hit(scored.passage, round(scored.score, 4), conflicts, newer, successor)


class _Once:
    """Loads an embedder at the first call and keeps it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loaded: Embedder | None = None
        self._lock = RLock()

    def __call__(self) -> Embedder:
        with self._lock:
            if self._loaded is None:
                self._loaded = load_embedder(self._name)
            return self._loaded


def guideline_place(cache_dir: Path, embedder: str, chroma_url: str | None = None, corpus_dir: Path = GUIDELINES) -> Place:
    """Where the shard of the guideline corpus lives."""
    corpus = [*corpus_files(corpus_dir, "*.toml"), *corpus_files(corpus_dir, "conflicts*.csv")]
    sources = [*corpus, *sorted(ASKS.glob("*.jsonl")), *vocabulary_files()]
    digest = content_hash(sources, embedder)
    return Place(cache_dir / "index" / "guidelines", digest, chroma_url)


def embedding_name(embedder: str) -> str:
    """File name of the embedding cache of an embedder setting."""
    return embedder if embedder.isidentifier() else f"{Path(embedder).name}-{hashlib.sha256(embedder.encode()).hexdigest()[:8]}"


def _conflict_keys(corpus_dir: Path) -> dict[str, tuple[str, ...]]:
    from retrieval.guidelines.corpus import read_conflicts

    pairs: dict[str, tuple[str, ...]] = {}
    for a, b in read_conflicts(corpus_dir):
        pairs[a] = (*pairs.get(a, ()), b)
        pairs[b] = (*pairs.get(b, ()), a)
    return pairs


def _signs(question: Question, ranked: Sequence[Scored]) -> tuple[float, ...]:
    """What says whether the admitted passages answer the question."""
    return signs_of(
        max((s.score for s in ranked), default=0.0),
        max((s.dense for s in ranked), default=0.0),
        max((s.focus for s in ranked), default=0.0),
        bool(question.entities),
        question.units,
    )
