"""Planes of a volume as a viewer asks for them: one section or a slab, axial, coronal or sagittal."""

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from tools.errors import BadInput

if TYPE_CHECKING:
    from medmpt_backend.imaging.volume import Volume

Plane = Literal["axial", "coronal", "sagittal"]
Projection = Literal["max", "min", "mean"]
AXIS: dict[Plane, int] = {"axial": 0, "coronal": 1, "sagittal": 2}
# Thicker slabs show nothing more of a chest and cost much.
MOST_SLAB_MM = 60.0


def section(volume: "Volume", plane: Plane, index: int, slab_mm: float = 0.0, projection: Projection = "max") -> NDArray[np.int16]:
    """HU of one plane: axial `(H, W)`, coronal `(D, W)`, sagittal `(D, H)`, row 0 in front or at the head.

    Args:
        volume: The study.
        plane: Which plane.
        index: Its number along the axis that it cuts, from the head, the front or the patient's right.
        slab_mm: Thickness of a slab around it; thinner than two sections is one section.
        projection: What is shown of a slab.

    Raises:
        BadInput: The volume has no such plane, or the slab is too thick.
    """
    axis = AXIS[plane]
    count = volume.hu.shape[axis]
    if not 0 <= index < count:
        raise BadInput(f"slice {index} is outside 0..{count - 1} of the {plane} planes")
    if not 0 <= slab_mm <= MOST_SLAB_MM:
        raise BadInput(f"a slab of {slab_mm:g} mm: give 0 to {MOST_SLAB_MM:g} mm")
    low, high = _span(index, slab_mm / volume.spacing[axis], count)
    where = tuple(slice(low, high) if a == axis else slice(None) for a in range(3))
    block = volume.hu[where]
    if high - low == 1:
        return np.ascontiguousarray(block.squeeze(axis))
    if projection == "mean":
        return np.asarray(block.mean(axis=axis, dtype=np.float32).round(), dtype=np.int16)
    return np.asarray(block.max(axis=axis) if projection == "max" else block.min(axis=axis), dtype=np.int16)


def _span(index: int, thickness: float, count: int) -> tuple[int, int]:
    """Sections of a slab around one, cut at the ends."""
    sections = max(1, round(thickness))
    low = index - (sections - 1) // 2
    return max(0, low), min(count, low + sections)
