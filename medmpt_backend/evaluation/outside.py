"""Part `domain`: are strange studies recognised as such, and do claims follow the image?

* Corruptions of test studies and other settings of the generator against the test studies: AUROC of the domain distance.
* Every real scan that is found: flagged by the measured distance, and does the classifier abstain?
* Claims after the image was replaced by a blank or by another patient's: the share of studies whose claim changes.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from medmpt_backend.cohort import demo
from medmpt_backend.errors import BackendError
from medmpt_backend.evaluation.corruptions import CORRUPTIONS, corrupt
from medmpt_backend.evaluation.figures import Figure, PartResult, Resampler, figure, weighted_auc
from medmpt_backend.evaluation.settings import SETTINGS, volumes
from medmpt_backend.evaluation.text.context import Context
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from medmpt_backend.inference.appearance import input_statistics
from medmpt_backend.inference.preprocess import prepare
from medmpt_backend.inference.training_domain import EMBEDDING, DomainModel

Array = NDArray[np.float64]
_CORRUPTED, _PER_SETTING = 25, 6


def run(context: Context, corrupted: int = _CORRUPTED, per_setting: int = _PER_SETTING, demos: int = 5) -> PartResult:
    """Measure the domain check."""
    result = PartResult(name="domain")
    model = DomainModel.load(context.weights.folder)
    if model is None:
        result.notes.append("the weights carry no statistics of their training studies")
        return result
    whole = _distances(model, context.found.scan, context.found.inputs)
    inputs = _distances(model, None, context.found.inputs)
    flagged = whole > model.threshold
    result.figures["limit"] = Figure(value=round(model.threshold, 4))
    result.figures["test_studies/flagged"] = figure(context.resampler.mean(flagged.astype(float)), len(whole))
    result.figures["test_studies/median_distance"] = Figure(value=round(float(np.median(whole)), 4), n=len(whole))
    if set(model.blocks) == {EMBEDDING}:
        result.notes.append("the weights judge by the scan embedding alone: corruptions and settings were left out")
    else:
        odd = _corrupted(context, model, corrupted) | _settings(context, model, per_setting)
        for name, distances in odd.items():
            samples = _auroc(context, inputs, distances)
            result.figures[f"auroc/{name}"] = figure(samples, len(distances))
            result.figures[f"flagged/{name}"] = Figure(value=round(float((distances > model.threshold).mean()), 4), n=len(distances))
        everything = np.concatenate(list(odd.values()))
        result.figures["auroc/all"] = figure(_auroc(context, inputs, everything), len(everything))
        result.notes.append("corruptions and settings are judged by the input statistics alone, without the scan embedding")
        result.notes += [f"{name}: {meaning}" for name, (meaning, _) in CORRUPTIONS.items()]
        result.notes += [f"{name}: {setting.meaning}" for name, setting in SETTINGS.items()]
    _demo_cases(context, model, result, demos)
    _real_scans(context, model, result)
    return result


def _distances(model: DomainModel, scans: NDArray[np.float32] | None, inputs: Mapping[str, NDArray[np.float32]]) -> Array:
    """Distance of each study from its embedding, where given, and its input statistics."""
    given = ({EMBEDDING: scans} if scans is not None else {}) | dict(inputs)
    found = [block.distance(given[name]) for name, block in model.blocks.items() if name in given]
    return np.max(found, 0) if found else np.full(len(next(iter(given.values()))), np.nan)


def _one(model: DomainModel, image: Tensor) -> float:
    rows = {name: values[None] for name, values in input_statistics(image).items()}
    return float(_distances(model, None, rows)[0])


def _corrupted(context: Context, model: DomainModel, count: int) -> dict[str, Array]:
    chosen = context.test.rows[:: max(1, len(context.test) // count)][:count]
    windows = context.weights.config.preprocess.windows
    out = {}
    for done, name in enumerate(CORRUPTIONS):
        images = (corrupt(name, context.test.data.image(i), windows, context.seed + i) for i in chosen)
        out[name] = np.array([_one(model, image) for image in images])
        if context.progress is not None:
            context.progress("corruptions", done + 1, len(CORRUPTIONS))
    return out


def _settings(context: Context, model: DomainModel, count: int) -> dict[str, Array]:
    vision, preprocess = context.weights.config.vision, context.weights.config.preprocess
    out = {}
    for done, name in enumerate(SETTINGS if count else ()):
        images = (prepare(v, preprocess, vision.slices, vision.image).image for v in volumes(name, context.seed, count))
        out[name] = np.array([_one(model, image) for image in images])
        if context.progress is not None:
            context.progress("other settings of the generator", done + 1, len(SETTINGS))
    return out


def _auroc(context: Context, inside: Array, odd: Array) -> Array:
    """AUROC of the distance; the bootstrap draws test studies and odd studies."""
    part = Resampler(len(odd), context.seed + 1, context.times)
    weights = np.concatenate([context.resampler.weights, part.weights], 1)
    target = np.r_[np.zeros(len(inside)), np.ones(len(odd))]
    return weighted_auc(np.r_[inside, odd], target, weights)


def _demo_cases(context: Context, model: DomainModel, result: PartResult, count: int) -> None:
    """The demo cases at full size: they must count as inside."""
    for done, recipe in enumerate(list(demo.RECIPES)[:count]):
        study = demo.generate(recipe, context.seed + 11)
        volume = Volume(study.hu, study.spacing, SeriesInfo("0" * 16, synthetic=True))
        _case(context, model, result, f"demo {recipe}", volume)
        if context.progress is not None:
            context.progress("demo cases", done + 1, count)


def real_scans(folder: Path) -> Iterator[Path]:
    """CT studies under a folder: NIfTI files, zips, and folders that hold DICOM files."""
    for path in sorted(folder.rglob("*")):
        holds_dicom = path.is_dir() and any(child.suffix.lower() == ".dcm" for child in path.iterdir())
        if holds_dicom or (path.is_file() and path.name.endswith((".nii", ".nii.gz"))):
            yield path


def _real_scans(context: Context, model: DomainModel, result: PartResult) -> None:
    found = list(real_scans(context.scans)) if context.scans is not None and context.scans.is_dir() else []
    if not found:
        result.notes.append("no real scans were found: name a folder of them with --scans")
        return
    before = len(result.cases)
    for path in found:
        try:
            volume = load_volume(path)
        except BackendError as error:
            result.cases.append({"study": path.name, "kind": "real", "flagged": True, "abstains": True, "reason": f"not read: {error}"})
            continue
        _case(context, model, result, path.name, volume)
    rows = result.cases[before:]
    for name in ("flagged", "abstains"):
        result.figures[f"real_scans/{name}"] = Figure(value=round(float(np.mean([bool(row[name]) for row in rows])), 4), n=len(rows))


def _case(context: Context, model: DomainModel, result: PartResult, name: str, volume: Volume) -> None:
    """One study through the engine: measured distance, verdict, and whether the classifier says anything."""
    from medmpt_backend.inference.engine import MedMPTEngine

    engine = MedMPTEngine.open(context.weights.folder, context.cache)
    encoding = engine.encode(volume)
    heads = [task for task in engine.config.heads if engine.serves(task) and engine.config.heads[task].kind == "multilabel"]
    silent = all(f.present is None for task in heads for f in engine.classify(encoding, task, 0).findings)
    distance = encoding.validity.distance
    measured = distance is not None and not distance <= model.threshold
    result.cases.append(
        {
            "study": name,
            "kind": "synthetic" if volume.series.synthetic else "real",
            "distance": None if distance is None else round(distance, 3),
            "limit": round(model.threshold, 3),
            "flagged": measured,
            "abstains": silent,
            "reason": encoding.validity.reason,
        }
    )
    if volume.series.synthetic:
        inside = [row for row in result.cases if row["kind"] == "synthetic"]
        share = float(np.mean([bool(row["flagged"]) for row in inside]))
        result.figures["demo_cases/flagged"] = Figure(value=round(share, 4), n=len(inside))
