"""Masks of a model as lungs of this house, so that everything that is measured in lungs is measured in them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.anatomy.grid import fraction
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs, segment
from medmpt_backend.imaging.volume import Volume

_SIDES = {
    RIGHT: ("lung_right", "right_upper_lobe", "right_middle_lobe", "right_lower_lobe"),
    LEFT: ("lung_left", "left_upper_lobe", "left_lower_lobe"),
}


def lungs_of(volume: Volume, masks: Mapping[str, NDArray[np.bool_]]) -> Lungs:
    """Lungs whose outline is a model's, on the grid and with the airway of this house.

    Args:
        volume: Full resolution.
        masks: Of a model; sides, or lobes that make them up.

    Returns:
        Lungs; trachea and main bronchi stay out.

    Raises:
        BadInput: The masks hold no lung, or have another shape.
    """
    given = {side: [masks[name] for name in names if name in masks] for side, names in _SIDES.items()}
    if odd := [mask.shape for side in given.values() for mask in side if mask.shape != volume.hu.shape]:
        raise BadInput(f"a mask of shape {odd[0]} does not fit a volume of shape {volume.hu.shape}")
    if not all(any(mask.any() for mask in side) for side in given.values()):
        raise BadInput("the masks of this model hold no right and left lung in this volume")
    own = segment(volume)
    labels = np.zeros_like(own.labels)
    for side, parts in given.items():
        for mask in parts:
            labels[fraction(mask, own.grid.factors, labels.shape) >= 0.5] = side
    if own.airway is not None:
        labels[own.airway.mask] = 0
    return replace(own, labels=labels)
