"""`medmpt report draft | edit | sign | addendum | export | conversation`: a report as a file from draft to signature."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import BaseModel

from agent.reporting.files import FORMATS, export, page_file
from agent.reporting.views import FileView
from agent.settings import Settings
from tools.errors import BadInput
from tools.evidence import Language
from tools.reports.document.compose import compose
from tools.reports.document.edit import Edit, accept, addendum_to, apply, words
from tools.reports.document.edit import insert as inserted
from tools.reports.document.files import read_document, write_document, write_whole
from tools.reports.document.record import ReportDocument
from tools.reports.document.signing import obstacles
from tools.reports.document.store import Stale
from tools.reports.document.template import template_of
from tools.reports.drafting import draft_report

if TYPE_CHECKING:  # the desk opens LangGraph, which `report check` does not need
    from agent.parts import OpenedCase
    from agent.reporting.desk import ReportDesk
    from agent.sessions.handles import HeldCase

OWNER = "local"
_File = Annotated[Path, typer.Argument(help="A report that `medmpt report draft` wrote")]
_Out = Annotated[Path, typer.Option("--out", "-o", help="The file to write")]


class ReportOut(BaseModel):
    """What became of a report file."""

    status: Literal["ok", "partial", "empty"] = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    report: str
    version: int
    file: str
    kind: str
    sentences: dict[str, int]
    signed_by: str | None = None
    signed_at: str | None = None
    sha256: str | None = None


class FileOut(BaseModel):
    """A file that was written."""

    status: Literal["ok", "empty"] = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    file: str
    format: str
    bytes: int
    signed: bool = False


def report_draft(
    ctx: typer.Context,
    case: Annotated[str, typer.Argument(help="Demo case id, case folder, FHIR bundle, or one CT study")],
    out: _Out,
    study: Annotated[str, typer.Option(help="Which study of the case")] = "ct-1",
    lang: Annotated[str | None, typer.Option(help="Language of the report: en or zh; default that of the case")] = None,
    template: Annotated[str | None, typer.Option(help="chest_ct_en, chest_ct_zh, or the path of your own .toml")] = None,
    by: Annotated[str, typer.Option(help="Who drafts, for the history")] = "command line",
) -> ReportOut:
    """Draft a structured report into a file: every sentence with its origin, to be accepted, edited or struck, then signed."""
    settings: Settings = ctx.obj
    desk, loaded = _desk(settings), _open(settings, case)
    if lang not in (None, "en", "zh"):
        raise BadInput(f"--lang {lang!r} is not known: use en or zh")
    language: Language = "zh" if (lang or loaded.case.language) == "zh" else "en"
    chosen = template_of(template, language)
    deps = desk.deps_for(loaded, chosen.language)
    drafted = draft_report(deps, study)
    document = compose(deps, study, drafted, chosen, by)
    desk.store.keep(document, OWNER, case)
    write_document(out, document)
    done = _told(document, out)
    limited = drafted.status != "ok"
    return done.model_copy(update={"status": "partial" if limited else "ok", "reason": drafted.reason, "warnings": document.warnings})


def report_edit(
    ctx: typer.Context,
    file: _File,
    accept_: Annotated[list[str], typer.Option("--accept", help="Sentence id, or all; may be given again")] = [],  # noqa: B006
    strike: Annotated[list[str], typer.Option("--strike", help="Sentence id; may be given again")] = [],  # noqa: B006
    restore: Annotated[list[str], typer.Option("--restore", help="Sentence id; may be given again")] = [],  # noqa: B006
    change: Annotated[list[str], typer.Option("--set", help="ID=NEW WORDS; may be given again")] = [],  # noqa: B006
    add: Annotated[list[str], typer.Option("--add", help="SECTION=WORDS; may be given again")] = [],  # noqa: B006
    by: Annotated[str, typer.Option(help="Who changes it, for the history")] = "command line",
) -> ReportOut:
    """Accept, change, strike or add sentences of a report that is not signed; without an option its state is told."""
    document = read_document(file)
    edits = [Edit(do="edit", sentence=i, text=t) for i, t in map(_pair, change)]
    edits += [Edit(do="strike", sentence=i) for i in strike] + [Edit(do="restore", sentence=i) for i in restore]
    edits += [Edit(do="insert", section=s, text=t) for s, t in map(_pair, add)]
    edits += [Edit(do="accept", sentence=None if i == "all" else i) for i in accept_]
    changed = document
    for edit in edits:
        changed = apply(changed, edit, by)
    if changed != document:
        _kept(_desk(ctx.obj), changed)
        write_document(file, changed)
    return _told(changed, file)


def report_sign(
    ctx: typer.Context,
    file: _File,
    name: Annotated[str | None, typer.Option(help="Your name; without it the text to be signed is only shown")] = None,
    accept_all: Annotated[
        bool, typer.Option("--accept-all", help="Accept every drafted sentence that is left, as you have read it")
    ] = False,
) -> ReportOut:
    """Sign a report: text, name and time are frozen with a sha256; it can never be changed again, only added to."""
    document, desk = read_document(file), _desk(ctx.obj)
    if accept_all and name:
        document = accept(document, name)
    told = obstacles(document).told()
    if told is not None:
        raise BadInput(f"{told[1 if document.language == 'zh' else 0]} (medmpt report edit {file.name} …, or --accept-all)")
    _kept(desk, document)
    write_document(file, document)
    shown = desk.pend(document.id)
    if not name:
        return _told(document, file, "partial", f"not signed: read the text below and give --name\n\n{shown['text']}")
    signed = desk.resume(document.id, name, shown["sha256"])
    write_document(file, signed)
    return _told(signed, file)


def report_addendum(
    ctx: typer.Context,
    file: _File,
    text: Annotated[str, typer.Option(help="What must be added")],
    out: _Out,
    by: Annotated[str, typer.Option(help="Who writes it, for the history")] = "command line",
) -> ReportOut:
    """Begin an addendum to a signed report; it is signed like a report."""
    document, desk = read_document(file), _desk(ctx.obj)
    extra = addendum_to(document, template_of(None, document.language), by)
    extra = inserted(extra, "addendum", words(text), "person", by)
    desk.store.keep(extra, OWNER, document.id)
    write_document(out, extra)
    return _told(extra, out)


def report_export(
    ctx: typer.Context,
    file: _File,
    out: _Out,
    form: Annotated[str, typer.Option("--format", help=", ".join(FORMATS))] = "pdf",
    study: Annotated[Path | None, typer.Option(help="The DICOM study, for sr")] = None,
    case: Annotated[str | None, typer.Option(help="The case that holds the study, for sr; default the demo case of the report")] = None,
) -> FileOut:
    """Write a report as PDF, DOCX, Markdown, FHIR R4 or DICOM SR; what is not signed here is marked preliminary."""
    document, desk = read_document(file), _desk(ctx.obj)
    registered = desk.store.registered(document)
    made = export(document, form, registered, _study(ctx.obj, document, study, case) if form == "sr" else None)
    return _written(made, out, form, registered)


def report_conversation(
    ctx: typer.Context,
    thread: Annotated[str, typer.Argument(help="A conversation, as `medmpt ask` names it")],
    out: _Out,
    form: Annotated[str, typer.Option("--format", help="pdf, docx, md")] = "md",
    lang: Annotated[str, typer.Option(help="Language of headings: en or zh")] = "en",
) -> FileOut:
    """Write a conversation with its citations as PDF, DOCX or Markdown."""
    from dataclasses import replace

    from agent.answering.answer import Answer
    from agent.assistant import Assistant
    from agent.reporting.conversation import conversation_sheet

    if lang not in ("en", "zh"):
        raise BadInput(f"--lang {lang!r} is not known: use en or zh")
    assistant = Assistant.open(replace(ctx.obj, llm="planner"))
    try:
        answers = [Answer.model_validate(a) for a in assistant.answers(thread)]
    finally:
        assistant.close()
    if not answers:
        raise BadInput(f"no conversation {thread!r} is stored; `medmpt data export` lists them")
    return _written(page_file(conversation_sheet(answers, "zh" if lang == "zh" else "en"), "conversation", form), out, form, False)


def _desk(settings: Settings) -> "ReportDesk":
    from agent.audit.ledger import Ledger
    from agent.reporting.desk import ReportDesk
    from agent.resources import House
    from agent.sessions.opening import open_store

    def nobody(case: str, session: str) -> "HeldCase":
        raise BadInput(f"no case {case!r} is open in {session!r}")

    store = open_store(settings)
    return ReportDesk(settings, House(settings), nobody, Ledger(store, settings.weights), store)


def _open(settings: Settings, case: str) -> "OpenedCase":
    from agent.resources import House

    return House(settings).load_case(case)


def _kept(desk: "ReportDesk", document: ReportDocument) -> None:
    """The file's version in the store, so that what is signed is what is kept."""
    try:
        desk.store.append(document)
    except Stale as stale:
        raise BadInput("this file is not the newest version that is kept on this machine, or was changed by hand") from stale
    except BadInput:
        desk.store.keep(document, OWNER, document.subject.case_id)


def _study(settings: Settings, document: ReportDocument, study: Path | None, case: str | None) -> Path | None:
    from tools.case.demo import demo_cases

    if study is not None:
        return study.resolve()
    named = case or (document.subject.case_id if document.subject.case_id in demo_cases() else None)
    return _open(settings, named).studies.get(document.study.study) if named else None


def _pair(given: str) -> tuple[str, str]:
    name, equals, text = given.partition("=")
    if not equals or not name.strip():
        raise BadInput(f"{given!r} is not NAME=WORDS, for example --set 's4=No pleural effusion.'")
    return name.strip(), text


def _written(made: FileView, out: Path, form: str, signed: bool) -> FileOut:
    write_whole(out, made.body)
    return FileOut(file=str(out), format=form, bytes=len(made.body), signed=signed, warnings=made.warnings)


def _told(document: ReportDocument, file: Path, status: Literal["ok", "partial"] = "ok", reason: str | None = None) -> ReportOut:
    rows = [s for section in document.sections if section.printed for s in section.sentences]
    states = {state: sum(s.state == state for s in rows) for state in ("proposed", "accepted", "edited", "struck")}
    told = obstacles(document).told() if document.signature is None else None
    signature = document.signature
    return ReportOut(
        status=status,
        reason=reason,
        warnings=() if told is None or reason else (f"not ready to sign: {told[1 if document.language == 'zh' else 0]}",),
        report=document.id,
        version=document.version,
        file=str(file),
        kind=document.kind,
        sentences=states,
        signed_by=signature.name if signature else None,
        signed_at=signature.at if signature else None,
        sha256=signature.sha256 if signature else None,
    )


COMMANDS: dict[str, Callable[..., BaseModel]] = {
    "report draft": report_draft,
    "report edit": report_edit,
    "report sign": report_sign,
    "report addendum": report_addendum,
    "report export": report_export,
    "report conversation": report_conversation,
}
