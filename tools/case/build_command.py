"""`medmpt index build`: the search index, and the CTs of the demo cases, so that no question waits for one."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Protocol

import typer
from pydantic import BaseModel

from retrieval.command_results import IndexOut
from retrieval.commands import index_build, progress_bar
from tools.case.demo import demo_studies, materialise_demo


class _Settings(Protocol):
    """What this command needs of the settings."""

    cache_dir: Path


class BuildOut(IndexOut):
    """Result of `index build`; `demo_studies` are the CTs in the cache afterwards."""

    demo_studies: int


def build(
    ctx: typer.Context,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Also generate the CTs of the demo cases (once, about 15 s each).")] = True,
) -> BuildOut:
    """Build the index of guidelines and imported documents, and the demo CTs, or say that they are up to date."""
    settings: _Settings = ctx.obj
    out = index_build(ctx)
    studies = demo_studies(settings.cache_dir) if demo else ()
    missing = [s for s in studies if not s.exists()]
    if missing:
        with progress_bar("Generating demo CTs") as progress:
            for n, study in enumerate(missing, 1):
                materialise_demo(study)
                progress(n, len(missing))
    return BuildOut(**out.model_dump(), demo_studies=len(studies))


COMMANDS: dict[str, Callable[..., BaseModel]] = {"index build": build}
