"""Commands of the agent room: `ask`, `doctor`, `data export`, `data erase`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from agent.answering.answer import Answer
from agent.errors import AgentError, BadInput
from agent.evaluation.figures import Figure
from agent.settings import Settings, effort_of
from agent.turn.batch import Batch, ask_one, read_rows
from tools.evidence import Language

if TYPE_CHECKING:
    from agent.assistant import Assistant

# Whoever can run the command owns this machine's threads; pages use random session ids instead.
LOCAL_SESSION = "local"
# What --llm takes, for the help texts.
SPECS = "planner, vllm:MODEL@URL, openai:MODEL@URL, transformers:PATH or PROVIDER:MODEL."


class Outcome(BaseModel):
    """Fields that every command has."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok", "partial", "empty", "unavailable", "error"] = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()


class Part(BaseModel):
    """One part of the installation and whether it can be used."""

    name: str
    status: Literal["ok", "unavailable", "error"]
    detail: str


class DoctorOut(Outcome):
    """What `doctor` found."""

    parts: tuple[Part, ...] = ()
    data_dir: str = ""
    cache_dir: str = ""


class ExportOut(Outcome):
    """Every stored thread with its answers, and every marked study (by the hash of its images) with its marks, and every report."""

    threads: tuple[dict[str, JsonValue], ...] = ()
    marks: tuple[dict[str, JsonValue], ...] = ()
    reports: tuple[dict[str, JsonValue], ...] = ()


class EraseOut(Outcome):
    """How much was deleted."""

    erased: int = 0


class BatchOut(Outcome):
    """Answers of a batch, in order; the command line writes one object per line."""

    answers: tuple[Answer, ...] = Field(default=())


def ask(
    ctx: typer.Context,
    question: Annotated[str | None, typer.Argument(help="The question, in English or Chinese.")] = None,
    case: Annotated[str | None, typer.Option("--case", help="Demo case id, case folder, FHIR bundle, or one CT study.")] = None,
    thread: Annotated[str | None, typer.Option("--thread", help="Continue this conversation.")] = None,
    llm: Annotated[str | None, typer.Option("--llm", help=SPECS)] = None,
    batch: Annotated[Path | None, typer.Option("--batch", help='JSONL with one {"id"?, "question", "case"?, "thread"?} per line.')] = None,
    lang: Annotated[str | None, typer.Option("--lang", help="Language of the answer: en or zh; default: the question's.")] = None,
    effort: Annotated[str | None, typer.Option("--effort", help="How hard to try: low, medium (default) or high.")] = None,
) -> Answer | BatchOut:
    """Ask a question, with evidence."""
    if (question is None) == (batch is None):
        raise BadInput("give either a question or --batch FILE.jsonl")
    if lang not in (None, "en", "zh"):
        raise BadInput(f"--lang {lang!r} is not known: use en or zh")
    language: Language | None = "zh" if lang == "zh" else "en" if lang == "en" else None
    assistant = _open(ctx, llm, effort)
    try:
        handle = assistant.open_case(case, session=LOCAL_SESSION).handle if case else None
        if batch is not None:
            rows = Batch(assistant, LOCAL_SESSION, handle, batch.resolve().parent)
            return BatchOut(answers=tuple(rows.answer(row, language) for row in read_rows(batch)))
        return ask_one(assistant, question or "", thread, handle, LOCAL_SESSION, language)
    finally:
        assistant.close()


def _open(ctx: typer.Context, llm: str | None, effort: str | None = None) -> "Assistant":
    from dataclasses import replace

    from agent.assistant import Assistant

    settings: Settings = ctx.obj
    chosen = effort_of(effort, "--effort") if effort else settings.effort
    return Assistant.open(replace(settings, llm=llm or settings.llm, effort=chosen))


def doctor(ctx: typer.Context) -> DoctorOut:
    """Say which parts of this installation can be used, and how to install the others."""
    settings: Settings = ctx.obj
    parts = (_store(settings), _index(settings), _model(settings))
    status: Literal["ok", "partial"] = "ok" if all(p.status == "ok" for p in parts) else "partial"
    reason = "; ".join(f"{p.name}: {p.detail}" for p in parts if p.status != "ok") or None
    return DoctorOut(status=status, reason=reason, parts=parts, data_dir=str(settings.data_dir), cache_dir=str(settings.cache_dir))


def _store(settings: Settings) -> Part:
    from agent.sessions.opening import open_store

    try:
        store = open_store(settings)
        count = store.rows("SELECT count(*) FROM thread_owner")[0][0]
        store.close()
    except AgentError as failure:
        return Part(name="threads", status="unavailable" if failure.status == "unavailable" else "error", detail=str(failure))
    return Part(name="threads", status="ok", detail=f"{count} stored")


def _index(settings: Settings) -> Part:
    built = any((settings.cache_dir / "index").glob("**/*")) if (settings.cache_dir / "index").is_dir() else False
    if built:
        return Part(name="index", status="ok", detail="built")
    return Part(name="index", status="unavailable", detail="not built yet: run medmpt index build")


def _model(settings: Settings) -> Part:
    from agent.models.factory import make_model

    try:
        make_model(settings.llm)
    except AgentError as failure:
        return Part(name="model", status="error", detail=str(failure))
    return Part(name="model", status="ok", detail=settings.llm)


def data_export(ctx: typer.Context) -> ExportOut:
    """Give out everything that is stored about conversations on this machine."""
    assistant = _open(ctx, "planner")
    try:
        rows = [{"thread": t, "answers": assistant.answers(t)} for t in assistant.threads()]
        marked = [{"study": study, "marks": [m.model_dump(mode="json") for m in marks]} for study, marks in assistant.all_marks()]
        reports = tuple(d.model_dump(mode="json") for d in assistant.reports.everything())
    finally:
        assistant.close()
    if not rows and not marked and not reports:
        return ExportOut(status="empty", reason="no conversation is stored")
    threads = tuple({"thread": str(r["thread"]), "answers": r["answers"]} for r in rows)
    return ExportOut(threads=threads, marks=tuple(marked), reports=reports)


def data_erase(
    ctx: typer.Context,
    thread: Annotated[str | None, typer.Option("--thread", help="Only this conversation.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every conversation, mark and report on this machine.")] = False,
) -> EraseOut:
    """Delete stored conversations for good."""
    if (thread is None) == (not everything):
        raise BadInput("say what to erase: --thread ID or --all")
    assistant = _open(ctx, "planner")
    try:
        known = assistant.threads()
        chosen = known if thread is None else [t for t in known if t == thread]
        assistant.erase(chosen, everything)
        if everything:
            assistant.erase_marks()
            assistant.reports.erase()
            assistant.erase_readings()
    finally:
        assistant.close()
    if not chosen:
        return EraseOut(status="empty", reason="no such conversation is stored" if thread else "no conversation is stored")
    return EraseOut(erased=len(chosen))


class Check(BaseModel):
    """One thing that a model was tried on."""

    name: str
    ok: bool
    detail: str
    seconds: float


class CheckOut(Outcome):
    """What `llm check` found."""

    model: str = ""
    checks: tuple[Check, ...] = ()


def llm_check(ctx: typer.Context, spec: Annotated[str, typer.Argument(help=SPECS)]) -> CheckOut:
    """Try a language model on what the assistant needs: tools, schemas, streaming, Chinese, long context, honest citation."""
    from agent.evaluation.qualify import offered, qualify
    from agent.models.factory import make_model, shown_name
    from tools.registry import TOOLS

    settings: Settings = ctx.obj
    model = make_model(spec, settings.llm_seconds)
    if not offered(model):
        return CheckOut(status="empty", reason="the planner is built in and needs no check", model=spec)
    found = qualify(model, TOOLS, settings.llm_seconds)
    checks = tuple(Check(name=p.name, ok=p.ok, detail=p.detail, seconds=p.seconds) for p in found)
    failed = [c.name for c in checks if not c.ok]
    if "reachable" in failed:
        return CheckOut(status="unavailable", reason=f"{checks[0].detail}; start the server first", model=shown_name(spec), checks=checks)
    reason = f"does not work: {', '.join(failed)}" if failed else None
    return CheckOut(status="partial" if failed else "ok", reason=reason, model=shown_name(spec), checks=checks)


class EvalOut(Outcome):
    """Figures of a model and of the planner on the same questions."""

    model: str = ""
    metrics: dict[str, Figure] = Field(default_factory=dict)
    baselines: dict[str, dict[str, Figure]] = Field(default_factory=dict)


def eval_llm(
    ctx: typer.Context,
    spec: Annotated[str, typer.Argument(help=SPECS)],
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only the first N questions.")] = None,
) -> EvalOut:
    """Measure a model on the question set, with the planner beside it."""
    from agent.evaluation.question_set import EVALUATION, figures, questions, run
    from agent.models.factory import shown_name

    chosen = questions()[:limit]
    found: dict[str, dict[str, Figure]] = {}
    for one in dict.fromkeys((spec, "planner")):
        assistant = _open(ctx, one)
        try:
            found[one] = figures(run(assistant, chosen))
        finally:
            assistant.erase(assistant.threads(EVALUATION))
            assistant.close()
    baselines = {"planner": found["planner"]} if spec != "planner" else {}
    finished = found[spec]["finished_by_planner"].value
    told = f"the planner finished {finished:.0%} of the answers; they are counted in the model's figures"
    return EvalOut(model=shown_name(spec), metrics=found[spec], baselines=baselines, warnings=(told,) if finished else ())


COMMANDS: dict[str, Callable[..., BaseModel]] = {
    "ask": ask,
    "doctor": doctor,
    "data export": data_export,
    "data erase": data_erase,
    "llm check": llm_check,
    "eval llm": eval_llm,
}
