"""All groups of findings of one study, each inside or outside its domain, with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from medmpt_backend.imaging.anatomy.cavity import Cavity
from medmpt_backend.imaging.anatomy.grid import fraction
from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.anatomy.space import cavity_of
from medmpt_backend.imaging.findings import calcium, mediastinum, pleura, skeleton
from medmpt_backend.imaging.findings.effusion import characters
from medmpt_backend.imaging.findings.great_vessels import vessel_group
from medmpt_backend.imaging.findings.groups import (
    AirwayGroup,
    Aorta,
    BodyGroup,
    BoneGroup,
    CalciumGroup,
    ConsolidationGroup,
    Coronary,
    Findings,
    Grade,
    HeartGroup,
    Judgement,
    PleuraGroup,
    Point,
    VesselGroup,
)
from medmpt_backend.imaging.readers.rules import known_kernel
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Grades by Agatston's score as Rumberger et al. (Mayo Clin Proc 1999) group it: 1 to 99 mild, 100 to 399 moderate, 400 and more severe.
_CORONARY: tuple[tuple[float, Grade], ...] = ((400.0, "severe"), (100.0, "moderate"), (1.0, "mild"))
# Grades of the aorta are this project's: plaque volume in ml.
_AORTA: tuple[tuple[float, Grade], ...] = ((1.0, "severe"), (0.3, "moderate"), (0.02, "mild"))
# Agatston's score was set up on sections of 3 mm at 120 kV; noise above this passes for plaques, see docs/imaging.md.
SCORE_SLICE_MM = (2.4, 3.1)
SCORE_KVP = 120.0
SCORE_NOISE_HU, MOST_NOISE_HU = 20.0, 40.0
COARSE_PIXEL_MM = 1.2
# Below this share of plain air in the lungs, pockets of air are not bullae.
MAX_LAA_PCT = 10.0
# What `benchmarks/painted.py` found on up to six real scans (not every size on every scan), and nothing on the unpainted: docs/imaging.md.
PAINTED: Mapping[str, str] = {
    "fluid": "Painted free fluid of 100 to 1,500 mL was found in each of the four to six real scans tried, as 60 to 106 % of its volume; "
    "50 mL was missed in four of six, and a lung that fluid fills altogether is refused. Walled-off fluid of 100 mL and more at the side "
    "or in front was found as 80 to 105 % of its volume, and called loculated, in most; less was missed.",
    "air": "Painted free air of 100 to 800 mL was found in each of six real scans, as 45 to 90 % of its volume; less may be missed.",
    "dense": "Painted dense tissue at the wall of 20 mm radius and more was found as 75 to 100 % of its volume, one in 18 not at all; "
    "smaller is missed. At the hilum only 20 mm and more is found, with a third to a half of its volume, and some not at all. Two real "
    "masses were found with about half of their volume.",
}
NOT_PAINTED = "Pixels are {pixel:.1f} mm wide; the method was checked on pixels of 0.7 to 0.9 mm."
CALCIUM_NOTE = (
    "Experimental: plaques painted around the heart of real scans were scored as a reader who marks them would (docs/imaging.md), but no "
    "scan read by a person was at hand; valves, pericardium and stents count too; not for the report."
)
EXPERIMENTAL = "Experimental: not validated on annotated scans; not for the report."

FINDING_DEFINITIONS: Mapping[str, str] = {
    "effusion": "Pleural fluid: -20 to 33 HU averaged over about 9 mm, between aerated lung and ribs, thicker than 5 mm, mostly "
    "in the back half, followed towards the spine; in front only where it is thick. Free where it reaches the lowest part of the chest "
    "of a patient on the back in most slices, else loculated. Layers below about 100 ml are missed; blood and pus count as consolidation.",
    "pneumothorax": "Plain air (below -960 HU, no vessels) that holds a ball of 3 mm radius and lies at the ribs; bullae look alike.",
    "consolidation": "Dense clumps inside the lungs (see consolidation_pct) and dense tissue of at least 10 mm between aerated lung "
    "and ribs, or of at least 14 mm in the lung's outline at the mediastinum; masses count. Percent of lung and such tissue together.",
    "calcium": "Spots of at least 130 HU and 1 mm2 in the heart (from 25 mm below the carina to 30 mm below the top of the right dome, "
    "away from bone, airway and hila), and in the arch and the descending aorta. Agatston's score (JACC 1990) without ECG gating, for "
    "sections of 2.5 to 3 mm, 120 kV, no contrast medium, noise up to 20 HU. Grades from 1, 100 and 400 (Rumberger, Mayo Clin Proc 1999).",
    "vessels": "Median diameters of the widest circles inside the ascending aorta and the pulmonary trunk, over 20 mm from below the "
    "roof of the trunk, on axial slices. Limits in use: trunk 29 mm in men and 27 mm in women, ratio 0.9 (90th percentiles of healthy "
    "people; Truong et al., doi:10.1161/CIRCIMAGING.111.968610).",
    "heart": "Largest width of the heart over the largest inner width of the chest, both on axial slices.",
    "bone": "Median HU of the middle of a vertebral body at the lung bases; contrast medium raises it.",
    "body": "Muscle (-29 to 150 HU) outside the ribs and beside the spine, and all fat (-190 to -30 HU), of the slice of that vertebra.",
}


def seen_contrast(series: SeriesInfo, lungs: Lungs, between: mediastinum.Between) -> tuple[SeriesInfo, tuple[str, ...]]:
    """Header facts with contrast corrected by the vessels: enhanced ones outweigh the header's words.

    Args:
        series: Header facts.
        lungs: Both lungs.
        between: The tissue between them.

    Returns:
        The same facts where vessels and header do not contradict each other; and what contradicts.
    """
    found = mediastinum.enhanced(lungs, between)
    if found and series.contrast != "yes":
        without = message("says that no contrast agent was given")
        said = without if series.contrast == "no" else message("does not say whether a contrast agent was given")
        return replace(series, contrast="yes"), (
            message("The header {said}; the great vessels are enhanced: read as a scan with contrast.", said=said),
        )
    if found is False and series.contrast == "yes":
        return series, (message("The header says that a contrast agent was given; the great vessels look unenhanced."),)
    return series, ()


@dataclass(frozen=True, eq=False)
class Middle:
    """What is found between the lungs and in bone."""

    calcium: CalciumGroup
    vessels: VesselGroup
    heart: HeartGroup
    bone: BoneGroup
    body: BodyGroup


def in_the_middle(volume: Volume, lungs: Lungs, between: mediastinum.Between) -> Middle:
    """Calcium, great vessels, heart, bone and muscle.

    Args:
        volume: Full resolution, contrast already checked.
        lungs: Both lungs.
        between: The tissue between them.
    """
    vessels = vessel_group(volume, lungs, mediastinum.enhanced(lungs, between))
    return Middle(_calcium(volume, lungs, between), vessels, _heart(lungs, between), *_bone(volume, lungs))


@dataclass(frozen=True, eq=False)
class Walls:
    """What is found between lung and ribs."""

    cavity: Cavity
    wet: pleura.Pocket
    dense: pleura.Pocket
    air: PleuraGroup


def at_the_walls(volume: Volume, lungs: Lungs) -> Walls:
    """Fluid, air and dense tissue; asks nothing of contrast medium.

    Args:
        volume: Full resolution.
        lungs: Both lungs.
    """
    cavity = cavity_of(lungs)
    wet = pleura.fluid(cavity)
    return Walls(cavity, wet, pleura.dense_tissue(cavity, wet.mask), _air(volume, lungs, cavity))


def findings_of(volume: Volume, lungs: Lungs, middle: Middle, walls: Walls, dense_inside_ml: tuple[float, float]) -> Findings:
    """Every group.

    Args:
        volume: Full resolution.
        lungs: Both lungs.
        middle: What was found between them.
        walls: What was found around them.
        dense_inside_ml: Consolidation inside the right and the left lung mask, ml.

    Returns:
        All groups; figures outside their domain are None.
    """
    cavity, wet, dense = walls.cavity, walls.wet, walls.dense
    factor = cavity.grid.factors[0] * lungs.grid.factors[0]
    lung_ml = sum(lungs.millilitres(side) for side in (1, 2))
    right, left = dense_inside_ml[0] + dense.right_ml, dense_inside_ml[1] + dense.left_ml
    ml = right + left
    coarse = max(volume.spacing[1:]) > COARSE_PIXEL_MM
    wide = NOT_PAINTED.format(pixel=max(volume.spacing[1:]))
    sure: Judgement = "unknown" if coarse else "in"
    spot = None if dense.widest is None else min(volume.hu.shape[0] - 1, dense.widest * factor)
    return Findings(
        airway=_airway(volume, lungs),
        effusion=_effusion(sure, wide if coarse else PAINTED["fluid"], wet, cavity, _slice(wet, factor, volume)),
        pneumothorax=walls.air,
        consolidation=ConsolidationGroup(
            sure, wide if coarse else PAINTED["dense"], ml, 100 * ml / (lung_ml + dense.right_ml + dense.left_ml), spot, left, right
        ),
        **vars(middle),
    )


def _effusion(sure: Judgement, because: str, wet: pleura.Pocket, cavity: Cavity, index: int | None) -> PleuraGroup:
    """Fluid with its density and form."""
    right, left = characters(wet.mask, cavity)
    return PleuraGroup(sure, because, wet.left_ml, wet.right_ml, index, left.hu, right.hu, left.form, right.form)


def _slice(pocket: pleura.Pocket, factor: int, volume: Volume) -> int | None:
    """The slice that shows most."""
    return None if pocket.widest is None else min(volume.hu.shape[0] - 1, pocket.widest * factor + factor // 2)


def _airway(volume: Volume, lungs: Lungs) -> AirwayGroup:
    """The carina."""
    if lungs.airway is None or lungs.airway.carina is None:
        return AirwayGroup("unknown", "No trachea that divides in two was found.", None)
    factor = lungs.grid.factors[0]
    index = min(volume.hu.shape[0] - 1, lungs.airway.carina[0] * factor + factor // 2)
    return AirwayGroup("in", None, Point(index, index * volume.spacing[0]))


def _air(volume: Volume, lungs: Lungs, cavity: Cavity) -> PleuraGroup:
    """Air of the pleural space; not told from bullae where there is much emphysema."""
    shape, factors = cavity.grid.hu.shape, cavity.grid.factors
    airway = fraction(lungs.airway.mask, factors, shape) > 0.2 if lungs.airway else np.zeros(shape, dtype=bool)
    pocket = pleura.air(cavity, fraction(lungs.inside, factors, shape) >= 0.5, airway)
    lung = lungs.labels > 0
    emphysema = 100 * np.count_nonzero((lungs.grid.hu < -950) & lung) / np.count_nonzero(lung)
    factor = factors[0] * lungs.grid.factors[0]
    if max(volume.spacing[1:]) > COARSE_PIXEL_MM or emphysema > MAX_LAA_PCT:
        because = f"{emphysema:.0f} % of the lung lies below -950 HU, or pixels are wide: bullae and pneumothorax cannot be told apart."
        return PleuraGroup("unknown", because, pocket.left_ml, pocket.right_ml, _slice(pocket, factor, volume))
    return PleuraGroup("in", PAINTED["air"], pocket.left_ml, pocket.right_ml, _slice(pocket, factor, volume))


def _grade(value: float, steps: tuple[tuple[float, Grade], ...]) -> Grade:
    """The first grade whose limit is reached."""
    return next((name for limit, name in steps if value >= limit), "none")


def _calcium(volume: Volume, lungs: Lungs, between: mediastinum.Between) -> CalciumGroup:
    """Calcium where no contrast medium, sharp kernel, wide pixel or noise hides or feigns it; the score where the scan is fit for one."""
    because = no_calcium(volume, volume.series, lungs, between)
    if because is not None:
        return CalciumGroup("out", because, Coronary(None, None), Aorta(None))
    found = calcium.plaques(volume, lungs, between)
    if found.noise_hu is None or found.noise_hu > MOST_NOISE_HU:
        unknown = message("The noise is not known: the descending aorta was not found.")
        because = unknown if found.noise_hu is None else message("The noise is {noise:.0f} HU in the aorta.", noise=found.noise_hu)
        return CalciumGroup("out", because, Coronary(None, None), Aorta(None))
    unfit = _no_score(volume, found.noise_hu)
    coronary = Coronary(None if unfit else round(found.agatston, 1), _grade(found.agatston, _CORONARY))
    aorta = Aorta(_grade(found.millilitres("aorta"), _AORTA))
    because = f"Grades only, no score: {', '.join(unfit)}. {EXPERIMENTAL}" if unfit else CALCIUM_NOTE
    return CalciumGroup("unknown", because, coronary, aorta, found.widest("heart"), found.widest("aorta"))


def no_calcium(volume: Volume, series: SeriesInfo, lungs: Lungs, between: mediastinum.Between) -> str | None:
    """Why calcium cannot be seen at all, by header facts whose contrast was checked; None where it can."""
    kernel = known_kernel(series.kernel)
    if series.contrast == "yes":
        return message("Contrast medium in the vessels hides calcium.")
    if series.contrast == "unknown" and mediastinum.enhanced(lungs, between) is not False:
        return message("Whether contrast medium is in the vessels is not clear.")
    if kernel is not None and kernel[1] == "sharp":
        return message("The noise of the sharp kernel {kernel} looks like calcium.", kernel=kernel[0])
    return message("Pixels are too wide for calcium.") if max(volume.spacing[1:]) > COARSE_PIXEL_MM else None


def _no_score(volume: Volume, noise: float) -> list[str]:
    """What forbids a score."""
    series, found = volume.series, []
    thick = (volume.spacing[0], series.thickness_mm or volume.spacing[0])
    if not all(SCORE_SLICE_MM[0] <= mm <= SCORE_SLICE_MM[1] for mm in thick):
        found.append(f"sections of {max(thick):.1f} mm (2.5 to 3 mm needed)")
    if series.kvp != SCORE_KVP:
        found.append("120 kV needed, " + ("not stated" if series.kvp is None else f"taken at {series.kvp:.0f} kV"))
    if known_kernel(series.kernel) is None:
        found.append("kernel not known")
    if noise > SCORE_NOISE_HU:
        found.append(f"noise of {noise:.0f} HU")
    return found


def _heart(lungs: Lungs, between: mediastinum.Between) -> HeartGroup:
    """The cardiothoracic ratio; pericardial fluid is not measured."""
    ratio = mediastinum.heart_ratio(lungs, between)
    because = "No slice shows the whole heart between two lungs." if ratio is None else EXPERIMENTAL
    return HeartGroup("unknown", because, ratio, None)


def _bone(volume: Volume, lungs: Lungs) -> tuple[BoneGroup, BodyGroup]:
    """Spongy bone, muscle and fat at the lung bases."""
    found = skeleton.vertebra(lungs)
    if found is None:
        reason = "No vertebral body was found at the lung bases."
        return BoneGroup("unknown", reason, None, None), BodyGroup("unknown", reason, None, None, None)
    muscle, fat = skeleton.muscle_and_fat(lungs, found)
    return BoneGroup("unknown", EXPERIMENTAL, skeleton.LEVEL, found.hu), BodyGroup("unknown", EXPERIMENTAL, muscle, fat, skeleton.LEVEL)
