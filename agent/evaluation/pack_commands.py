"""Commands on packs of other specialties: `pack list`, `pack add`, `pack remove`, `pack check`."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel, ConfigDict, JsonValue

from agent.errors import AgentError, BadInput
from agent.settings import Settings

_FOLDER = "Folder with pack.toml, or the name of a pack that ships."


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)

    status: Literal["ok", "partial", "empty", "error"] = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()


class ListOut(_Out):
    """Packs that are installed, chosen, or ship."""

    packs: tuple[dict[str, JsonValue], ...] = ()


class PackOut(_Out):
    """One pack."""

    name: str = ""
    path: str = ""


class CheckOut(_Out):
    """What a pack holds and how well it is found."""

    name: str = ""
    holds: dict[str, int] = {}
    metrics: dict[str, JsonValue] = {}
    missed: tuple[str, ...] = ()


def pack_list(ctx: typer.Context) -> ListOut:
    """List packs: in use, installed, or shipped and waiting to be added."""
    from retrieval.packs import card_of, resolve, shipped

    settings: Settings = ctx.obj
    used = resolve(settings.packs, settings.data_dir / "packs")
    names = {card_of(f).name for f in used}
    rest = tuple(f for f in shipped() if card_of(f).name not in names)
    rows: list[dict[str, JsonValue]] = []
    for folder in (*used, *rest):
        card = card_of(folder)
        rows.append(
            {"name": card.name, "title": card.title_en, "version": card.version, "in_use": folder in used, "reviewed": card.reviewed}
        )
    return ListOut(packs=tuple(rows)) if rows else ListOut(status="empty", reason="no pack is installed or ships")


def pack_add(ctx: typer.Context, folder: Annotated[str, typer.Argument(help=_FOLDER)]) -> PackOut:
    """Check that a pack can be read, and copy it into the data folder: from then on it is in use."""
    from retrieval.packs import card_of, resolve

    settings: Settings = ctx.obj
    source = resolve((folder,), settings.data_dir / "none")[0]
    card, _ = card_of(source), _read(settings, source)
    target = settings.data_dir / "packs" / card.name
    if target.exists():
        raise BadInput(f"pack {card.name!r} is installed already: medmpt pack remove {card.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    except OSError as failure:
        raise AgentError(f"cannot copy the pack: {failure.strerror}") from failure
    return PackOut(name=card.name, path=str(target), warnings=("medmpt index build takes it into the search index",))


def pack_remove(ctx: typer.Context, name: Annotated[str, typer.Argument(help="Name of an installed pack.")]) -> PackOut:
    """Take an installed pack out."""
    settings: Settings = ctx.obj
    target = settings.data_dir / "packs" / name
    if Path(name).name != name or not (target / "pack.toml").is_file():
        raise BadInput(f"no pack {name!r} is installed; medmpt pack list")
    shutil.rmtree(target)
    return PackOut(name=name, path=str(target))


def pack_check(ctx: typer.Context, folder: Annotated[str, typer.Argument(help=_FOLDER)]) -> CheckOut:
    """Read every file of a pack as the house does, ask its questions, and say what is not found."""
    from retrieval.packs import card_of, resolve

    settings: Settings = ctx.obj
    source = resolve((folder,), settings.data_dir / "none")[0]
    holds = _read(settings, source)
    from agent.evaluation.packs import measured  # opens rooms that read their data with the pack

    metrics, missed = measured(settings, source)
    status: Literal["ok", "partial"] = "partial" if missed else "ok"
    reason = f"{len(missed)} of its own questions or messages are not served" if missed else None
    return CheckOut(status=status, reason=reason, name=card_of(source).name, holds=holds, metrics=dict(metrics), missed=missed)


def _read(settings: Settings, source: Path) -> dict[str, int]:
    """What the pack holds, after every room has read it beside its own data.

    Raises:
        BadInput: Any row is wrong.
    """
    from pydantic import ValidationError

    from retrieval.packs import use

    use((source,))
    from agent.reading.lexicon import terms
    from retrieval.concepts.lexicon import Lexicon
    from retrieval.drugs.graph import DrugGraph
    from retrieval.guidelines.corpus import load_corpus, read_corpus
    from tools.scores.spec import specs

    load_corpus()
    own, _ = read_corpus(source / "guidelines")
    known = len(terms()), len(Lexicon.load().concepts)
    try:
        scores = len(specs())
    except (ValidationError, ValueError) as wrong:
        raise BadInput(f"scores of the pack: {wrong}") from wrong
    return {
        "guidelines": len(own.guidelines),
        "passages": len(own.passages),
        "drugs_with_the_house": len(DrugGraph.load().drugs()),
        "scores_with_the_house": scores,
        "terms_with_the_house": known[0],
        "concepts_with_the_house": known[1],
    }


COMMANDS: dict[str, Callable[..., BaseModel]] = {
    "pack list": pack_list,
    "pack add": pack_add,
    "pack remove": pack_remove,
    "pack check": pack_check,
}
