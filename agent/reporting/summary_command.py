"""`medmpt case summary`: the case on one page for ward round, handover or tumour board."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel

from agent.settings import Settings
from tools.errors import BadInput
from tools.evidence import Evidence, Language
from tools.summary.record import AUDIENCES, Audience, SummarySection


class SummaryOut(BaseModel):
    """Result of `case summary`: sections with lines in the order of danger, each with the keys of its evidence."""

    status: Literal["ok", "partial"] = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    title: str
    case_id: str
    language: Language
    audience: Audience
    sections: tuple[SummarySection, ...]
    evidence: tuple[Evidence, ...]
    file: str | None = None


def case_summary(
    ctx: typer.Context,
    case: Annotated[str, typer.Argument(help="Demo case id, case folder, FHIR bundle, or one CT study")],
    audience: Annotated[str, typer.Option("--for", help=", ".join(AUDIENCES))] = "ward",
    lang: Annotated[str | None, typer.Option(help="en or zh; default that of the case")] = None,
    form: Annotated[str, typer.Option("--format", help="pdf, docx, md; of the file of --out")] = "pdf",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the page to this file")] = None,
) -> SummaryOut:
    """The case on one page: problems in order of danger, what changed, contradictions, open questions; no language model."""
    from agent.reporting.files import page_file
    from agent.resources import House
    from tools.deps import Deps
    from tools.reports.document.files import write_whole
    from tools.summary.page import sheet_of, summarise

    chosen = next((a for a in AUDIENCES if a == audience), None)
    if chosen is None:
        raise BadInput(f"--for {audience!r} is not known: use {', '.join(AUDIENCES)}")
    if lang not in (None, "en", "zh"):
        raise BadInput(f"--lang {lang!r} is not known: use en or zh")
    settings: Settings = ctx.obj
    house = House(settings)
    loaded = house.load_case(case)
    language: Language = "zh" if (lang or loaded.case.language) == "zh" else "en"
    engine = house.engine()
    deps = Deps(cache_dir=settings.cache_dir, case=loaded.case, studies=loaded.studies, engine=engine, drugs=house.drugs())
    page = summarise(deps, chosen)
    if out is not None:
        write_whole(out, page_file(sheet_of(page, language), "summary", form).body)
    silent = engine is None and bool(loaded.studies)
    return SummaryOut(
        status="partial" if silent else "ok",
        reason="no weights are installed, so the CT is measured only: medmpt weights import CHECKPOINT" if silent else None,
        warnings=loaded.warnings,
        title=page.title_zh if language == "zh" else page.title,
        case_id=page.case_id,
        language=language,
        audience=chosen,
        sections=page.sections,
        evidence=page.evidence,
        file=str(out) if out else None,
    )


COMMANDS: dict[str, Callable[..., BaseModel]] = {"case summary": case_summary}
