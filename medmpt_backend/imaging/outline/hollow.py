"""The air of a cavity belongs to its lesion: a lesion is grown as if its cavity were solid."""

from dataclasses import replace

import numpy as np
from scipy import ndimage

from medmpt_backend.imaging.anatomy.space import Crop
from medmpt_backend.imaging.lesion_shape import SOLID_HU

# Air that dense tissue encloses on all sides: at least this much (less is a bubble or a bronchus), at most that, nearly only air inside.
LEAST_ML, MOST_ML = 0.15, 150.0
AIR_HU = -930
# What stands in its place.
SOFT_HU = 30


def without_cavities(crop: Crop) -> Crop:
    """The crop with soft tissue where a cavity's air is; lung at the edge of the crop is none, nor is a lung's tip at the diaphragm."""
    labels, count = ndimage.label(crop.hu <= SOLID_HU)
    if count < 2:
        return crop
    sizes = np.bincount(labels.ravel()) * float(np.prod(crop.spacing)) / 1000
    open_ = {0}
    for axis in range(3):
        for end in (0, -1):
            open_ |= set(np.unique(np.take(labels, end, axis=axis)).tolist())
    wanted = [int(n) for n in np.flatnonzero((sizes >= LEAST_ML) & (sizes <= MOST_ML)) if int(n) not in open_]
    inside = np.zeros(crop.hu.shape, dtype=bool)
    for number in wanted:
        part = labels == number
        inner = ndimage.binary_erosion(part)  # without its blurred edge
        if float(np.median(crop.hu[inner if inner.any() else part])) < AIR_HU and float(np.mean(crop.allowed[part])) > 0.5:
            inside |= part
    return replace(crop, hu=np.where(inside, np.int16(SOFT_HU), crop.hu), allowed=crop.allowed | inside) if inside.any() else crop
