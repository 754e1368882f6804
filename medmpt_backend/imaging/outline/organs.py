"""Organs beside the lungs, whose middle lies outside them: a click there is refused by name."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.errors import OutOfDomain
from medmpt_backend.imaging.anatomy.balls import box_of
from medmpt_backend.imaging.anatomy.distance import depth_of, within
from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.anatomy.space import Crop, cavity_of
from medmpt_backend.imaging.findings.mediastinum import enhanced
from medmpt_backend.imaging.lesion_shape import SOLID_HU
from medmpt_backend.imaging.outline.beside import BEFORE_SPINE_MM, HALF_MM, Beside, at_gutter, beside, between_of, masses
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# A structure with a thinner middle is left to the shape of the lesion itself.
LEAST_MM = 8.0
# The share of a structure's inner ball that lies in the lungs' outline or between lung and ribs, from which it is the lung's. Between
# lung and ribs the heart and the liver stand in front too.
OUTLINED, BEHIND_LUNG, BEHIND_LUNG_FRONT = 0.3, 0.25, 0.6
_INNER = 0.8
_HEART_BELOW_MM = 20.0
# Before the spine nothing of a lung has its middle this near to the body's; what is thick, this near.
_MIDLINE_MM, _THICK_MIDLINE_MM = 12.0, 22.0
# Unless aerated lung is more than this share of what lies this near to it.
_LUNG_SHARE, _RIM_MM = 0.75, 3.0
# Larger regions of which more than this share is fat, wider than an edge's blur, are the fat beside the heart.
_FAT_HU, _FAT_SHARE, _FAT_MM3, _FAT_PIXELS = (-140, -30), 0.35, 3000.0, 5
# With contrast medium in the vessels: a region as bright as blood in its middle that is a small part of what it is joined to.
_BLOOD_HU, _BLOOD_MM3, _JOINED, _CORE = 130, 400.0, 3.0, 0.4


def require_own(lungs: Lungs, point: tuple[int, int, int], *, region: bool = False) -> None:
    """Refuse a point in a thick structure whose middle lies outside the lungs: heart, great vessels, liver.

    Args:
        lungs: Both lungs.
        point: `(z, y, x)` of the volume.
        region: Whether it is the deepest one of a region that was found and that lung does not surround.

    Raises:
        OutOfDomain: Says which.
    """
    found = beside(lungs)
    if found is None:
        return
    factors = [a * b for a, b in zip(lungs.grid.factors, cavity_of(lungs).grid.factors, strict=True)]
    z, y, x = (min(p // f, n - 1) for p, f, n in zip(point, factors, found.depth.shape, strict=True))
    middle = found.middle((z, y, x))
    radius = float(found.depth[middle])
    mass = masses(lungs)
    if mass is not None and mass[middle]:
        return
    if region and _at_midline(found, (z, y, x), middle, radius):
        raise OutOfDomain(_outside(found, (z, y, x), middle))
    if radius < LEAST_MM or not found.thick[z, y, x] or at_gutter(found, middle):
        return
    outlined, behind = _shares(found, middle, _INNER * radius)
    if outlined >= OUTLINED or behind >= (BEHIND_LUNG if found.before(middle) < BEFORE_SPINE_MM else BEHIND_LUNG_FRONT):
        return
    raise OutOfDomain(_outside(found, (z, y, x), middle))


def _at_midline(found: Beside, at: tuple[int, int, int], middle: tuple[int, int, int], radius: float) -> bool:
    """Whether a region lies before the spine, nearer to the middle of the body than a lung reaches."""
    thick = radius >= LEAST_MM and abs(found.across[middle[2]]) < _THICK_MIDLINE_MM and found.before(middle) > 0
    return bool(thick or (abs(found.across[at[2]]) < _MIDLINE_MM and found.before(at) > 0))


def _outside(found: Beside, at: tuple[int, int, int], middle: tuple[int, int, int]) -> str:
    """What a point lies in."""
    away = float(np.linalg.norm((np.array(middle) - np.array(at)) * np.array(found.spacing)))
    return message(
        "the point lies in {name}: its middle, {away:.0f} mm from the point, is outside the lungs; only lesions in the lungs are measured",
        name=_name(found, middle),
        away=away,
    )


def require_tissue(lungs: Lungs, crop: Crop, mask: NDArray[np.bool_], centre: tuple[int, int, int]) -> None:
    """Refuse a region that is an organ, the fat beside the heart, or a vessel full of contrast medium.

    Args:
        lungs: Both lungs.
        crop: The box.
        mask: The region in the box.
        centre: Its deepest voxel.

    Raises:
        OutOfDomain: Says which.
    """
    require_own(lungs, crop.absolute(centre), region=not _in_lung(crop, mask))
    size = float(np.count_nonzero(mask)) * float(np.prod(crop.spacing))
    if size <= _BLOOD_MM3:
        return
    box = tuple(slice(max(0, side.start - _FAT_PIXELS), side.stop + _FAT_PIXELS) for side in box_of(mask))
    depth = depth_of(mask[box], crop.spacing)
    inner = mask[box] & (depth > _CORE * float(depth.max()))
    smooth = ndimage.uniform_filter(crop.hu[box].astype(np.float32), size=(1, 3, 3))
    fatty = (smooth > _FAT_HU[0]) & (smooth < _FAT_HU[1])
    if size > _FAT_MM3 and float(np.mean(fatty[inner])) > _FAT_SHARE:
        wide = ndimage.binary_opening(fatty, structure=np.ones((1, _FAT_PIXELS, _FAT_PIXELS), dtype=bool))  # edges are thinner
        if float(np.mean(wide[inner])) > _FAT_SHARE:
            raise OutOfDomain(
                message("the point lies in fat beside the heart or at the chest wall: only lesions in the lungs are measured")
            )
    if float(np.median(smooth[inner])) > _BLOOD_HU and with_contrast(lungs):
        labels, _ = ndimage.label(crop.hu > _BLOOD_HU)
        joined = np.bincount(labels.ravel())[np.unique(labels[box][inner & (labels[box] > 0)])].max(initial=0)
        if joined * float(np.prod(crop.spacing)) > _JOINED * size:
            raise OutOfDomain(
                message(
                    "the point lies in a vessel or a chamber of the heart, as bright as its contrast medium: only lesions in the "
                    "lungs are measured"
                )
            )


def _in_lung(crop: Crop, mask: NDArray[np.bool_]) -> bool:
    """Whether aerated lung is most of what surrounds a region."""
    rim = within(mask, _RIM_MM, crop.spacing) & ~mask
    return bool(rim.any()) and float(np.mean(crop.hu[rim] < SOLID_HU)) > _LUNG_SHARE


def with_contrast(lungs: Lungs) -> bool:
    """Whether the vessels hold contrast medium, as far as the image shows."""
    return bool(lungs.area.any()) and enhanced(lungs, between_of(lungs)) is True


def _shares(found: Beside, middle: tuple[int, int, int], radius: float) -> tuple[float, float]:
    """Shares of a ball that lie in the lungs' outline, and between lung and ribs."""
    box = tuple(slice(max(0, m - int(radius / s)), m + int(radius / s) + 1) for m, s in zip(middle, found.spacing, strict=True))
    shape = found.depth[box].shape
    axes = [(np.arange(n) + b.start - m) * s for n, b, m, s in zip(shape, box, middle, found.spacing, strict=True)]
    ball = axes[0][:, None, None] ** 2 + axes[1][:, None] ** 2 + axes[2] ** 2 <= radius**2
    outlined, behind = found.outlined[box][ball], found.behind[box][ball]
    return float(outlined.mean()), float((behind & ~outlined).mean())


def _name(found: Beside, middle: tuple[int, int, int]) -> str:
    """What lies there."""
    if middle[0] >= found.dome and abs(found.across[middle[2]]) > HALF_MM:
        return message("the liver or another organ below the diaphragm")
    if found.below[middle[0]] > _HEART_BELOW_MM:
        return message("the heart or another part of the mediastinum")
    return message("the mediastinum (great vessels, lymph nodes)")
