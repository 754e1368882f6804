"""Geometry of a stack of slices: order, gaps, tilt, and turning any axis order into LPS, head first."""

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.errors import BadInput
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Volumes larger than this are refused before they are allocated (1.2 GB as int16).
MAX_VOXELS = 600_000_000
# An axis further than this from a body axis is an oblique series.
MAX_OBLIQUE_DEGREES = 5.0
# Stacks that lean further than this were acquired with a tilted gantry.
MAX_TILT_DEGREES = 1.0
# A step may differ from the usual one by this share of it; a few slices may lie off by `_STRAY` of a step.
_EVEN = 0.2
_STRAY = 0.4
_FEW = 0.03
# Wanted direction in LPS coordinates of the array axes: towards the feet, the back, the patient's left.
_TARGET = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])


def require_size(depth: int, rows: int, columns: int) -> None:
    """Refuse a volume that is too large to load or too small to be a CT.

    Raises:
        BadInput: With the size.
    """
    if depth * rows * columns > MAX_VOXELS:
        raise BadInput(
            message(
                "the series has {depth} x {rows} x {columns} voxels, more than {most} million; give one ordinary series",
                depth=depth,
                rows=rows,
                columns=columns,
                most=MAX_VOXELS // 10**6,
            )
        )
    if rows < 16 or columns < 16 or depth < 2:
        raise BadInput(
            message(
                "the series has {depth} x {rows} x {columns} voxels: too small for a CT of the chest; give the whole series",
                depth=depth,
                rows=rows,
                columns=columns,
            )
        )


def to_lps(
    array: NDArray[np.int16], directions: NDArray[np.float64], spacing: tuple[float, float, float]
) -> tuple[NDArray[np.int16], tuple[float, float, float], float]:
    """Permute and flip axes so that axis 0 runs head to feet, axis 1 front to back, axis 2 right to left.

    Args:
        array: Any axis order, int16.
        directions: `(3, 3)`, row i is the unit vector in LPS coordinates along which array axis i runs.
        spacing: mm along each array axis.

    Returns:
        The array (contiguous), its spacing `(z, y, x)` in mm, and the largest angle in degrees between an axis and its body axis.

    Raises:
        BadInput: More oblique than `MAX_OBLIQUE_DEGREES`.
    """
    cosines = _TARGET @ directions.T
    order = max(itertools.permutations(range(3)), key=lambda p: sum(abs(cosines[i, p[i]]) for i in range(3)))
    chosen = [float(cosines[i, order[i]]) for i in range(3)]
    angle = max(math.degrees(math.acos(min(1.0, abs(cosine)))) for cosine in chosen)
    if angle > MAX_OBLIQUE_DEGREES:
        raise BadInput(
            message(
                "the axes are rotated by {angle:.0f} degrees against the body axes (at most {most:.0f}); give the axial series",
                angle=angle,
                most=MAX_OBLIQUE_DEGREES,
            )
        )
    turned = np.transpose(array, order)[tuple(slice(None, None, 1 if cosine > 0 else -1) for cosine in chosen)]
    return np.ascontiguousarray(turned), (spacing[order[0]], spacing[order[1]], spacing[order[2]]), angle


def gaps(positions: NDArray[np.float64], *, spaced: bool = False) -> tuple[float, list[int], str | None]:
    """Step of a sorted stack and where slices are missing.

    Args:
        positions: Sorted positions along the normal, mm, no duplicates.
        spaced: Whether the sections are thinner than their interval (high-resolution CT with gaps): uneven steps are then accepted.

    Returns:
        The step in mm; per missing slice, the index in `positions` after which it is missing; what is odd about the steps.

    Raises:
        BadInput: Steps that are no multiple of one step.
    """
    steps = np.diff(positions)
    step = float(np.median(steps))
    if spaced and np.any(np.abs(steps - step) > _EVEN * step):
        return (
            float(steps.mean()),
            [],
            message("uneven gaps between sections, from {least:.1f} to {most:.1f} mm", least=steps.min(), most=steps.max()),
        )
    multiples = np.rint(steps / step).astype(int)
    off = np.abs(steps - multiples * step) > _EVEN * step
    if np.any(multiples < 1) or np.any(off):
        grid = positions[0] + np.cumsum([0, *np.maximum(1, multiples)]) * step
        rest = positions - grid
        strays = np.abs(rest - np.median(rest)) > _EVEN * step
        if np.any(multiples < 1) or np.count_nonzero(strays) > max(1, _FEW * len(positions)) or float(np.abs(rest).max()) > _STRAY * step:
            raise BadInput(
                message(
                    "uneven slice steps, from {least:.2f} to {most:.2f} mm; give one reconstruction with a constant interval",
                    least=steps.min(),
                    most=steps.max(),
                )
            )
    missing = [i for i, multiple in enumerate(multiples) for _ in range(int(multiple) - 1)]
    said = None
    if np.any(off):
        worst = steps[off].max()
        said = message("{count} uneven slice steps, up to {worst:.2f} mm; read as even", count=int(np.count_nonzero(off)), worst=worst)
    return float(steps[multiples == 1].mean()), missing, said
