"""Pericardial fluid: a watery layer around the heart that is thicker than the pericardium and its recesses."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy import balls
from medmpt_backend.imaging.anatomy.grid import Grid
from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.asked.groups import PericardialGroup
from medmpt_backend.imaging.findings.calcium import HEART_BELOW_MM, heart_bottom
from medmpt_backend.imaging.findings.mediastinum import Between
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Transudate and exudate (Cetin et al., doi:10.14744/AnatolJCardiol.2016.7353: 1 and 15 HU in the mean); blood is denser and is missed.
FLUID_HU = (-25.0, 24.0)
# Averaged over about this much, so that noise of a single voxel does not matter.
BLUR_MM = 3.0
# Half of the thickness from which a layer counts: more than 4 mm is abnormal (Pearls and Pitfalls in Thoracic Imaging, 2011, p. 168).
LAYER_RADIUS_MM = 2.4
# Fat beside muscle averages to water's density in a thin layer; fluid of this much is no such layer.
LEAST_ML = 15.0
# The heart: blood and muscle that hold a ball of this radius.
HEART_HU, HEART_RADIUS_MM = 26.0, 12.0
# Fluid lies within this of it.
AROUND_MM = 28.0
SPINE_MM, DOME_MM = 32.0, 0.0
MOST_SLICE_MM, MOST_PIXEL_MM = 5.5, 1.2
NOTE = message(
    "Experimental: shells of fluid painted around the heart of real scans were found as the table of docs/imaging.md says, thin ones not; "
    "no scan with pericardial fluid was at hand; blood and pus are missed; not for the report."
)


def pericardial(volume: Volume, lungs: Lungs, between: Between) -> PericardialGroup:
    """Measure fluid around the heart.

    Args:
        volume: Full resolution.
        lungs: Its lungs.
        between: The tissue between them.
    """
    thick, wide = volume.spacing[0], max(volume.spacing[1:])
    if thick > MOST_SLICE_MM or wide > MOST_PIXEL_MM:
        return PericardialGroup(
            "out",
            message(
                "Sections {thick:.1f} mm apart or pixels of {wide:.1f} mm are too coarse for pericardial fluid.", thick=thick, wide=wide
            ),
            None,
        )
    grid = lungs.grid
    smooth = _smooth(grid)
    heart = heart_of(smooth, lungs, between)
    if heart is None:
        return PericardialGroup("out", message("The heart was not found between the lungs."), None)
    mask = _layer(smooth, heart, lungs, between)
    if not mask.any():
        return PericardialGroup("unknown", NOTE, 0.0)
    depth = ndimage.distance_transform_edt(np.pad(mask[balls.box_of(mask)], 1), sampling=grid.spacing)
    widest = int(np.argmax(np.count_nonzero(mask, axis=(1, 2))))
    factor = grid.factors[0]
    return PericardialGroup(
        "unknown",
        NOTE,
        round(float(np.count_nonzero(mask)) * grid.voxel_ml, 1),
        round(2 * float(depth.max()), 1),
        round(float(np.median(grid.hu[mask])), 1),
        min(len(volume.hu) - 1, widest * factor + factor // 2),
        mask,
    )


def _smooth(grid: Grid) -> NDArray[np.float32]:
    """HU averaged over some millimetres."""
    sizes = [max(1, 2 * round(BLUR_MM / 2 / step) + 1) for step in grid.spacing]
    out: NDArray[np.float32] = ndimage.uniform_filter(grid.hu.astype(np.float32), size=sizes)
    return out


def heart_of(smooth: NDArray[np.float32], lungs: Lungs, between: Between) -> NDArray[np.bool_] | None:
    """The heart with its large vessels: the largest thick part of blood and muscle between the lungs, above the dome of the liver."""
    grid = lungs.grid
    first, last = between.first + round(HEART_BELOW_MM / 2 / grid.spacing[0]), heart_bottom(lungs, between)
    mask = between.mask & (smooth > HEART_HU)
    mask[:first] = False
    mask[last:] = False
    for k in range(first, last):
        if between.spine[k] >= 0:
            mask[k, max(0, int(between.spine[k]) - round(SPINE_MM / grid.spacing[1])) :] = False
    if not mask.any():
        return None
    thick = balls.opened(mask, HEART_RADIUS_MM, grid.spacing)
    labels, count = ndimage.label(thick)
    if not count:
        return None
    found: NDArray[np.bool_] = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    return found if np.count_nonzero(found) * grid.voxel_ml > 100 else None


def _layer(smooth: NDArray[np.float32], heart: NDArray[np.bool_], lungs: Lungs, between: Between) -> NDArray[np.bool_]:
    """Watery tissue around the heart, thicker than the limit."""
    grid = lungs.grid
    where = balls.within(heart, AROUND_MM, grid.spacing) & (lungs.labels == 0) & ~heart
    slices = np.flatnonzero(heart.any(axis=(1, 2)))
    where[: slices[0]] = False
    where[slices[-1] + 1 :] = False
    for k in slices:
        if between.spine[k] >= 0:
            where[k, max(0, int(between.spine[k]) - round(SPINE_MM / grid.spacing[1])) :] = False
        rows, columns = np.flatnonzero(heart[k].any(axis=1)), np.flatnonzero(heart[k].any(axis=0))
        if not len(rows):
            where[k] = False
            continue
        margin = [round(AROUND_MM / step) for step in grid.spacing[1:]]
        where[k, :, : max(0, columns[0] - margin[1])] = False
    watery = where & (smooth >= FLUID_HU[0]) & (smooth <= FLUID_HU[1])
    thick = balls.opened(watery, LAYER_RADIUS_MM, grid.spacing)
    labels, count = ndimage.label(thick)
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * grid.voxel_ml
    keep = sizes >= LEAST_ML
    keep[0] = False
    return keep[labels]
