"""Commands of this room: `labs interpret`, `calc list`, `calc`, `calc explain`, `case show`, `case import-fhir`, `case remember`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Protocol

import typer
from pydantic import BaseModel

from tools.case.demo import open_named
from tools.case.files import LoadedCase, load_case
from tools.case.record import Case, Patient
from tools.case.summary import CardData, summarize_case
from tools.deps import Deps
from tools.errors import BadInput
from tools.evidence import Evidence, Language, Status, ToolResult
from tools.labs.interpret import interpret_labs
from tools.labs.payload import LabsData, ObservationRow, PatternRow
from tools.labs.sheet import parse_labs
from tools.scores.base import Calculator
from tools.scores.explain import ExplainedBand, ExplainedItem, explain
from tools.scores.payload import ComponentRow, InputRow, Number
from tools.scores.registry import calculators, find, sources
from tools.scores.tool import calculated


class _Settings(Protocol):
    """What the commands of this room need of the settings."""

    cache_dir: Path


class _WeightSettings(_Settings, Protocol):
    """What `case remember` needs besides."""

    data_dir: Path
    weights: str | None


class Report(BaseModel):
    """Fields that every command gives."""

    status: Status
    reason: str | None = None
    warnings: tuple[str, ...] = ()


class LabsReport(Report):
    """`labs interpret`."""

    observations: tuple[ObservationRow, ...] = ()
    patterns: tuple[PatternRow, ...] = ()
    emergencies: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class CalcReport(Report):
    """`calc NAME`."""

    name: str
    value: float | None
    unit: str
    range: tuple[float | None, float | None]
    band: str | None
    band_zh: str | None
    bands_possible: list[str]
    inputs: dict[str, InputRow]
    missing: list[str]
    components: tuple[ComponentRow, ...]
    extra: dict[str, Number]
    source: str
    text: str | None = None
    text_zh: str | None = None


class CalcField(BaseModel):
    """One input of a calculator."""

    key: str
    en: str
    zh: str
    kind: str
    unit: str
    optional: bool
    choices: tuple[str, ...]


class CalcEntry(BaseModel):
    """One calculator of the list."""

    name: str
    en: str
    zh: str
    unit: str
    inputs: tuple[CalcField, ...]
    source: str


class CalcList(Report):
    """`calc list`."""

    calculators: tuple[CalcEntry, ...]


class ExplainReport(Report):
    """`calc explain NAME`."""

    name: str
    en: str
    zh: str
    unit: str
    items: tuple[ExplainedItem, ...]
    bands: tuple[ExplainedBand, ...]
    formula: str
    formula_zh: str
    source: str
    population: str
    population_zh: str


class CaseReport(Report):
    """`case show`."""

    case: Case
    summary: str
    studies: tuple[str, ...] = ()
    emergencies: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class ImportReport(Report):
    """`case import-fhir`."""

    written: str
    counts: dict[str, int]


def _deps(loaded: LoadedCase, cache_dir: Path, language: Language | None = None) -> Deps:
    return Deps(
        cache_dir=cache_dir, case=loaded.case, case_dir=loaded.folder, language=language or loaded.case.language, studies=loaded.studies
    )


def labs_interpret(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="Case (folder, FHIR bundle, demo id), a CSV or text file, or - for pasted text")],
    analyte: Annotated[list[str] | None, typer.Option(help="Only this analyte; may be repeated")] = None,
    age: Annotated[float | None, typer.Option(help="Age in years for a sheet without a case")] = None,
    sex: Annotated[str | None, typer.Option(help="male or female for a sheet without a case")] = None,
    lang: Annotated[str | None, typer.Option(help="en or zh")] = None,
) -> LabsReport:
    """Interpret laboratory values: flags, trends, critical values, patterns."""
    settings: _Settings = ctx.obj
    language = _language(lang)
    if source == "-" or (Path(source).is_file() and Path(source).suffix.casefold() in (".csv", ".tsv", ".txt")):
        text = sys.stdin.read() if source == "-" else _text(Path(source))
        if sex is not None and sex not in ("male", "female"):
            raise BadInput(f"--sex {sex!r} is not male or female")
        patient = Patient.model_validate({"age_years": age, "sex": sex or "unknown"})
        loaded = LoadedCase(Case(case_id="sheet", patient=patient, labs=parse_labs(text)), Path())
    else:
        loaded = open_named(source, settings.cache_dir)
    result = interpret_labs(_deps(loaded, settings.cache_dir, language), analyte or None)
    data = result.payload(LabsData) or LabsData()
    return LabsReport(
        status=result.status,
        reason=result.reason,
        warnings=(*loaded.warnings, *result.warnings),
        observations=data.observations,
        patterns=data.patterns,
        emergencies=result.emergencies,
        evidence=result.evidence,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name} is not UTF-8 text: {error}") from error


def _language(lang: str | None) -> Language | None:
    if lang is None:
        return None
    known: dict[str, Language] = {"en": "en", "zh": "zh"}
    if lang not in known:
        raise BadInput(f"--lang {lang!r} is not en or zh")
    return known[lang]


def calc_list() -> CalcList:
    """List the calculators with their inputs and sources."""
    return CalcList(status="ok", calculators=tuple(_entry(c) for c in calculators().values()))


def _entry(c: Calculator) -> CalcEntry:
    fields = tuple(
        CalcField(key=f.key, en=f.en, zh=f.zh, kind=f.kind, unit=f.unit, optional=f.optional, choices=f.choices) for f in c.fields
    )
    return CalcEntry(name=c.name, en=c.en, zh=c.zh, unit=c.unit, inputs=fields, source=sources()[c.name].text)


def calc(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Calculator, see `calc list`")],
    case: Annotated[str | None, typer.Option(help="Case to take inputs from")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value[unit]; may be repeated")] = None,
    lang: Annotated[str | None, typer.Option(help="en or zh")] = None,
) -> CalcReport:
    """Calculate a score or formula; a missing input gives the possible range."""
    settings: _Settings = ctx.obj
    loaded = open_named(case, settings.cache_dir) if case else None
    language = _language(lang)
    deps = _deps(loaded, settings.cache_dir, language) if loaded else Deps(cache_dir=settings.cache_dir, language=language or "en")
    result = calculated(deps, find(name), _pairs(set_ or []))
    first = result.evidence[0] if result.evidence else None
    return CalcReport.model_validate(
        {
            **dict(result.data or ()),
            "status": result.status,
            "reason": result.reason,
            "warnings": (*(loaded.warnings if loaded else ()), *result.warnings),
            "text": first.text if first else None,
            "text_zh": first.text_zh if first else None,
        }
    )


def calc_explain(name: Annotated[str, typer.Argument(help="Calculator, see `calc list`")]) -> ExplainReport:
    """Say what a calculator scores, what its result means, how it is computed, for whom, and where it comes from."""
    return ExplainReport.model_validate({"status": "ok", **dict(explain(name))})


def _pairs(items: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in items:
        key, equals, value = text.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise BadInput(f"--set {text!r} is not key=value[unit], for example --set urea=11.2mmol/L")
        pairs[key.strip()] = value.strip()
    return pairs


def case_show(
    ctx: typer.Context,
    case: Annotated[str, typer.Argument(help="Case folder, FHIR bundle, study, or demo id")],
    lang: Annotated[str | None, typer.Option(help="en or zh")] = None,
) -> CaseReport:
    """Show a case on one page."""
    settings: _Settings = ctx.obj
    loaded = open_named(case, settings.cache_dir)
    result: ToolResult = summarize_case(_deps(loaded, settings.cache_dir, _language(lang)))
    return CaseReport(
        status=result.status,
        reason=result.reason,
        warnings=(*loaded.warnings, *result.warnings),
        case=loaded.case,
        summary=card.card if (card := result.payload(CardData)) is not None else "",
        studies=tuple(loaded.studies),
        emergencies=result.emergencies,
        missing=result.missing,
    )


def case_import_fhir(
    bundle: Annotated[Path, typer.Argument(help="FHIR R4 bundle (JSON) of one patient")],
    out: Annotated[Path, typer.Option(help="Folder for case.json; created")],
) -> ImportReport:
    """Import a FHIR R4 bundle as a de-identified case folder."""
    loaded = load_case(bundle)
    target = out / "case.json"
    if target.exists():
        raise BadInput(f"{target.name} already exists in {out.name!r}; choose another folder")
    out.mkdir(parents=True, exist_ok=True)
    target.write_text(loaded.case.model_dump_json(indent=2, exclude_none=True) + "\n", encoding="utf-8")
    c = loaded.case
    counts = {
        "labs": len(c.labs),
        "vitals": len(c.vitals),
        "conditions": len(c.patient.conditions),
        "medications": len(c.medications),
        "allergies": len(c.patient.allergies),
    }
    return ImportReport(status="ok", warnings=loaded.warnings, written=str(target), counts=counts)


class RememberReport(Report):
    """`case remember`."""

    name: str
    studies: int


def case_remember(
    ctx: typer.Context,
    study: Annotated[Path, typer.Argument(help="DICOM folder, .zip of one, or .nii/.nii.gz.")],
    name: Annotated[str, typer.Option(help="Pseudonym to show with a hit; no identity.")],
    note: Annotated[str, typer.Option(help="A few words to show with a hit; no identity.")] = "",
) -> RememberReport:
    """Add a CT study to the own cases that `find_similar_cases` searches with the weights in use."""
    from medmpt_backend.inference.engine import MedMPTEngine
    from medmpt_backend.weights.store import WeightsStore
    from tools.imaging.similar_cases import remember_study

    settings: _WeightSettings = ctx.obj
    engine = MedMPTEngine.open(WeightsStore(settings.data_dir).active(settings.weights), settings.cache_dir)
    return RememberReport(status="ok", name=name, studies=remember_study(study, name, note, settings.data_dir / "cases", engine))


COMMANDS: dict[str, Callable[..., BaseModel]] = {
    "labs interpret": labs_interpret,
    "calc list": calc_list,
    "calc": calc,
    "calc explain": calc_explain,
    "case show": case_show,
    "case import-fhir": case_import_fhir,
    "case remember": case_remember,
}
