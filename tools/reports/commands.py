"""`medmpt report check`: the linter of a pasted CT report."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Protocol

import typer
from pydantic import BaseModel

from tools.case.demo import open_named
from tools.case.files import load_case
from tools.deps import Deps
from tools.errors import BadInput
from tools.evidence import Language, Status
from tools.imaging.marks.store import FILE, LOCAL, MarkStore, OwnMarks
from tools.reports.check import checked, remark_row
from tools.reports.payload import RemarkRow


class _Settings(Protocol):
    """What this command needs of the settings."""

    cache_dir: Path
    data_dir: Path


class CheckOut(BaseModel):
    """Result of `report check`."""

    status: Status = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    remarks: list[RemarkRow]
    look: list[RemarkRow] = []
    checked: list[str]
    not_checked: list[str]


def report_check(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="Text file with the report, or - for standard input")],
    study: Annotated[Path | None, typer.Option(help="The CT it describes: DICOM folder, .zip, NIfTI")] = None,
    case: Annotated[str | None, typer.Option(help="Case folder, FHIR bundle, or demo id")] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the remarks: en or zh; default that of the report")] = None,
) -> CheckOut:
    """Check a CT report before signing: findings against impression, itself, the case and the measured study."""
    settings: _Settings = ctx.obj
    body = _text(file)
    if lang not in (None, "en", "zh"):
        raise BadInput(f"--lang {lang!r} is not en or zh")
    loaded = open_named(case, settings.cache_dir) if case else load_case(study) if study else None
    studies = {**(loaded.studies if loaded else {}), **({"ct-1": study.resolve()} if study else {})}
    own = OwnMarks(MarkStore(settings.data_dir / FILE), LOCAL)
    deps = Deps(cache_dir=settings.cache_dir, case=loaded.case if case and loaded else None, studies=studies, marks=own)
    if not body.strip():
        return CheckOut(status="empty", reason="there is no report text to check: paste one", remarks=[], checked=[], not_checked=[])
    found = checked(body, deps, next(iter(studies), "ct-1"))
    language: Language = "zh" if (lang or ("zh" if found.chinese else "en")) == "zh" else "en"
    at = 1 if language == "zh" else 0
    return CheckOut(
        warnings=found.warnings,
        remarks=[remark_row(r, language) for r in found.remarks],
        look=[remark_row(r, language) for r in found.look],
        checked=[c[at] for c in found.checked],
        not_checked=[c[at] for c in found.not_checked],
    )


def _text(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    path = Path(file)
    if not path.is_file():
        raise BadInput(f"no such file: {file!r}; give a text file, or - and paste the report")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name!r} is not a text file in UTF-8: {error.reason}; save the report as plain text") from error


COMMANDS: dict[str, Callable[..., BaseModel]] = {"report check": report_check}
