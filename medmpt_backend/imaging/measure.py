"""Measure the lesion around one voxel: diameters, volume, density type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.errors import BadInput, NothingFound
from medmpt_backend.imaging import diameters
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs, segment
from medmpt_backend.imaging.densitometry import THIRDS, region_codes
from medmpt_backend.imaging.lesion import GROUND_GLASS_BELOW_HU, SNAP_MM, Region, grow
from medmpt_backend.imaging.lesion_shape import SOLID_HU
from medmpt_backend.imaging.outline.hollow import LEAST_ML
from medmpt_backend.imaging.outline.shares import volume_mm3
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Air inside a lesion: a cavity.
HOLLOW_HU = -800

LesionType = Literal["solid", "part_solid", "ground_glass", "calcified"]

# Calcium is denser than enhanced soft tissue.
CALCIFIED_HU = 200
CALCIFIED_SHARE = 0.3
# Share of voxels above -300 HU from which a lesion counts as solid, and below which as pure ground glass.
SOLID_SHARE = 0.7
GROUND_GLASS_SHARE = 0.05
# Without any halo the lighter voxels are the blur of its edge.
SOLID_SHARE_SHARP = 0.5
# Slices thicker than this hide the solid part and the volume of small nodules.
THICK_MM = 2.0

DEFINITIONS: Mapping[str, str] = {
    "long_mm": "Longest diameter in the axial slice where it is longest, outer edge to outer edge.",
    "short_mm": "Longest diameter perpendicular to the long axis in the same slice.",
    "mean_mm": "Mean of long and short diameter, as the Fleischner Society uses it (MacMahon et al., Radiology 2017).",
    "volume_mm3": "Number of voxels times voxel volume; of small solid lesions every voxel by its share between lung and soft tissue.",
    "type": "By the share of voxels above -300 HU: solid from 70 % (from 50 % without a halo), ground glass below 5 %, part solid between; "
    "calcified when 30 % exceed 200 HU.",
    "solid_mm": "Longest axial diameter of the largest part above -300 HU.",
    "box": "First and last voxel along x, y and z (0-based, z from the head).",
    "lobe_or_third": "Third of the lung by height; lobes are not segmented.",
}


@dataclass(frozen=True)
class Box:
    """First and last voxel along each axis, inclusive."""

    x: tuple[int, int]
    y: tuple[int, int]
    z: tuple[int, int]


@dataclass(frozen=True)
class Lesion:
    """One measured lesion.

    Attributes:
        long_mm: Longest axial diameter.
        short_mm: Perpendicular diameter in the same slice.
        mean_mm: Their mean.
        volume_mm3: Volume.
        type: Density type.
        solid_mm: Longest axial diameter of the solid part, 0 without one.
        mean_hu: Mean density.
        box: Extent in voxels.
        lobe_or_third: `upper`, `middle` or `lower` third.
        side: Which lung.
        slice: Slice of the long axis, 0-based from the head.
        axis_ends: Voxels `(x, y)` of the ends of the long axis.
        warnings: What limits the measurement.
    """

    long_mm: float
    short_mm: float
    mean_mm: float
    volume_mm3: float
    type: LesionType
    solid_mm: float
    mean_hu: float
    box: Box
    lobe_or_third: Literal["upper", "middle", "lower"]
    side: Literal["left", "right"]
    slice: int
    axis_ends: tuple[tuple[float, float], tuple[float, float]]
    warnings: tuple[str, ...] = ()


def measure(volume: Volume, at: tuple[int, int, int], lungs: Lungs | None = None) -> Lesion:
    """Measure the lesion around a voxel.

    Args:
        volume: Full resolution.
        at: `(x, y, z)` voxel, 0-based, z from the head.
        lungs: A segmentation of this volume, where the caller has one already.

    Returns:
        The lesion.

    Raises:
        BadInput: The voxel lies outside the volume.
        NothingFound: Aerated lung at the voxel.
        OutOfDomain: The voxel lies outside the lungs or in a vessel.
    """
    return measure_region(volume, at, lungs)[0]


def measure_region(volume: Volume, at: tuple[int, int, int], lungs: Lungs | None = None) -> tuple[Lesion, Region]:
    """As `measure`, with the voxels of the lesion for those who draw or keep them."""
    x, y, z = at
    depth, rows, columns = volume.hu.shape
    if not (0 <= x < columns and 0 <= y < rows and 0 <= z < depth):
        raise BadInput(
            message(
                "voxel {at!r} lies outside the volume: x 0 to {columns}, y 0 to {rows}, z 0 to {depth}",
                at=at,
                columns=columns - 1,
                rows=rows - 1,
                depth=depth - 1,
            )
        )
    lungs = lungs or segment(volume)
    region = grow(volume, lungs, (z, y, x))
    axes = diameters.longest(region.mask, volume.spacing[1:])
    if axes is None:
        raise NothingFound(message("nothing denser than lung at the point; click inside the lesion"))
    kind, solid_mm = _kind(region, volume.spacing, axes.long_mm)
    side, third = _place(lungs, region)
    (x0, y0), (x1, y1) = axes.ends
    oz, oy, ox = region.origin
    lesion = Lesion(
        long_mm=axes.long_mm,
        short_mm=axes.short_mm,
        mean_mm=(axes.long_mm + axes.short_mm) / 2,
        volume_mm3=volume_mm3(region, volume.spacing),
        type=kind,
        solid_mm=solid_mm,
        mean_hu=float(region.hu[region.mask].mean()),
        box=_box(region),
        lobe_or_third=third,
        side=side,
        slice=axes.slice + oz,
        axis_ends=((x0 + ox, y0 + oy), (x1 + ox, y1 + oy)),
        warnings=_warnings(volume, region, axes),
    )
    return lesion, region


def _kind(region: Region, spacing: tuple[float, float, float], long_mm: float) -> tuple[LesionType, float]:
    """Density type and longest diameter of the solid part; the blurred rim is left out of the shares."""
    inner = ndimage.binary_erosion(region.mask, structure=_cross())
    if np.count_nonzero(inner) < 0.2 * np.count_nonzero(region.mask):
        inner = region.mask
    hu = region.hu[inner & (region.hu > HOLLOW_HU)] if hollow_ml(region, spacing) else region.hu[inner]
    dense = float(np.mean(hu > GROUND_GLASS_BELOW_HU))
    if float(np.mean(hu > CALCIFIED_HU)) >= CALCIFIED_SHARE:
        return "calcified", long_mm
    if dense >= (SOLID_SHARE if region.halo.any() or region.threshold < SOLID_HU else SOLID_SHARE_SHARP):
        return "solid", long_mm
    if dense < GROUND_GLASS_SHARE:
        return "ground_glass", 0.0
    labels, _ = ndimage.label(region.mask & (region.hu > GROUND_GLASS_BELOW_HU))
    largest = labels == int(np.argmax(np.bincount(labels.ravel())[1:])) + 1
    axes = diameters.longest(largest, spacing[1:])
    return "part_solid", axes.long_mm if axes else 0.0


def hollow_ml(region: Region, spacing: tuple[float, float, float]) -> float:
    """Air inside a lesion, away from its edge, in ml; 0 for less than a cavity."""
    inner = ndimage.binary_erosion(region.mask, structure=_cross())
    ml = float(np.count_nonzero(inner & (region.hu < HOLLOW_HU)) * np.prod(spacing)) / 1000
    return ml if ml >= LEAST_ML else 0.0


def _cross() -> NDArray[np.bool_]:
    """In-plane neighbours."""
    cross = np.zeros((3, 3, 3), dtype=bool)
    cross[1] = ndimage.generate_binary_structure(2, 1)
    return cross


def _place(lungs: Lungs, region: Region) -> tuple[Literal["left", "right"], Literal["upper", "middle", "lower"]]:
    """Side and third: those of the lung voxel nearest to the middle of the lesion."""
    centre = np.argwhere(region.mask).mean(axis=0) + np.array(region.origin)
    grid = lungs.grid
    codes = region_codes(lungs)
    here = np.minimum((centre / np.array(grid.factors)).astype(int), np.array(codes.shape) - 1)
    nearest = _nearest(codes, here, np.array(grid.spacing))
    code = int(codes[tuple(nearest)])
    side: Literal["left", "right"] = "right" if int(lungs.labels[tuple(nearest)]) == RIGHT else "left"
    assert int(lungs.labels[tuple(nearest)]) in (RIGHT, LEFT)
    return side, THIRDS[(code - 1) % 3]


def _nearest(codes: NDArray[np.integer], here: NDArray[np.integer], spacing: NDArray[np.floating]) -> NDArray[np.integer]:
    """The voxel with a code nearest to `here`: in a box around it first, because a lung has millions."""
    reach = 20.0  # mm
    while True:
        low = np.maximum(here - np.ceil(reach / spacing).astype(int), 0)
        part = codes[tuple(slice(int(a), int(b)) for a, b in zip(low, here + np.ceil(reach / spacing).astype(int) + 1, strict=True))]
        voxels = np.argwhere(part) + low
        away = (((voxels - here) * spacing) ** 2).sum(axis=1)
        if part.shape == codes.shape or (len(away) and away.min() <= reach**2):
            return np.asarray(voxels[int(np.argmin(away))])
        reach *= 4


def _box(region: Region) -> Box:
    """Extent in voxels of the volume."""
    spans = ndimage.find_objects(region.mask.astype(np.uint8))[0]
    z, y, x = ((o + s.start, o + s.stop - 1) for o, s in zip(region.origin, spans, strict=True))
    return Box(x=x, y=y, z=z)


def _warnings(volume: Volume, region: Region, axes: diameters.Axes) -> tuple[str, ...]:
    """What limits the measurement."""
    found: list[str] = []
    if region.moved_mm > SNAP_MM:
        found.append(message("The point lies outside the lungs; the lesion {away:.0f} mm from it was measured.", away=region.moved_mm))
    if region.cut:
        found.append(
            message("The region reaches the edge of the search box (60 mm around the point) or of the volume: its size is a lower bound.")
        )
    if region.joined:
        found.append(
            message(
                "The lesion joins the mediastinum or the hilum, where its edge cannot be told: its size is a lower bound, and another "
                "click in it may lead to another part."
            )
        )
    air = hollow_ml(region, volume.spacing)
    if air:
        found.append(message("The lesion holds {ml:.1f} mL of air, a cavity; it counts in the volume.", ml=air))
    if volume.spacing[0] > THICK_MM and axes.long_mm < 3 * volume.spacing[0]:
        found.append(
            message(
                "Slices are {spacing:.2f} mm apart: volume and density type of a lesion of this size are uncertain.",
                spacing=volume.spacing[0],
            )
        )
    if max(volume.spacing[1:]) > 1.2:
        found.append(
            message("Pixels are {spacing:.2f} mm wide: diameters are uncertain by about that much.", spacing=max(volume.spacing[1:]))
        )
    return tuple(found)
