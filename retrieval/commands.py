"""Commands of this room: `search`, `index ...`, `corpus lint`, `eval retrieval`. They return models; `ui/cli` prints them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, Protocol, cast

import typer
from pydantic import BaseModel

from retrieval.passages import Filters, Hit

Status = Literal["ok", "partial", "empty", "unavailable", "error"]


class Settings(Protocol):
    """What these commands read of `agent.settings.Settings`."""

    data_dir: Path
    cache_dir: Path
    embedder: str
    chroma_url: str | None


class Outcome(BaseModel):
    """Fields of every command."""

    status: Status = "ok"
    reason: str | None = None
    warnings: list[str] = []


class HitOut(BaseModel):
    """One hit in the contract's shape."""

    key: str
    id: str
    kind: str
    text: str
    text_zh: str
    score: float
    source: str
    year: int
    locator: str
    strength: str
    certainty: str
    population: str | None
    superseded_by: str | None
    successor: str | None
    conflicts: list[str]


class SearchOut(Outcome):
    """Result of `search`."""

    query: str
    language: str
    understood: str
    counts: dict[str, int]
    hits: list[HitOut]


class IndexOut(Outcome):
    """Result of `index build` and `index status`."""

    passages: int
    guidelines: int
    documents: int
    embedder: str
    store: str
    cache_dir: str


class LintProblem(BaseModel):
    """One fault of the corpus."""

    file: str
    row: str
    what: str
    level: str


class LintOut(Outcome):
    """Result of `corpus lint`."""

    guidelines: int
    passages: int
    topics: dict[str, int]
    conflicts: int
    problems: list[LintProblem]


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
    from retrieval.search import GuidelineIndex

    if lang not in (None, "en", "zh"):
        raise BadInput(f"--lang {lang!r} is neither en nor zh")
    settings = _settings(ctx)
    filters = Filters(year_from, year_to, issuer, topic, cast(Literal["en", "zh"] | None, lang), current_only)
    with progress_bar("Building the index") as progress:
        index = GuidelineIndex.open(
            settings.cache_dir, embedder=settings.embedder, chroma_url=settings.chroma_url, data_dir=settings.data_dir, progress=progress
        )
    result = index.search(query, k, filters)
    return SearchOut(
        status="ok" if result.hits else "empty",
        reason=result.reason,
        query=query,
        language=result.language,
        understood=result.rendered,
        counts=result.counts,
        hits=[_hit(hit) for hit in result.hits],
    )


def index_build(ctx: typer.Context) -> IndexOut:
    """Build the index, or say that it is up to date."""
    from retrieval.search import GuidelineIndex

    settings = _settings(ctx)
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


def corpus_lint(
    folder: Annotated[Path | None, typer.Argument(help="Folder of TOML files; default: the corpus that ships.")] = None,
    warnings: Annotated[bool, typer.Option("--warnings", help="List warnings too.")] = False,
) -> LintOut:
    """Prove the shape of the guideline corpus; exit code 1 when a rule is broken."""
    from retrieval.corpus import GUIDELINES, read_corpus

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
    "corpus lint": corpus_lint,
}
