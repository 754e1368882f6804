"""Command `case merge`: several sources of one patient become one case folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, Protocol

import typer
from pydantic import BaseModel

from tools.case.demo import open_named
from tools.case.joining.merge import Source, merge, unsettled
from tools.case.joining.store import write_case
from tools.errors import BadInput


class _Settings(Protocol):
    """What this command needs of the settings."""

    cache_dir: Path


class ConflictOut(BaseModel):
    """A difference between two sources."""

    id: str
    options: dict[str, str]
    other_person: bool
    taken: str | None = None


class MergeOut(BaseModel):
    """Result of `case merge`; `written` is None while conflicts wait for a decision."""

    status: Literal["ok", "partial"] = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    written: str | None = None
    brought: dict[str, dict[str, int]]
    conflicts: tuple[ConflictOut, ...] = ()


def case_merge(
    ctx: typer.Context,
    sources: Annotated[list[str], typer.Argument(help="Case folders, FHIR bundles, laboratory sheets, CT studies; demo ids too.")],
    to: Annotated[Path, typer.Option("--to", help="New folder for the joined case.")],
    take: Annotated[
        list[str] | None, typer.Option("--take", help="Decide a conflict: ID=N takes its N-th option; all=N for every conflict.")
    ] = None,
) -> MergeOut:
    """Join a CT, a FHIR bundle and laboratory sheets of one patient into one case; differences are listed and never decided in silence."""
    settings: _Settings = ctx.obj
    if len(sources) < 2:
        raise BadInput("give at least two sources to join")
    opened = [Source(Path(name).name, open_named(name, settings.cache_dir)) for name in sources]
    found = merge(opened)
    chosen = _decisions(take or [], [c.id for c in found.conflicts])
    merged = merge(opened, chosen)
    left = unsettled(merged, chosen)
    shown = tuple(
        ConflictOut(
            id=c.id,
            options=dict(c.options),
            other_person=c.other_person,
            taken=c.options[chosen[c.id]][0] if c.id in chosen and chosen[c.id] < len(c.options) else None,
        )
        for c in merged.conflicts
    )
    warnings = tuple(f"{b.name}: {w}" for b in merged.brought for w in b.warnings)
    out = MergeOut(brought={b.name: b.counts for b in merged.brought}, conflicts=shown, warnings=warnings)
    if left:
        words = ", ".join(c.id for c in left)
        return out.model_copy(update={"status": "partial", "reason": f"decide first with --take ID=N (first option is 1): {words}"})
    return out.model_copy(update={"written": str(write_case(merged, opened, to))})


def _decisions(take: list[str], known: list[str]) -> dict[str, int]:
    chosen: dict[str, int] = {}
    for word in take:
        ident, _, number = word.rpartition("=")
        if not number.isdigit() or int(number) < 1 or (ident != "all" and ident not in known):
            raise BadInput(f"--take {word!r} is not ID=N with one of: all, {', '.join(known) or 'no conflict here'}")
        chosen.update({i: int(number) - 1 for i in (known if ident == "all" else [ident])})
    return chosen


COMMANDS: dict[str, Callable[..., BaseModel]] = {"case merge": case_merge}
