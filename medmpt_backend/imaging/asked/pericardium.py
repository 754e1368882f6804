"""Pericardial fluid: a watery layer around the heart that is thicker than the pericardium and its recesses."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy import balls
from medmpt_backend.imaging.anatomy.grid import Grid
from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.asked.groups import PericardialGroup
from medmpt_backend.imaging.findings.calcium import HEART_BELOW_MM, bone_of, descending, heart_bottom
from medmpt_backend.imaging.findings.mediastinum import ENHANCED_HU, Between, inner_edges
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Transudate and exudate (Cetin et al., doi:10.14744/AnatolJCardiol.2016.7353: 1 and 15 HU in the mean); blood is denser and is missed.
FLUID_HU = (-25.0, 24.0)
# Fluid is darker than blood by this much, or the two cannot be told apart.
BELOW_BLOOD_HU, LEAST_BLOOD_HU = 18.0, 42.0
# Averaged over about this much, so that noise of a single voxel does not matter.
BLUR_MM = 3.0
# Half of the thickness from which a layer counts: more than 4 mm is abnormal (Pearls and Pitfalls in Thoracic Imaging, 2011, p. 168).
LAYER_RADIUS_MM = 1.8
# Fat beside muscle averages to water's density in a thin layer; fluid of this much is no such layer.
SEED_ML, LEAST_ML = 6.0, 20.0
# The blurred edge towards lung, fat and heart is fluid too, this far and between these densities (the second above the limit of fluid).
GROW_MM, EDGE_HU = 2.6, (-300, 25)
# The heart: blood and muscle that hold a ball of this radius.
HEART_RADIUS_MM, HEART_ML = 12.0, 100.0
# Fluid lies within this of it.
AROUND_MM = 28.0
# The gullet and the descending aorta lie within this of the front of the spine, which is the front of an enhanced aorta where there is one.
SPINE_MM = {False: 30.0, True: 14.0}
# Columns from the middle in which they lie: to the right, to the left.
BESIDE_MM = (-25.0, 45.0)
# Enhanced heart looks like bone: the hindmost of the neighbours within this is the front of the spine.
FRONT_REACH_MM = 40.0
MOST_SLICE_MM, MOST_PIXEL_MM = 5.5, 1.2
NOTE = message(
    "Experimental: shells of fluid painted around the heart of real scans were found as the table of docs/imaging.md says, thin ones not; "
    "no scan with pericardial fluid was at hand; blood and pus are missed; not for the report."
)


def pericardial(volume: Volume, lungs: Lungs, between: Between, enhanced: bool | None) -> PericardialGroup:
    """Measure fluid around the heart.

    Args:
        volume: Full resolution.
        lungs: Its lungs.
        between: The tissue between them.
        enhanced: Whether contrast medium is in the vessels by the image, None where that is not clear.
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
    blood = ENHANCED_HU if enhanced else blood_hu(lungs, between)
    if blood is None:
        return PericardialGroup("out", message("The density of blood is not known: the descending aorta was not found."), None)
    if blood < LEAST_BLOOD_HU:
        return PericardialGroup(
            "out", message("Blood measures only {hu:.0f} HU here: pericardial fluid cannot be told from it.", hu=blood), None
        )
    dark = min(FLUID_HU[1], blood - BELOW_BLOOD_HU)
    back = behind(lungs, between, enhanced)
    heart = heart_of(smooth, lungs, between, back, dark)
    if heart is None:
        return PericardialGroup("out", message("The heart was not found between the lungs."), None)
    mask = _layer(smooth, heart, lungs, back, dark)
    if not mask.any():
        return PericardialGroup("unknown", NOTE, 0.0, heart=heart)
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
        heart,
    )


def _smooth(grid: Grid) -> NDArray[np.float32]:
    """HU averaged over some millimetres."""
    sizes = [max(1, 2 * round(BLUR_MM / 2 / step) + 1) for step in grid.spacing]
    out: NDArray[np.float32] = ndimage.uniform_filter(grid.hu.astype(np.float32), size=sizes)
    return out


def blood_hu(lungs: Lungs, between: Between) -> float | None:
    """Density of blood in the middle of the descending aorta; None where that was not found."""
    grid = lungs.grid
    yy, xx = (np.arange(n) * step for n, step in zip(grid.hu.shape[1:], grid.spacing[1:], strict=True))
    found = [
        float(np.median(grid.hu[k][np.hypot(yy[:, None] - y * grid.spacing[1], xx[None] - x * grid.spacing[2]) <= 0.5 * radius]))
        for k, (y, x, radius) in descending(lungs, between, bone_of(lungs)).items()
    ]
    return float(np.median(found)) if found else None


def behind(lungs: Lungs, between: Between, enhanced: bool | None) -> NDArray[np.bool_]:
    """The spine, and before it the gullet and the descending aorta: no heart and no pericardium."""
    grid = lungs.grid
    size = 2 * round(FRONT_REACH_MM / grid.spacing[0]) + 1
    fronts = ndimage.maximum_filter(between.spine, size=size, mode="nearest")
    out = np.zeros(lungs.labels.shape, dtype=bool)
    away = (np.arange(lungs.labels.shape[2]) - between.middle) * grid.spacing[2]
    central = (away > BESIDE_MM[0]) & (away < BESIDE_MM[1])
    margin = round(SPINE_MM[bool(enhanced)] / grid.spacing[1])
    for k, row in enumerate(fronts):
        if row >= 0:
            out[k, row:] = True
            out[k, max(0, row - margin) : row, central] = True
    return out


def heart_of(smooth: NDArray[np.float32], lungs: Lungs, between: Between, back: NDArray[np.bool_], dark: float) -> NDArray[np.bool_] | None:
    """The heart with its large vessels: the largest thick part of blood and muscle between the lungs, above the dome of the liver.

    Args:
        smooth: HU averaged over some millimetres.
        lungs: Both lungs.
        between: The tissue between them.
        back: What lies behind the heart.
        dark: Blood and muscle are brighter than this.
    """
    grid = lungs.grid
    first, last = between.first + round(HEART_BELOW_MM / 2 / grid.spacing[0]), heart_bottom(lungs, between)
    mask = np.zeros_like(between.mask)
    for k in range(first, last):
        right, left = inner_edges(lungs.labels[k])
        for y in np.flatnonzero((right >= 0) & (left > right)):
            mask[k, y, right[y] + 1 : left[y]] = True
    mask &= (smooth > dark) & ~back
    if not mask.any():
        return None
    thick = balls.opened(mask, HEART_RADIUS_MM, grid.spacing)
    labels, count = ndimage.label(thick)
    if not count:
        return None
    found: NDArray[np.bool_] = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    return found if np.count_nonzero(found) * grid.voxel_ml > HEART_ML else None


def _layer(smooth: NDArray[np.float32], heart: NDArray[np.bool_], lungs: Lungs, back: NDArray[np.bool_], dark: float) -> NDArray[np.bool_]:
    """Watery tissue around the heart, thicker than the limit."""
    grid = lungs.grid
    where = balls.within(heart, AROUND_MM, grid.spacing) & (lungs.labels == 0) & ~heart & ~back
    slices = np.flatnonzero(heart.any(axis=(1, 2)))
    where[: slices[0]] = False
    where[slices[-1] + 1 :] = False
    watery = where & (smooth >= FLUID_HU[0]) & (smooth <= dark)
    thick = balls.opened(watery, LAYER_RADIUS_MM, grid.spacing)
    labels, count = ndimage.label(thick)
    keep = np.bincount(labels.ravel(), minlength=count + 1) * grid.voxel_ml >= SEED_ML
    keep[0] = False
    edge = where & (grid.hu > EDGE_HU[0]) & (grid.hu < dark + EDGE_HU[1])
    grown = balls.within(keep[labels], GROW_MM, grid.spacing) & edge
    labels, count = ndimage.label(grown)
    keep = np.bincount(labels.ravel(), minlength=count + 1) * grid.voxel_ml >= LEAST_ML
    keep[0] = False
    return np.asarray(keep[labels])
