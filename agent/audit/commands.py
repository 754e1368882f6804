"""Commands on the ledger: `replay`, `data ledger`, `data verify-ledger`, `data audit-events`."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import BaseModel, ConfigDict, JsonValue

from agent.errors import AgentError, BadInput
from agent.settings import Settings

if TYPE_CHECKING:
    from agent.assistant import Assistant
    from agent.audit.chain import Entry

_RUN = "Hash of a ledger entry (six characters or more), THREAD:N, or last."
# Entries that `data ledger` shows without --all.
_SHOWN = 20


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)

    status: Literal["ok", "partial", "empty", "unavailable", "error"] = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()


class ReplayOut(_Out):
    """A turn once more."""

    same: bool = False
    run: str = ""
    recorded: str = ""
    now: str = ""
    differs: tuple[str, ...] = ()
    versions: dict[str, JsonValue] = {}
    answer: str = ""


class LedgerOut(_Out):
    """Entries, newest last."""

    count: int = 0
    head: str = ""
    entries: tuple[dict[str, JsonValue], ...] = ()


class VerifyOut(_Out):
    """Whether the ledger is whole."""

    entries: int = 0
    head: str = ""
    faults: tuple[dict[str, JsonValue], ...] = ()


class EventsOut(_Out):
    """Where the AuditEvents went."""

    events: int = 0
    path: str = ""


def replay_run(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(help=_RUN)],
    case: Annotated[str | None, typer.Option("--case", help="The case of yours that the turn was about.")] = None,
    llm: Annotated[str | None, typer.Option("--llm", help="Chat model to ask; default: the planner, where it answered.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the compared bytes here.")] = None,
) -> ReplayOut:
    """Ask a recorded turn again and compare the answer byte by byte."""
    from agent.assistant import Assistant
    from agent.audit.ledger import canonical
    from agent.audit.replay import replay
    from agent.resources import House
    from agent.sessions.sqlite_store import SqliteStore

    settings: Settings = ctx.obj
    assistant = _open(settings)
    try:
        entry = _find(list(assistant.ledger.chain.entries()), run)
        thread, body = entry.thread or "", entry.body or {}
        stored = assistant.answers(thread)
        turns = [e for e in assistant.ledger.chain.entries(thread) if e.kind == "turn" and e.seq <= entry.seq]
    finally:
        assistant.close()
    if llm is None and body["model"] != "planner":
        raise BadInput(
            f"this turn was answered by {body['model']}: name the model with --llm; only the planner surely gives the same bytes"
        )
    asked = replace(settings, llm=llm or "planner", threads_url=None, otlp_endpoint=None)
    found = replay(asked, turns, stored, case, lambda s, file: Assistant(s, House(s), SqliteStore(file)))
    if out is not None:
        out.write_bytes(canonical(found.answer))
    changed: dict[str, JsonValue] = {k: list(v) for k, v in found.changed.items()}
    told = None if found.same else "the answer differs" + (f"; versions changed: {', '.join(changed)}" if changed else "")
    return ReplayOut(
        status="ok" if found.same else "partial",
        reason=told,
        same=found.same,
        run=entry.hash,
        recorded=found.recorded,
        now=found.now,
        differs=found.differs,
        versions=changed,
        answer=found.answer.answer,
    )


def _find(entries: "list[Entry]", run: str) -> "Entry":
    """The entry of a turn.

    Raises:
        BadInput: None, several, or one whose content was erased.
    """
    turns = [e for e in entries if e.kind == "turn"]
    thread, colon, n = run.rpartition(":")
    if run == "last":
        found = turns[-1:]
    elif colon:
        found = [e for e in turns if e.thread == thread and e.body is not None and str(e.body["n"]) == n]
    else:
        found = [e for e in turns if len(run) >= 6 and e.hash.startswith(run.lower())]
    if len(found) != 1:
        raise BadInput(f"{'no' if not found else 'more than one'} turn in the ledger for {run!r}; medmpt data ledger lists them")
    if found[0].body is None:
        raise BadInput("the conversation of this turn was erased: nothing to replay")
    return found[0]


def data_ledger(
    ctx: typer.Context,
    thread: Annotated[str | None, typer.Option("--thread", help="Only this conversation.")] = None,
    everything: Annotated[bool, typer.Option("--all", help=f"More than the last {_SHOWN}.")] = False,
) -> LedgerOut:
    """List what the ledger records: hashes and versions, no contents."""
    assistant = _open(ctx.obj)
    try:
        entries = list(assistant.ledger.chain.entries(thread))
    finally:
        assistant.close()
    if not entries:
        return LedgerOut(status="empty", reason="nothing is recorded yet")
    rows: list[dict[str, JsonValue]] = [
        {"run": e.hash[:12], "seq": e.seq, "kind": e.kind, "at": e.at, "thread": e.thread, "body": e.body}
        for e in (entries if everything else entries[-_SHOWN:])
    ]
    return LedgerOut(count=len(entries), head=entries[-1].hash, entries=tuple(rows))


def data_verify_ledger(
    ctx: typer.Context,
    expect: Annotated[str | None, typer.Option("--expect", help="A head's hash noted before: it must still be in the chain.")] = None,
) -> VerifyOut:
    """Check that no entry of the ledger and no stored answer was changed, removed or put in."""
    assistant = _open(ctx.obj)
    try:
        faults, count, head = assistant.ledger.verify(assistant.answers, assistant.reports.signature_of)
        known = {e.hash for e in assistant.ledger.chain.entries()} if expect else set()
    finally:
        assistant.close()
    rows: list[dict[str, JsonValue]] = [{"seq": f.seq, "what": f.what} for f in faults]
    if expect and expect not in known:
        rows.append({"seq": count, "what": "the noted head is not in the chain: entries were cut off or written anew"})
    if rows:
        return VerifyOut(status="error", reason=f"the ledger is not whole: {rows[0]['what']}", entries=count, head=head, faults=tuple(rows))
    if not count:
        return VerifyOut(status="empty", reason="nothing is recorded yet", head=head)
    return VerifyOut(entries=count, head=head)


def data_audit_events(
    ctx: typer.Context, out: Annotated[Path, typer.Option("--out", help="NDJSON file: one FHIR R4B AuditEvent per line.")]
) -> EventsOut:
    """Export the ledger as FHIR AuditEvents."""
    from agent.audit.fhir import events

    assistant = _open(ctx.obj)
    try:
        made = events(assistant.ledger.chain.entries())
    finally:
        assistant.close()
    if not made:
        return EventsOut(status="empty", reason="nothing is recorded yet")
    try:
        out.write_text("".join(json.dumps(e, ensure_ascii=False) + "\n" for e in made), encoding="utf-8")
    except OSError as failure:
        raise AgentError(f"cannot write {out.name!r}: {failure.strerror}") from failure
    return EventsOut(events=len(made), path=str(out))


def _open(settings: Settings) -> "Assistant":
    from agent.assistant import Assistant

    return Assistant.open(replace(settings, llm="planner"))


COMMANDS: dict[str, Callable[..., BaseModel]] = {
    "replay": replay_run,
    "data ledger": data_ledger,
    "data verify-ledger": data_verify_ledger,
    "data audit-events": data_audit_events,
}
