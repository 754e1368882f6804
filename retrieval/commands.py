"""Commands of this room: `search`, `index ...`, `corpus lint`, `eval retrieval`. They return models; `ui/cli` prints them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, cast

import typer
from pydantic import BaseModel

from retrieval.command_results import ChangesOut, DocumentOut, EvalOut, HitOut, IndexOut, LintOut, LintProblem, ListOut, Metric, SearchOut
from retrieval.guidelines.passages import Filters, Hit

if TYPE_CHECKING:
    from retrieval.documents.ingest import Changes

# Where the benchmark stands beside a checkout; an installed copy names it with --medquad.
MEDQUAD = Path(__file__).resolve().parents[1] / "../shared/data/retrieval"


class Settings(Protocol):
    """What these commands read of `agent.settings.Settings`."""

    data_dir: Path
    cache_dir: Path
    embedder: str
    reranker: str | None
    chroma_url: str | None


def search(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="A question in English or Chinese.")],
    k: Annotated[int, typer.Option("-k", min=1, max=5, help="At most this many hits.")] = 5,
    year_from: Annotated[int | None, typer.Option(help="Only editions of this year or later.")] = None,
    year_to: Annotated[int | None, typer.Option(help="Only editions of this year or earlier.")] = None,
    issuer: Annotated[str | None, typer.Option(help="Only this issuer, for example ATS.")] = None,
    topic: Annotated[str | None, typer.Option(help="Only this topic, for example copd.")] = None,
    lang: Annotated[str | None, typer.Option(help="Only texts in this language: en or zh.")] = None,
    current_only: Annotated[bool, typer.Option("--current-only", help="Leave out superseded editions.")] = False,
) -> SearchOut:
    """Search guideline passages and imported documents."""
    from retrieval.errors import BadInput
    from retrieval.index.guideline_index import GuidelineIndex

    if lang not in (None, "en", "zh"):
        raise BadInput(f"--lang {lang!r} is neither en nor zh")
    settings = _settings(ctx)
    filters = Filters(year_from, year_to, issuer, topic, cast(Literal["en", "zh"] | None, lang), current_only)
    with progress_bar("Building the index") as progress:
        index = GuidelineIndex.open(
            settings.cache_dir,
            embedder=settings.embedder,
            reranker=settings.reranker,
            chroma_url=settings.chroma_url,
            data_dir=settings.data_dir,
            progress=progress,
        )
    result = index.search(query, k, filters)
    return SearchOut(
        status="ok" if result.hits else "empty",
        reason=result.reason[0] if result.reason else None,
        query=query,
        language=result.language,
        understood=result.rendered,
        counts=result.counts,
        hits=[_hit(hit) for hit in result.hits],
    )


def index_build(ctx: typer.Context) -> IndexOut:
    """Build the index of guidelines and imported documents, or say that it is up to date; changed documents are read again."""
    from retrieval.documents.ingest import sync

    settings = _settings(ctx)
    changes = sync(settings.data_dir)
    out = _index(settings)
    warnings = [f"{path}: {reason}" for path, reason in changes.skipped] + [f"{path}: gone, left the index" for path in changes.removed]
    return out.model_copy(update={"warnings": warnings, "status": "partial" if changes.skipped else "ok"})


def index_status(ctx: typer.Context) -> IndexOut:
    """Say what is in the index, without building it."""
    from retrieval.documents.ingest import documents
    from retrieval.index.guideline_index import guideline_place

    settings = _settings(ctx)
    if not (guideline_place(settings.cache_dir, settings.embedder, settings.chroma_url).home / "manifest.json").exists():
        return IndexOut(
            status="unavailable",
            reason="the index of this corpus is not built; run `medmpt index build`",
            passages=0,
            guidelines=0,
            documents=len(documents(settings.data_dir)),
            embedder=settings.embedder,
            store=settings.chroma_url or "embedded",
            cache_dir=str(settings.cache_dir),
        )
    return _index(settings)


def index_add(
    ctx: typer.Context, paths: Annotated[list[Path], typer.Argument(help="PDF, HTML, Markdown, DOCX or text, or folders of them.")]
) -> ChangesOut:
    """Take own documents into the index."""
    from retrieval.documents.ingest import add

    settings = _settings(ctx)
    with progress_bar("Reading documents") as progress:
        changes = add(settings.data_dir, paths, progress)
    return _changes(settings, changes)


def index_remove(
    ctx: typer.Context, path: Annotated[Path, typer.Argument(help="A document or folder as `index list` shows it.")]
) -> ChangesOut:
    """Take own documents out of the index."""
    from retrieval.documents.ingest import remove

    settings = _settings(ctx)
    return _changes(settings, remove(settings.data_dir, path))


def index_list(ctx: typer.Context) -> ListOut:
    """List own documents."""
    from retrieval.documents.ingest import documents

    found = [DocumentOut(title=d.title, path=d.path, year=d.year, pieces=len(d.pieces)) for d in documents(_settings(ctx).data_dir)]
    return ListOut(
        status="ok" if found else "empty", reason=None if found else "no document was added; `medmpt index add PATH`", documents=found
    )


def corpus_lint(
    folder: Annotated[Path | None, typer.Argument(help="Folder of TOML files; default: the corpus that ships.")] = None,
    warnings: Annotated[bool, typer.Option("--warnings", help="List warnings too.")] = False,
) -> LintOut:
    """Prove the shape of the guideline corpus; exit code 1 when a rule is broken."""
    from retrieval.guidelines.corpus import GUIDELINES, read_corpus

    corpus, problems = read_corpus(folder or GUIDELINES)
    errors = [p for p in problems if p.level == "error"]
    topics: dict[str, int] = {}
    for passage in corpus.passages:
        topics[passage.guideline.topic] = topics.get(passage.guideline.topic, 0) + 1
    shown = problems if warnings else errors
    empty = not corpus.passages
    return LintOut(
        status="error" if errors or empty else "ok",
        reason=f"{len(errors)} faults in the corpus" if errors else "no passage in the folder" if empty else None,
        warnings=[f"{len(problems) - len(errors)} warnings; list them with --warnings"]
        if len(problems) > len(errors) and not warnings
        else [],
        guidelines=len(corpus.guidelines),
        passages=len(corpus.passages),
        topics=dict(sorted(topics.items())),
        conflicts=len(corpus.conflicts),
        problems=[LintProblem(file=p.file, row=p.row, what=p.what, level=p.level) for p in shown],
    )


def eval_retrieval(
    ctx: typer.Context,
    medquad: Annotated[Path | None, typer.Option(help="Folder with medquad_corpus.jsonl.gz and the question files.")] = None,
    fit: Annotated[
        bool,
        typer.Option("--fit", help="Fit ranking, thresholds and the model of unknown subjects; writes data/ranker.json, strange.json."),
    ] = False,
) -> EvalOut:
    """Measure retrieval: BM25, dense, fused and reranked on our own questions and on MedQuAD."""
    from retrieval.evaluation import rankers as evaluate
    from retrieval.evaluation import sentences, strange
    from retrieval.guidelines.asks import read_asks
    from retrieval.index.guideline_index import GuidelineIndex

    settings = _settings(ctx)
    folder = medquad or MEDQUAD
    warnings: list[str] = []
    with progress_bar("Embedding") as progress:
        index = GuidelineIndex.open(settings.cache_dir, progress=progress)
        judged = evaluate.judge(*index.rankers, evaluate.own_questions())
        results = evaluate.figures(judged)
        if fit:
            nothing = evaluate.judge(*index.rankers, [("none", q, frozenset()) for q in evaluate.no_answer_questions()])
            asked = evaluate.judge(*index.rankers, evaluate.asks())
            ranker = evaluate.fit_ranker(judged, nothing, asked)
            ranker.save(fitted_on=f"{len(judged)} own questions, three times, and {len(asked)} asks", passages=len(index.passages()))
            off = evaluate.judge(*index.rankers, evaluate.off_field_questions())
            answered = [*judged, *asked]
            notes = f"{len(answered)} questions with a passage, {len(off)} of other fields"
            evaluate.fit_answerable(ranker, answered, off).save(fitted_on=notes, passages=len(index.passages()))
            labelled = list(strange.examples(read_asks(), index.passages(), index.lexicon, index.vocabulary))
            strange.save(strange.fit_subjects(labelled), labelled)
            idf = sentences.idf_of(index.passages())
            rows = list(sentences.labelled(read_asks(), index.passages(), idf))
            sentences.save(sentences.fit_selector(rows, idf), rows)
            index = GuidelineIndex.open(settings.cache_dir)
        if folder.is_dir():
            results += evaluate.medquad_figures(folder, settings.cache_dir, progress)
        else:
            warnings.append(f"MedQuAD was left out: no folder {folder.name!r} there; name it with --medquad")
    nowhere = [index.search(question) for question in evaluate.no_answer_questions()]
    empty, direct = [float(not r.hits) for r in nowhere], [float(r.direct) for r in nowhere]
    shown = [float(any(h.passage.id in ids for h in index.search(question).hits)) for _, question, ids in evaluate.own_questions()]
    results += evaluate.pooled(results)
    baselines, metrics = evaluate.table(results)
    metrics |= evaluate.differences(results)
    metrics |= {"no_answer/search/empty": evaluate.interval(empty), "no_answer/search/taken_for_an_answer": evaluate.interval(direct)}
    metrics |= {"own/search/answered_in_hits": evaluate.interval(shown)}
    return EvalOut(warnings=warnings, metrics=_metrics(metrics), baselines=_metrics(baselines))


def _metrics(found: dict[str, tuple[float, float, float, int]]) -> dict[str, Metric]:
    return {name: Metric(value=round(v, 4), low=round(low, 4), high=round(high, 4), n=n) for name, (v, low, high, n) in found.items()}


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr that appears only when there is something to do and someone is looking."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        tasks: list[int] = []

        def update(done: int, total: int) -> None:
            if not tasks:
                tasks.append(progress.add_task(label, total=total))
            progress.update(progress.tasks[0].id, completed=done, total=total)

        yield update


def _index(settings: Settings) -> IndexOut:
    from retrieval.index.guideline_index import GuidelineIndex

    with progress_bar("Embedding passages") as progress:
        index = GuidelineIndex.open(
            settings.cache_dir, embedder=settings.embedder, chroma_url=settings.chroma_url, data_dir=settings.data_dir, progress=progress
        )
    passages = index.passages()
    guidelines = [p for p in passages if p.kind == "guideline"]
    return IndexOut(
        passages=len(guidelines),
        guidelines=len({p.guideline.id for p in guidelines}),
        documents=len({p.guideline.id for p in passages if p.kind == "document"}),
        embedder=settings.embedder,
        store=settings.chroma_url or "embedded",
        cache_dir=str(settings.cache_dir),
    )


def _changes(settings: Settings, changes: "Changes") -> ChangesOut:
    from retrieval.documents.ingest import documents

    _index(settings)
    skipped = dict(changes.skipped)
    return ChangesOut(
        status="partial" if skipped else "ok",
        reason=f"{len(skipped)} not read" if skipped else None,
        added=changes.added,
        replaced=changes.replaced,
        unchanged=changes.unchanged,
        removed=changes.removed,
        skipped=skipped,
        pieces=sum(len(d.pieces) for d in documents(settings.data_dir)),
    )


def _settings(ctx: typer.Context) -> Settings:
    return cast(Settings, ctx.obj)


def _hit(hit: Hit) -> HitOut:
    p = hit.passage
    return HitOut(
        key=p.key,
        id=p.id,
        kind=p.kind,
        text=p.text,
        text_zh=p.text_zh,
        score=hit.score,
        source=p.source,
        year=p.guideline.year,
        locator=p.locator,
        strength=p.strength,
        certainty=p.certainty,
        population=p.population,
        superseded_by=hit.superseded_by,
        successor=hit.successor,
        conflicts=list(hit.conflicts),
    )


COMMANDS: dict[str, Callable[..., BaseModel]] = {
    "search": search,
    "index build": index_build,
    "index status": index_status,
    "index add": index_add,
    "index remove": index_remove,
    "index list": index_list,
    "corpus lint": corpus_lint,
    "eval retrieval": eval_retrieval,
}
