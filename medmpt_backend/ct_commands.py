"""`medmpt ct encode|explain|encode-archive`, and the model's raw words for `ct classify --raw` and `ct report --raw`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer
from pydantic import BaseModel

from medmpt_backend.command_types import CommandResult, ValidityRecord, active_weights, judged, open_engine, settings_of, validity_record
from medmpt_backend.errors import BackendError, BadInput
from medmpt_backend.messages import Said, joined, messages

if TYPE_CHECKING:
    from medmpt_backend.imaging.volume import Volume
    from medmpt_backend.inference.encodings import Encoding
    from medmpt_backend.inference.engine import MedMPTEngine
    from medmpt_backend.inference.results import FindingScore
    from medmpt_backend.model.precision import Precision

_Anyway = Annotated[bool, typer.Option("--out-of-domain", help="Show what the model says of a study it cannot judge, every line marked.")]
message = messages("medmpt_backend.inference").said
_MARK = message("[out of domain] ")
_Study = Annotated[Path, typer.Argument(help="DICOM folder, .zip of one, or .nii/.nii.gz.")]


class Encoded(CommandResult):
    """Where the arrays went."""

    file: str
    arrays: dict[str, list[int]]
    config_hash: str
    weights: str
    validity: ValidityRecord


class FindingRecord(BaseModel):
    """One label of a head."""

    id: str
    name: str
    name_zh: str
    probability: float
    calibrated: bool
    threshold: float | None
    present: bool | None
    side: str | None
    slices: list[int]


class Classified(CommandResult):
    """All labels of one task."""

    task: str
    findings: list[FindingRecord]
    validity: ValidityRecord


class SentenceRecord(BaseModel):
    """One sentence of a draft and where it comes from."""

    text: str
    origin: Literal["measured", "model", "metadata", "rule", "not_assessed"]
    evidence: str | None = None


class SectionRecord(BaseModel):
    """One section of a draft."""

    name: str
    sentences: list[SentenceRecord]


class ReportDrafted(CommandResult):
    """A preliminary report; a person has to sign it."""

    sections: list[SectionRecord]
    validity: ValidityRecord


class HeatmapRecord(BaseModel):
    """One label's heatmap file."""

    finding: str
    file: str
    key_slices: list[int]


class Explained(CommandResult):
    """Heatmap files of the most probable labels."""

    heatmaps: list[HeatmapRecord]
    validity: ValidityRecord


class BadStudy(BaseModel):
    """A study of an archive that was left out."""

    study: str
    reason: str


class ArchiveEncoded(CommandResult):
    """What became of an archive."""

    file: str
    encoded: int
    skipped: int
    bad: list[BadStudy]


def _open(ctx: typer.Context, path: Path, precision: str = "auto") -> "tuple[MedMPTEngine, Volume]":
    engine = open_engine(ctx, precision)
    from medmpt_backend.imaging.load import load_volume

    return engine, load_volume(path)


def encode(
    ctx: typer.Context,
    path: _Study,
    out: Annotated[Path, typer.Option("--out", help="File to write, .npz.")],
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or int8.")] = "auto",
) -> Encoded:
    """Embed a chest CT: scan and slice embeddings as arrays."""
    import numpy as np
    from numpy.typing import NDArray

    engine, volume = _open(ctx, path, precision)
    found = engine.encode(volume)
    arrays: dict[str, NDArray[np.generic]] = {"scan": found.scan, "slices": found.slices, "slice_index": found.slice_index}
    try:
        with out.open("wb") as file:
            np.savez(file, **arrays, config_hash=np.array(found.config_hash), weights=np.array(found.validity.weights))  # type: ignore[arg-type]
    except OSError as error:
        raise BadInput(f"{out.name!r} cannot be written: {error.strerror}; choose another --out") from error
    status, reason, warnings = judged(found.validity)
    return Encoded(
        status=status,
        reason=reason,
        warnings=[*volume.warnings, *warnings],
        file=out.name,
        arrays={name: list(array.shape) for name, array in arrays.items()},
        config_hash=found.config_hash,
        weights=found.validity.weights,
        validity=validity_record(found.validity),
    )


def classify(
    ctx: typer.Context,
    path: _Study,
    task: Annotated[str | None, typer.Option(help="Head; default: findings, or the only one.")] = None,
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or int8.")] = "auto",
    anyway: _Anyway = False,
) -> Classified:
    """Probabilities of the findings that the installed weights know; none outside their domain."""
    engine, volume = _open(ctx, path, precision)
    chosen = task or ("findings" if "findings" in engine.config.heads else next(iter(engine.config.heads), "findings"))
    result = engine.classify(volume, chosen)
    status, reason, warnings = judged(result.validity)
    outside = result.validity.domain == "out"
    findings = [] if outside and not anyway else [_record(f, outside) for f in result.findings]
    if findings and not findings[0].calibrated:
        warnings.append("these probabilities are not calibrated")
    return Classified(
        status=status,
        reason=reason,
        warnings=[*volume.warnings, *warnings],
        task=result.task,
        findings=findings,
        validity=validity_record(result.validity),
    )


def _record(f: "FindingScore", outside: bool) -> FindingRecord:
    """One label; outside the domain it is marked, and neither calibrated nor decided."""
    record = FindingRecord(**{**vars(f), "slices": list(f.slices)})
    if not outside:
        return record
    marked = {"name": _MARK + record.name, "name_zh": _MARK.zh + record.name_zh, "calibrated": False, "present": None}
    return record.model_copy(update=marked)


_NO_LABEL = message("No label of the model reached its threshold; this does not say that the study is normal.")
_NOT_ASSESSED = message("Not assessed by the model: sides of findings, abdomen, bones, soft tissue, comparison with earlier studies.")


_SUGGESTED = message("{name}: suggested, probability {probability:.2f}.")
_SCORED = message("{name}: model score, probability {probability:.2f}.")


def _classified_sentences(engine: "MedMPTEngine", volume: "Volume", lang: Literal["en", "zh"]) -> list[SentenceRecord]:
    out = []
    for f in engine.classify(volume, "findings").findings:
        if f.present is None or f.present:
            slices = joined((str(s) for s in f.slices), ", ", "、").say(lang)
            said = _SUGGESTED if f.present is not None else _SCORED
            text = said.fill(name=Said(f.name, f.name_zh), probability=f.probability).say(lang)
            out.append(SentenceRecord(text=text, origin="model", evidence=f"slices {slices}" if slices else None))
    return out or [SentenceRecord(text=_NO_LABEL.say(lang), origin="model")]


def _sections(
    engine: "MedMPTEngine", volume: "Volume", encoding: "Encoding", lang: Literal["en", "zh"], mark: str
) -> tuple[list[SectionRecord], list[str]]:
    """What the model writes, by section, and what is unsure about it; every sentence begins with `mark`."""
    sections: list[SectionRecord] = []
    warnings: list[str] = []
    if engine.serves("report"):
        draft = engine.draft_findings(encoding)
        sentences = [
            SentenceRecord(
                text=mark + s.text, origin="model", evidence=f"slices {', '.join(map(str, s.slices))}; log-probability {s.logprob:.2f}"
            )
            for s in draft.sentences
        ]
        sections.append(SectionRecord(name="findings", sentences=sentences))
        if not draft.laterality_verified:
            warnings.append("left and right in the model's sentences are unverified")
    if engine.serves("findings"):
        scored = _classified_sentences(engine, volume, lang)
        marked = [s.model_copy(update={"text": mark + s.text}) for s in scored]
        sections.append(SectionRecord(name="scores", sentences=marked))
    return sections, warnings


_NO_PRIOR = message("No earlier study was given for comparison.")


def _by_measurement(volume: "Volume", lang: Literal["en", "zh"]) -> list[SectionRecord]:
    """Sections of a scan that the model does not judge; a scan that cannot be measured either gives the reason."""
    from medmpt_backend.imaging.draft.write import measured_draft
    from medmpt_backend.imaging.quantify import quantify

    try:
        drafted = measured_draft(quantify(volume))
    except BackendError as error:
        said = [SentenceRecord(text=str(error), origin="not_assessed"), SentenceRecord(text=_NOT_ASSESSED.say(lang), origin="not_assessed")]
        return [SectionRecord(name="limits", sentences=said)]
    found: dict[str, list[SentenceRecord]] = {}
    for s in drafted:
        place = (s.source and f"{s.source} ({s.year})") or (f"slice {s.slice}" if s.slice is not None else None)
        if s.section != "technique" and "comparison" not in found:
            found["comparison"] = [SentenceRecord(text=_NO_PRIOR.say(lang), origin="metadata")]
        found.setdefault(s.section, []).append(SentenceRecord(text=s.zh if lang == "zh" else s.en, origin=s.origin, evidence=place))
    return [SectionRecord(name=name, sentences=rows) for name, rows in found.items()]


def report(
    ctx: typer.Context,
    path: _Study,
    lang: Annotated[Literal["en", "zh"], typer.Option(help="Language of what is not written by the model.")] = "en",
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or int8.")] = "auto",
    anyway: _Anyway = False,
) -> ReportDrafted:
    """Draft a report; preliminary until a person signs it. Outside the model's domain it is built from measurements alone."""
    engine, volume = _open(ctx, path, precision)
    if not engine.serves("report") and not engine.serves("findings"):
        engine.require("report")
    encoding = engine.encode(volume)
    status, reason, warnings = judged(encoding.validity)
    outside = encoding.validity.domain == "out"
    sections, unsure = ([], []) if outside and not anyway else _sections(engine, volume, encoding, lang, _MARK.say(lang) if outside else "")
    warnings += unsure
    if outside:
        sections = [*_by_measurement(volume, lang), *sections]
    else:
        sections.append(SectionRecord(name="limits", sentences=[SentenceRecord(text=_NOT_ASSESSED.say(lang), origin="not_assessed")]))
    return ReportDrafted(
        status=status,
        reason=reason,
        warnings=[*volume.warnings, *warnings],
        sections=sections,
        validity=validity_record(encoding.validity),
    )


def explain(
    ctx: typer.Context,
    path: _Study,
    out: Annotated[Path, typer.Option("--out", help="Folder for the heatmaps.")],
    task: Annotated[str, typer.Option(help="Head.")] = "findings",
    label: Annotated[list[str] | None, typer.Option(help="Label; may be repeated. Default: the three most probable.")] = None,
    method: Annotated[Literal["gradient", "rollout", "patch"], typer.Option(help="How relevance is found.")] = "gradient",
    anyway: _Anyway = False,
) -> Explained:
    """Write heatmaps of what the model looked at: one .npz and one .png per label; none outside its domain."""
    from medmpt_backend.inference.heatmaps import write_heatmap

    engine, volume = _open(ctx, path)
    result = engine.classify(volume, task)
    status, reason, warnings = judged(result.validity)
    outside = result.validity.domain == "out"
    if outside and not anyway:
        return Explained(
            status=status,
            reason=reason,
            warnings=[*volume.warnings, *warnings],
            heatmaps=[],
            validity=validity_record(result.validity),
        )
    labels = label or [f.id for f in sorted(result.findings, key=lambda f: -f.probability)[:3]]
    out.mkdir(parents=True, exist_ok=True)
    records = []
    for name in labels:
        found = engine.explain(volume, name, task, method)
        file = write_heatmap(found, volume, out)
        shown = (_MARK if outside else "") + name
        records.append(HeatmapRecord(finding=shown, file=file.name, key_slices=list(found.key_slices)))
    return Explained(
        status=status,
        reason=reason,
        warnings=[*volume.warnings, *warnings],
        heatmaps=records,
        validity=validity_record(result.validity),
    )


def encode_archive(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(help="Folder with studies at any depth.")],
    out: Annotated[Path, typer.Option("--out", help="Parquet file to write; an unfinished run is continued.")],
    ray: Annotated[str | None, typer.Option(help="Address of a Ray cluster, auto, or local; default: this process only.")] = None,
    actors: Annotated[int, typer.Option(help="Engines on the cluster.")] = 1,
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or int8.")] = "auto",
) -> ArchiveEncoded:
    """Embed a whole archive into one Parquet file: study, scan, slices, domain, distance, config_hash."""
    from tqdm import tqdm

    from medmpt_backend.inference import archive

    settings = settings_of(ctx)
    plan = archive.ArchivePlan(
        source.resolve(), out.resolve(), active_weights(settings).resolve(), settings.cache_dir.resolve(), cast("Precision", precision)
    )
    with tqdm(desc="studies", file=sys.stderr, disable=None) as bar:
        found = archive.encode_archive(plan, ray, actors, lambda _: bar.update() and None)
    bad = [BadStudy(study=study, reason=reason) for study, reason in found.bad]
    status: Literal["ok", "partial", "empty"] = "empty" if not found.encoded else "partial" if bad else "ok"
    reason = f"{len(bad)} studies could not be encoded" if bad else None
    return ArchiveEncoded(status=status, reason=reason, file=out.name, encoded=found.encoded, skipped=found.skipped, bad=bad)


COMMANDS: dict[str, Callable[..., BaseModel]] = {
    "ct encode": encode,
    "ct encode-archive": encode_archive,
    "ct explain": explain,
}
