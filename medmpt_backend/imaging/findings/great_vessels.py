"""Widths of the ascending aorta and the pulmonary trunk: round cross-sections before the carina, with and without contrast medium."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.findings.discs import Disc, chain, circles
from medmpt_backend.imaging.findings.groups import VesselGroup
from medmpt_backend.imaging.findings.mediastinum import ENHANCED_HU
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Blood without contrast medium against fat, above the half because thin fat between vessels is blurred.
BLOOD_HU = 10
# Where both vessels run: from this far above the carina to this far below it.
ABOVE_MM, BELOW_MM = 15.0, 60.0
# Slices that are averaged or left out, and the blur in the slice.
STEP_MM, THICK_MM, BLUR_MM = 2.5, 4.0, 1.2
# The box in which they lie, from the middle of the carina: to the front, to the back, to the right and to the left.
FRONT_MM, BACK_MM, RIGHT_MM, LEFT_MM = 110.0, 15.0, 75.0, 85.0
# Radii; the aorta lies this far before the carina and this far to its left (negative: right).
AORTA_RADIUS_MM, TRUNK_RADIUS_MM = (10.0, 26.0), (7.5, 26.0)
AORTA_BEFORE_MM, AORTA_LEFT_MM = (18.0, 85.0), (-40.0, 22.0)
# The trunk against the aorta: further left than this share of both radii and by no more than this; before or behind by no more than this.
BESIDE, FURTHEST_LEFT_MM, TRUNK_BEHIND_MM, TRUNK_BEFORE_CARINA_MM = 0.7, 55.0, (-25.0, 32.0), 8.0
# A chain shorter than this is no great vessel.
AORTA_LENGTH_MM, TRUNK_LENGTH_MM = 25.0, 15.0
# The roof of the trunk is left out, and what lies below the next centimetres is the outflow of the right ventricle.
ROOF_MM, TRUNK_MM = 8.0, 20.0
# Circles of one vessel that differ by more than this (median deviation, share of the median) are not one vessel.
UNEVEN = 0.08
NOTE = (
    "Experimental: on two contrast scans whose contrast medium was taken out by calculation both widths came within 4 mm of those with it "
    "(docs/imaging.md); no scan measured by a person was at hand; without contrast medium the walls count; not for the report."
)
# Sections further apart show too few of them.
MOST_SLICE_MM, MOST_PIXEL_MM = 6.0, 1.2


@dataclass(frozen=True)
class GreatVessels:
    """Both vessels at the level of the trunk.

    Attributes:
        aorta: Circles in the ascending aorta at that level; `z` is the slice of the volume, `y` and `x` its row and column.
        trunk: Circles in the pulmonary trunk.
        aorta_mm: Median diameter of the aorta.
        pa_mm: Median diameter of the trunk.
    """

    aorta: tuple[Disc, ...]
    trunk: tuple[Disc, ...]
    aorta_mm: float
    pa_mm: float

    @property
    def slice(self) -> int:
        """The slice in the middle of the trunk."""
        return self.trunk[len(self.trunk) // 2].z


@dataclass(frozen=True, eq=False)
class _Box:
    """Smoothed slices around the carina; the carina's middle in mm from the first row and column."""

    hu: NDArray[np.float32]
    slices: NDArray[np.int64]
    origin: tuple[int, int]
    carina: tuple[float, float]
    step: float


def vessel_group(volume: Volume, lungs: Lungs, enhanced: bool | None) -> VesselGroup:
    """Both widths and their ratio, or why there are none.

    Args:
        volume: Full resolution.
        lungs: Its lungs.
        enhanced: Whether contrast medium is in the vessels by the image, None where that is not clear.
    """
    thick, wide = volume.spacing[0], max(volume.spacing[1:])
    if thick > MOST_SLICE_MM or wide > MOST_PIXEL_MM:
        return _none(
            message(
                "Sections {thick:.1f} mm apart or pixels of {wide:.1f} mm are too coarse for the great vessels.", thick=thick, wide=wide
            )
        )
    if lungs.airway is None or lungs.airway.carina is None:
        return _none(message("The great vessels are looked for from the carina, and that was not found."))
    if enhanced is None:
        return _none(message("Whether contrast medium is in the vessels is not clear."))
    found = great_vessels(volume, lungs, enhanced=enhanced)
    if found is None:
        return _none(message("The ascending aorta and the pulmonary trunk were not found as round columns of even width."))
    return VesselGroup(
        "unknown", NOTE, round(found.pa_mm, 1), round(found.aorta_mm, 1), round(found.pa_mm / found.aorta_mm, 2), found.slice
    )


def _none(because: str) -> VesselGroup:
    return VesselGroup("out", because, None, None, None)


def great_vessels(volume: Volume, lungs: Lungs, *, enhanced: bool) -> GreatVessels | None:
    """Find both vessels and measure them.

    Args:
        volume: Full resolution.
        lungs: Its lungs, with a carina.
        enhanced: Whether contrast medium is in the vessels.

    Returns:
        None where one of them was not found, or where its circles differ too much to be one vessel.
    """
    if lungs.airway is None or lungs.airway.carina is None or max(volume.spacing[1:]) > MOST_PIXEL_MM or volume.spacing[0] > MOST_SLICE_MM:
        return None
    box = _box(volume, lungs)
    spacing = volume.spacing[1:]
    blood = box.hu > (ENHANCED_HU if enhanced else BLOOD_HU)
    aorta = _aorta(box, blood, spacing)
    if len(aorta) * box.step < AORTA_LENGTH_MM:
        return None
    trunk = _trunk(box, blood, spacing, aorta)
    if len(trunk) * box.step < TRUNK_LENGTH_MM:
        return None
    first = trunk[0].z + ROOF_MM / box.step
    trunk = tuple(disc for disc in trunk if first <= disc.z <= first + TRUNK_MM / box.step)
    level = [disc.z for disc in trunk]
    aorta = tuple(disc for disc in aorta if level and level[0] <= disc.z <= level[-1])
    if min(len(trunk), len(aorta)) < 3 or any(_uneven(discs) > UNEVEN for discs in (trunk, aorta)):
        return None
    widths = [float(np.median([disc.diameter for disc in discs])) for discs in (aorta, trunk)]
    return GreatVessels(_placed(aorta, box, spacing), _placed(trunk, box, spacing), widths[0], widths[1])


def _uneven(discs: tuple[Disc, ...]) -> float:
    """Median deviation of the diameters, as a share of their median."""
    widths = np.array([disc.diameter for disc in discs])
    return float(np.median(np.abs(widths - np.median(widths))) / np.median(widths))


def _placed(discs: tuple[Disc, ...], box: _Box, spacing: tuple[float, float]) -> tuple[Disc, ...]:
    """Circles in voxels of the volume."""
    return tuple(
        Disc(int(box.slices[disc.z]), disc.y / spacing[0] + box.origin[0], disc.x / spacing[1] + box.origin[1], disc.radius)
        for disc in discs
    )


def _box(volume: Volume, lungs: Lungs) -> _Box:
    """Slices of about `STEP_MM` around the carina, averaged and blurred against noise."""
    assert lungs.airway is not None
    assert lungs.airway.carina is not None
    dz, dy, dx = volume.spacing
    z, y, x = ((place + 0.5) * factor for place, factor in zip(lungs.airway.carina, lungs.grid.factors, strict=True))
    every = max(1, round(STEP_MM / dz))
    first, last = max(0, round(z - ABOVE_MM / dz)), min(len(volume.hu), round(z + BELOW_MM / dz))
    slices = np.arange(first, last, every)
    rows = slice(max(0, int(y - FRONT_MM / dy)), int(y + BACK_MM / dy))
    columns = slice(max(0, int(x - RIGHT_MM / dx)), int(x + LEFT_MM / dx))
    around = max(1, round(THICK_MM / dz))
    planes = [volume.hu[max(0, k - around // 2) : k + (around + 1) // 2, rows, columns].mean(axis=0, dtype=np.float32) for k in slices]
    hu = ndimage.gaussian_filter(np.stack(planes), (0, BLUR_MM / dy, BLUR_MM / dx))
    carina = ((y - rows.start) * dy, (x - columns.start) * dx)
    return _Box(hu, slices, (rows.start, columns.start), carina, every * dz)


def _aorta(box: _Box, blood: NDArray[np.bool_], spacing: tuple[float, float]) -> tuple[Disc, ...]:
    """The ascending aorta: a round column before the carina, in the middle or to the right."""

    def worth(disc: Disc) -> float | None:
        before, left = box.carina[0] - disc.y, disc.x - box.carina[1]
        if not (AORTA_BEFORE_MM[0] <= before <= AORTA_BEFORE_MM[1] and AORTA_LEFT_MM[0] <= left <= AORTA_LEFT_MM[1]):
            return None
        return min(disc.radius, 19.0) - 8.0 - 0.12 * abs(left + 10.0)

    layers = [circles(plane, k, spacing, *AORTA_RADIUS_MM) for k, plane in enumerate(blood)]
    return chain(layers, box.step, worth, lean=0.8, cost=0.35)


def _trunk(box: _Box, blood: NDArray[np.bool_], spacing: tuple[float, float], aorta: tuple[Disc, ...]) -> tuple[Disc, ...]:
    """The pulmonary trunk: left of the aorta once that is taken out, leaning to the front on its way down."""
    y, x = np.arange(blood.shape[1])[:, None] * spacing[0], np.arange(blood.shape[2])[None] * spacing[1]
    layers: list[list[Disc]] = [[] for _ in blood]
    for own in aorta:
        rest = blood[own.z] & (np.hypot(y - own.y, x - own.x) > own.radius + spacing[0])
        layers[own.z] = [
            disc
            for disc in circles(rest, own.z, spacing, *TRUNK_RADIUS_MM)
            if BESIDE * (disc.radius + own.radius) < disc.x - own.x <= FURTHEST_LEFT_MM
            and TRUNK_BEHIND_MM[0] <= disc.y - own.y <= TRUNK_BEHIND_MM[1]
            and box.carina[0] - disc.y >= TRUNK_BEFORE_CARINA_MM
        ]

    def worth(disc: Disc) -> float:
        return min(disc.radius, 17.0) - 6.0 - 0.05 * abs(disc.x - box.carina[1] - 22.0)

    return chain(layers, box.step, worth, lean=2.5, cost=0.15)
