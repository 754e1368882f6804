"""The truth of one virtual study: what was painted, as labels, classes and figures.

A label is 1 when a painted finding that means it can be seen, 0 when none was painted, and null when it cannot be judged: painted but
smaller than `VISIBLE` voxels, an embolus without contrast, air trapping without an expiratory scan.

Classes (null where a study is not a case of the question):

* `covid`: 1 COVID-19 pneumonia; 0 other viral, Pneumocystis, organising, drug and checkpoint, and bacterial pneumonias.
* `screening`: 1 primary lung cancer; 0 screening participants without cancer, and other patients with a nodule that is not one.
* `extent`: share of the lungs with ground glass, crazy paving or consolidation: 0 none, 1 to 25 %, 2 to 50 %, 3 above. It grades the CT,
  not the patient.
"""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from medmpt_backend.cohort.anatomy import Habitus
from medmpt_backend.cohort.findings import PaintedFinding, Side
from medmpt_backend.cohort.patients.patient import PULMONARY_ARTERY_MM, VirtualPatient, cardiothoracic_ratio, eligible
from medmpt_backend.cohort.screening import lung_rads, stage
from medmpt_backend.cohort.thorax import SyntheticStudy
from medmpt_backend.findings import COARSE, FINDINGS, FINE, PAINTED, painters

Label = Literal[0, 1] | None

# Painter id -> ids of `medmpt_backend.findings`: the coarse label that a CT-RATE reader would choose, then the finer ones.
MEANS: dict[str, tuple[str, ...]] = {key: (*f.painted.means, f.id) for key, f in PAINTED.items() if f.painted is not None}
# Labels with masks, in the order of the shards' mask channels; a model's head has the same order.
MASK_LABELS: tuple[str, ...] = (*COARSE, *(label for label in FINE if (painted := FINDINGS[label].painted) is not None and painted.channel))

# Fewest voxels that a reader can see; calcium and metal are seen sooner.
VISIBLE, VISIBLE_DENSE = 4, 2
DENSE = painters(lambda p: p.dense)
OPACITY = painters(lambda p: p.opacity)

_BACTERIAL = {"cap_lobar", "bronchopneumonia", "legionella", "aspiration"}
_NOT_COVID = _BACTERIAL | {"viral", "pneumocystis", "organising", "drug_pneumonitis", "checkpoint"}
_CANCER = {"lung_cancer_early", "lung_cancer_advanced", "checkpoint"}
_GRADED = _NOT_COVID | {"covid", "normal", "ards", "heart_failure", "abscess_empyema", "aspergillosis", "nsip_ctd"}
_FOCAL = painters(lambda p: p.nodule)


class FindingTruth(BaseModel):
    """One painted finding.

    Attributes:
        id: What was painted (key of `MEANS`).
        labels: The labels it makes positive when it can be seen.
        side: Side of the patient.
        lobes: Lobes it lies in; empty outside the lungs.
        size_mm: Diameter, depth or short axis of focal findings.
        volume_ml: Volume of its mask.
        lung_share: Its volume inside the lungs over the volume of both lungs.
        voxels: Voxels of its mask.
        visible: Whether a reader can see it.
        solid_mm: Diameter of the solid part of a part-solid nodule.
        spiculated: Whether the margin is spiculated.
        malignant: Whether it is a tumour or its spread.
        before_mm: Size in the prior study, of follow-up studies.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    labels: tuple[str, ...]
    side: Side
    lobes: tuple[str, ...]
    size_mm: float | None
    volume_ml: float
    lung_share: float
    voxels: int
    visible: bool
    solid_mm: float | None = None
    spiculated: bool = False
    malignant: bool = False
    before_mm: float | None = None


class Change(BaseModel):
    """How one nodule grew since the prior study.

    Attributes:
        id: Painter id now.
        lobes: Lobes it lies in.
        from_mm: Diameter in the prior study.
        to_mm: Diameter now.
        doubling_days: Volume doubling time; None for a stable nodule.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    lobes: tuple[str, ...]
    from_mm: float
    to_mm: float
    doubling_days: float | None


class Prior(BaseModel):
    """The study before this one: same patient, `months` earlier.

    Attributes:
        study: Its id.
        months: How long before.
        changes: Every focal finding.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    study: str
    months: int
    changes: tuple[Change, ...]


class Screening(BaseModel):
    """Truth of a low-dose lung cancer screening study.

    Attributes:
        eligible: Whether the person may be screened (`patients.eligible`).
        lung_rads: Lung-RADS v2022 category.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    eligible: bool
    lung_rads: str


class Truth(BaseModel):
    """The truth of one study.

    Attributes:
        findings: What was painted, in the order of painting.
        labels: Every id of `medmpt_backend.findings`: 0, 1 or null.
        classes: `covid`, `screening`, `extent`: class number or null.
        opacity_share: Share of the lungs with ground glass, crazy paving or consolidation.
        lung_ml: Volume of both lungs.
        contrast: Whether contrast was given.
        cardiothoracic_ratio: Width of the heart over inner width of the thorax.
        pulmonary_artery_mm: Diameter of the main pulmonary artery.
        stage: Stage of a primary lung cancer, I to IV; null for others.
        screening: Of screening studies.
        prior: Of follow-up studies.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    findings: tuple[FindingTruth, ...]
    labels: dict[str, Label]
    classes: dict[str, int | None]
    opacity_share: float
    lung_ml: float
    contrast: bool
    cardiothoracic_ratio: float
    pulmonary_artery_mm: float
    stage: str | None = None
    screening: Screening | None = None
    prior: Prior | None = None


def truth_of(patient: VirtualPatient, study: SyntheticStudy, habitus: Habitus, prior: Prior | None = None) -> Truth:
    """The truth of a painted study; `prior` of a follow-up study."""
    voxel_ml = float(np.prod(study.spacing)) / 1000
    lungs = study.lobes > 0
    total = max(1, int(lungs.sum()))
    found = tuple(_finding(f, voxel_ml, lungs, total) for f in study.truth)
    opacity = np.zeros(study.lobes.shape, bool)
    for painted in study.truth:
        if painted.id in OPACITY:
            opacity |= painted.mask
    share = float((opacity & lungs).sum()) / total
    return Truth(
        findings=found,
        labels=_labels(found, patient, habitus),
        classes=_classes(found, patient, share),
        opacity_share=round(share, 4),
        lung_ml=round(total * voxel_ml, 1),
        contrast=habitus.contrast,
        cardiothoracic_ratio=round(cardiothoracic_ratio(habitus), 3),
        pulmonary_artery_mm=round(2 * habitus.pa_radius, 1),
        stage=stage(found) if patient.disease in ("lung_cancer_early", "lung_cancer_advanced") else None,
        screening=_screening(patient, found) if patient.screening else None,
        prior=prior,
    )


def _screening(patient: VirtualPatient, found: tuple[FindingTruth, ...]) -> Screening:
    allowed = eligible(patient.age, patient.pack_years, patient.quit_years)
    return Screening(eligible=allowed, lung_rads=lung_rads(found))


def _finding(painted: PaintedFinding, voxel_ml: float, lungs: np.ndarray, total: int) -> FindingTruth:
    voxels = int(painted.mask.sum())
    return FindingTruth(
        id=painted.id,
        labels=MEANS[painted.id],
        side=painted.side,
        lobes=painted.lobes,
        size_mm=None if painted.size_mm is None else round(float(painted.size_mm), 1),
        volume_ml=round(voxels * voxel_ml, 3),
        lung_share=round(float((painted.mask & lungs).sum()) / total, 5),
        voxels=voxels,
        visible=voxels >= (VISIBLE_DENSE if painted.id in DENSE else VISIBLE),
        solid_mm=None if painted.solid_mm is None else round(float(painted.solid_mm), 1),
        spiculated=painted.spiculated,
        malignant=painted.malignant,
        before_mm=None if painted.before_mm is None else round(float(painted.before_mm), 1),
    )


def _labels(found: tuple[FindingTruth, ...], patient: VirtualPatient, habitus: Habitus) -> dict[str, Label]:
    seen = {label for f in found if f.visible for label in f.labels}
    hidden = {label for f in found if not f.visible for label in f.labels} - seen
    labels: dict[str, Label] = {label: 1 if label in seen else None if label in hidden else 0 for label in FINDINGS}
    if 2 * habitus.pa_radius > PULMONARY_ARTERY_MM[patient.sex]:
        labels["enlarged_pulmonary_artery"] = 1
    labels["air_trapping"] = None  # needs a scan in expiration
    if not habitus.contrast:
        labels["pulmonary_embolus"] = labels["enlarged_right_ventricle"] = None
    return labels


def _classes(found: tuple[FindingTruth, ...], patient: VirtualPatient, share: float) -> dict[str, int | None]:
    disease = patient.disease
    nodule = any(f.id in _FOCAL and f.visible for f in found)
    benign = disease == "screening" or (nodule and disease != "metastases")
    # Share of the lungs: quarters, as the lobar scores of Pan et al., Radiology 2020;295:715, with the two upper quarters in one.
    grade = 0 if share < 0.002 else 1 if share <= 0.25 else 2 if share <= 0.5 else 3
    return {
        "covid": 1 if disease == "covid" else 0 if disease in _NOT_COVID else None,
        "screening": 1 if disease in _CANCER else 0 if benign else None,
        "extent": grade if disease in _GRADED else None,
    }
