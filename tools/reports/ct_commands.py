"""`medmpt ct classify` and `ct report`: the tools of the same work, on one study; the model's raw words only with `--raw`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel

from medmpt_backend import ct_commands as raw_model
from medmpt_backend.command_types import ValidityRecord, open_engine, settings_of
from medmpt_backend.errors import Unavailable
from medmpt_backend.imaging.load import load_volume
from tools.deps import Deps
from tools.evidence import Status
from tools.imaging.model_tools import classify_ct
from tools.imaging.results.model import CardRow, Classified, ClassRow, DetectedRow
from tools.reports.drafting import draft_report
from tools.reports.payload import DraftData, SentenceRow, WithheldRow
from tools.wording import in_language, localised_result

_Study = Annotated[Path, typer.Argument(help="DICOM folder, .zip of one, or .nii/.nii.gz.")]
_Precision = Annotated[str, typer.Option(help="auto, fp32, bf16 or int8.")]
_Anyway = Annotated[
    bool, typer.Option("--out-of-domain", help="With --raw: what the model says of a study it cannot judge, every line marked.")
]
_STUDY = "ct-1"


class ClassifyOut(BaseModel):
    """Result of `ct classify`."""

    status: Status
    reason: str | None
    warnings: tuple[str, ...]
    task: str = "findings"
    findings: tuple[DetectedRow, ...]
    classes: tuple[ClassRow, ...] = ()
    validity: ValidityRecord | None


class SentenceOut(BaseModel):
    """One sentence of a draft, what it comes from, and where to look."""

    text: str
    origin: Literal["measured", "model", "metadata", "rule", "not_assessed"]
    evidence: str | None
    locator: str | None


class SectionOut(BaseModel):
    """One section of a draft."""

    name: str
    sentences: tuple[SentenceOut, ...]


class ReportOut(BaseModel):
    """Result of `ct report`: a preliminary report; a person has to sign it."""

    status: Status
    reason: str | None
    warnings: tuple[str, ...]
    sections: tuple[SectionOut, ...]
    withheld: tuple[WithheldRow, ...] = ()
    validity: ValidityRecord | None


def classify(
    ctx: typer.Context,
    path: _Study,
    task: Annotated[str | None, typer.Option(help="With --raw: another head than `findings`.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="The bare scores of the head.")] = False,
    precision: _Precision = "auto",
    anyway: _Anyway = False,
) -> ClassifyOut | raw_model.Classified:
    """Findings of a CT with calibrated probabilities, sides and slices; none outside the domain of the weights."""
    if raw or anyway or task is not None:
        return raw_model.classify(ctx, path, task, precision, anyway)
    read = load_volume(path).warnings
    deps = Deps(cache_dir=settings_of(ctx).cache_dir, studies={_STUDY: path.resolve()}, engine=open_engine(ctx, precision))
    result = classify_ct(deps, _STUDY)
    data = result.payload(Classified)
    outside = result.status == "out_of_domain"
    return ClassifyOut(
        status=result.status,
        reason=result.reason,
        warnings=(*read, *result.warnings),
        findings=data.findings if data is not None and not outside else (),
        classes=data.classes if data is not None and not outside else (),
        validity=_validity(data.validity if data is not None else None),
    )


def report(
    ctx: typer.Context,
    path: _Study,
    lang: Annotated[Literal["en", "zh"], typer.Option(help="Language of the draft.")] = "en",
    raw: Annotated[bool, typer.Option("--raw", help="The decoder's own text, compared with nothing.")] = False,
    precision: _Precision = "auto",
    anyway: _Anyway = False,
) -> ReportOut | raw_model.ReportDrafted:
    """Draft a report, as the assistant does; preliminary until a person signs it.

    Sentences of the decoder that a detector contradicts are withheld and listed. Without weights, or outside their domain, the draft is
    built from measurements.
    """
    if raw or anyway:
        return raw_model.report(ctx, path, lang, precision, anyway)
    read = (in_language(said, lang) for said in load_volume(path).warnings)
    try:
        engine = open_engine(ctx, precision)
    except Unavailable:
        engine = None
    deps = Deps(cache_dir=settings_of(ctx).cache_dir, studies={_STUDY: path.resolve()}, engine=engine, language=lang)
    result = localised_result(draft_report(deps, _STUDY), lang)
    data = result.payload(DraftData) or DraftData()
    places = {e.key: e.locator for e in result.evidence}
    sections = (
        SectionOut(name=s.name, sentences=tuple(_sentence(row, s.name, lang, places) for row in s.sentences)) for s in data.sections
    )
    return ReportOut(
        status=result.status,
        reason=result.reason,
        warnings=tuple(dict.fromkeys((*read, *result.warnings))),
        sections=tuple(sections),
        withheld=data.withheld,
        validity=_validity(data.validity),
    )


def _sentence(row: SentenceRow, section: str, lang: str, places: dict[str, str | None]) -> SentenceOut:
    text = row.text_zh if lang == "zh" and row.text_zh else row.text
    fixed: Literal["not_assessed", "rule"] = "not_assessed" if section == "limits" else "rule"
    origin = fixed if row.origin == "template" else row.origin
    return SentenceOut(text=text, origin=origin, evidence=row.evidence, locator=places.get(row.evidence))


def _validity(card: CardRow | None) -> ValidityRecord | None:
    if card is None:
        return None
    return ValidityRecord(
        domain=card.domain, distance=card.distance, weights=card.weights, trained_on=card.trained_on, licence=card.licence
    )


COMMANDS: dict[str, Callable[..., BaseModel]] = {"ct classify": classify, "ct report": report}
