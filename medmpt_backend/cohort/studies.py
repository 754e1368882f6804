"""One study of the virtual cohort: patient, scan, images, truth and reports, from a seed and an index alone."""

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from medmpt_backend.cohort.anatomy import Canvas, Habitus
from medmpt_backend.cohort.findings import PaintedFinding
from medmpt_backend.cohort.growth import grow
from medmpt_backend.cohort.patients.patient import VirtualPatient, draw_habitus, draw_patient, draw_scan, paint_patient
from medmpt_backend.cohort.reports import write_reports
from medmpt_backend.cohort.thorax import Scan, SyntheticStudy, finish, start
from medmpt_backend.cohort.truth import Prior, Truth, truth_of

Split = Literal["train", "val", "test"]
Shape = tuple[int, int, int]
Language = Literal["zh", "en"]

TRAINING_SHAPE: Shape = (48, 160, 160)
# Shares of patients, by a hash of their id: a patient is in one split whatever else is generated.
VAL_SHARE, TEST_SHARE = 0.075, 0.075
# A painter may find no room for a lesion in a small lobe; the patient is then drawn again.
_ATTEMPTS = 6


@dataclass(frozen=True, eq=False)
class CohortStudy:
    """One generated study.

    Attributes:
        id: `SEED-INDEX`, of a follow-up `SEED-INDEX-fMONTHS`.
        split: Of the patient.
        patient: Who and how ill.
        habitus: Body shape and contrast.
        scan: How it was scanned.
        study: HU, lobes and masks.
        truth: Labels, classes and figures.
        reports: `zh` and `en`.
        language: Language of the report that training uses.
    """

    id: str
    split: Split
    patient: VirtualPatient
    habitus: Habitus
    scan: Scan
    study: SyntheticStudy
    truth: Truth
    reports: dict[str, str]
    language: Language


def study_id(seed: int, index: int) -> str:
    """Id of a study."""
    return f"{seed}-{index:06d}"


def split_of(patient_id: str) -> Split:
    """Split of a patient, from a hash of the id."""
    share = int.from_bytes(hashlib.sha256(patient_id.encode()).digest()[:8], "big") / 2**64
    return "test" if share < TEST_SHARE else "val" if share < TEST_SHARE + VAL_SHARE else "train"


def generate(seed: int, index: int, shape: Shape | None = None, disease: str | None = None) -> CohortStudy:
    """Generate one study; it depends on the arguments alone.

    Args:
        seed: Seed of the cohort.
        index: Number of the study.
        shape: `(D, H, W)`; by default `TRAINING_SHAPE` and for one study in ten a finer one.
        disease: Disease id; by default drawn.

    Raises:
        ValueError: No patient could be painted at this shape.
    """
    rng, drawn = _paint(seed, index, shape, disease)
    study = finish(rng, drawn.canvas, drawn.scan, drawn.painted)
    name = study_id(seed, index)
    return _complete(rng, name, name, drawn, drawn.patient, study)


def generate_followup(seed: int, index: int, months: int, shape: Shape | None = None, disease: str | None = None) -> CohortStudy:
    """The study of the same patient `months` later: the same body and findings, tumours grown, and a new scan.

    Args:
        seed: Seed of the cohort.
        index: Number of the patient's first study.
        months: 1 or more.
        shape: As given to `generate` for the first study.
        disease: As given to `generate` for the first study.

    Raises:
        ValueError: No patient could be painted at this shape, or `months` is below 1.
    """
    if months < 1:
        raise ValueError(f"a follow-up comes at least a month later, not {months}")
    _, drawn = _paint(seed, index, shape, disease)
    rng = np.random.default_rng([seed, index, _FOLLOW_UP + months])
    painted, changes = grow(rng, drawn.canvas, drawn.painted, months)
    patient = replace(drawn.patient, age=drawn.patient.age + months // 12)
    scan = replace(drawn.scan, noise_hu=float(np.clip(drawn.scan.noise_hu * rng.lognormal(0, 0.15), 3, 25)))
    first = study_id(seed, index)
    prior = Prior(study=first, months=months, changes=changes)
    study = finish(rng, drawn.canvas, scan, painted)
    return _complete(rng, f"{first}-f{months:02d}", first, replace(drawn, scan=scan), patient, study, prior)


# Third number of the seed of a follow-up; attempts of the first study count from 1.
_FOLLOW_UP = 1000


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A painted patient before the scan."""

    patient: VirtualPatient
    habitus: Habitus
    scan: Scan
    canvas: Canvas
    painted: tuple[PaintedFinding, ...]


def _paint(seed: int, index: int, shape: Shape | None, disease: str | None) -> tuple[np.random.Generator, _Drawn]:
    for attempt in range(_ATTEMPTS):
        rng = np.random.default_rng([seed, index] if attempt == 0 else [seed, index, attempt])
        try:
            patient = draw_patient(rng, disease)
            habitus = draw_habitus(rng, patient)
            scan = draw_scan(rng, shape or _shape(rng), habitus, low_dose=patient.screening)
            canvas = start(rng, scan, habitus)
            return rng, _Drawn(patient, habitus, scan, canvas, paint_patient(rng, canvas, patient))
        except ValueError:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _complete(
    rng: np.random.Generator,
    name: str,
    first: str,
    drawn: _Drawn,
    patient: VirtualPatient,
    study: SyntheticStudy,
    prior: Prior | None = None,
) -> CohortStudy:
    truth = truth_of(patient, study, drawn.habitus, prior)
    language: Language = "zh" if rng.random() < 0.6 else "en"
    split = split_of(first)
    return CohortStudy(name, split, patient, drawn.habitus, drawn.scan, study, truth, reports_of(name, patient.disease, truth), language)


def reports_of(name: str, disease: str, truth: Truth, again: int = 0) -> dict[str, str]:
    """Both reports of a study; they depend on its id, its truth and the phrases alone. `again` above 0 tells it in other words."""
    digest = hashlib.sha256(f"report {name}{f' again {again}' if again else ''}".encode()).digest()
    return write_reports(np.random.default_rng(int.from_bytes(digest[:8], "big")), disease, truth)


def _shape(rng: np.random.Generator) -> Shape:
    if rng.random() >= 0.1:
        return TRAINING_SHAPE
    side = int(rng.integers(22, 25)) * 8
    return int(rng.integers(56, 65)), side, side
