"""Diseases of the cohort, each one record of `diseases.toml`: how it moves laboratory tests, whom it befalls, how it is treated.

Frequencies are plausible for a respiratory department and are not epidemiology; the truth of a virtual patient is what was painted.
"""

import tomllib
from importlib.resources import files

from pydantic import Field

from medmpt_backend.cohort.patients.drugs import VOCABULARY
from medmpt_backend.cohort.patients.paint_chest import CHEST
from medmpt_backend.cohort.patients.paint_lungs import LUNGS, Paint
from medmpt_backend.findings import Named

PAINTERS: dict[str, Paint] = {**LUNGS, **CHEST}


class Disease(Named):
    """One disease of the generative model.

    Attributes:
        id: Stable id.
        name: English and Chinese name.
        suggests: What a radiologist may suggest, in words that no finding uses; None where the findings say it.
        latents: Strength of each laboratory process at severity 1.
        age: Mean and deviation, years.
        male: Probability of male sex.
        smoker: Probability of a smoking history.
        symptoms: Probability of each symptom.
        gas: Shunt, hypercapnia and shock at severity 1.
        lung: Change of FEV1, FVC and DLCO (% predicted) at severity 1.
        drugs: Groups of alternatives; one drug of each group is given, the first allowed one most often.
        comorbid: Probability of each comorbidity above the background.
        weight: Relative frequency.
        contrast: Whether the study is done with contrast.
    """

    suggests: tuple[str, str] | None = None
    latents: dict[str, float] = Field(default_factory=dict)
    age: tuple[float, float] = (60, 15)
    male: float = Field(default=0.55, ge=0, le=1)
    smoker: float = Field(default=0.4, ge=0, le=1)
    symptoms: dict[str, float] = Field(default_factory=dict)
    gas: tuple[float, float, float] = (0.1, 0.0, 0.0)
    lung: tuple[float, float, float] = (-5, -5, -5)
    drugs: tuple[tuple[str, ...], ...] = ()
    comorbid: dict[str, float] = Field(default_factory=dict)
    weight: float = Field(default=1.0, gt=0)
    contrast: bool = False

    @property
    def paint(self) -> Paint:
        """`(rng, canvas, severity)`; severity is 0..1."""
        return PAINTERS[self.id]


def _load() -> tuple[Disease, ...]:
    rows = tomllib.loads((files("medmpt_backend.cohort.patients") / "diseases.toml").read_text(encoding="utf-8"))
    found = tuple(Disease(id=key, **row) for key, row in rows.items())
    if lonely := rows.keys() ^ PAINTERS.keys():
        raise ValueError(f"diseases.toml and the painters do not name the same diseases: {', '.join(sorted(lonely))}")
    if strange := {drug for d in found for group in d.drugs for drug in group} - set(VOCABULARY):
        raise ValueError(f"diseases.toml names drugs outside the vocabulary: {', '.join(sorted(strange))}")
    return found


DISEASES: tuple[Disease, ...] = _load()
BY_ID = {d.id: d for d in DISEASES}
