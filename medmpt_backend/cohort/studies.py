"""One study of the virtual cohort: patient, scan, images, truth and reports, from a seed and an index alone."""

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np

from medmpt_backend.cohort.anatomy import Habitus
from medmpt_backend.cohort.patients.patient import VirtualPatient, draw_habitus, draw_patient, draw_scan, paint_patient
from medmpt_backend.cohort.reports import write_reports
from medmpt_backend.cohort.thorax import Scan, SyntheticStudy, finish, start
from medmpt_backend.cohort.truth import Truth, truth_of

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
        id: `SEED-INDEX`.
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
    for attempt in range(_ATTEMPTS):
        rng = np.random.default_rng([seed, index] if attempt == 0 else [seed, index, attempt])
        try:
            return _draw(rng, study_id(seed, index), shape, disease)
        except ValueError:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _draw(rng: np.random.Generator, name: str, shape: Shape | None, disease: str | None) -> CohortStudy:
    patient = draw_patient(rng, disease)
    habitus = draw_habitus(rng, patient)
    scan = draw_scan(rng, shape or _shape(rng), habitus, low_dose=patient.screening)
    canvas = start(rng, scan, habitus)
    study = finish(rng, canvas, scan, paint_patient(rng, canvas, patient))
    truth = truth_of(patient, study, habitus)
    language: Language = "zh" if rng.random() < 0.6 else "en"
    return CohortStudy(name, split_of(name), patient, habitus, scan, study, truth, write_reports(rng, patient, truth), language)


def _shape(rng: np.random.Generator) -> Shape:
    if rng.random() >= 0.1:
        return TRAINING_SHAPE
    side = int(rng.integers(22, 25)) * 8
    return int(rng.integers(56, 65)), side, side
