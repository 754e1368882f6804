"""Bullae: rooms of nearly nothing but air inside a lung, wider than 1 cm."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.balls import opened, within
from medmpt_backend.imaging.anatomy.grid import Vec
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs
from medmpt_backend.imaging.asked.groups import Bulla, BullaeGroup
from medmpt_backend.imaging.validity import noise_hu
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Emphysema on thin sections, and nearly nothing but air: what a bulla holds.
LOW_HU, AIR_HU = -950, -970
# A bulla is wider than 1 cm (Hansell et al., Radiology 2008); a ball of this radius must fit into its air, which blur makes smaller.
BALL_MM = 4.2
BULLA_MM = 10.0
# Its air in full beyond the ball, and at least this share of it nearly nothing but air.
RIM_MM = 1.8
AIR_SHARE = 0.8
THICK_MM, WIDE_MM, NOISY_HU = 5.5, 1.2, 25.0


def bullae(volume: Volume, lungs: Lungs) -> BullaeGroup:
    """Bullae wider than 1 cm, largest first.

    Args:
        volume: Full resolution.
        lungs: Its lungs.

    Returns:
        Experimental figures: `unknown` at best.
    """
    if volume.spacing[0] > THICK_MM or max(volume.spacing[1:]) > WIDE_MM:
        return BullaeGroup("out", message("Sections above 5.5 mm or pixels above 1.2 mm: bullae and their walls are not seen."))
    noise = noise_hu(volume, lungs)
    if noise is not None and noise > NOISY_HU:
        return BullaeGroup("out", message("Noise of {noise:.0f} HU hides bullae.", noise=noise))
    found = tuple(sorted(_found(lungs), key=lambda bulla: -bulla.ml))
    return BullaeGroup(
        "unknown", message("Experimental: found where they were painted; no scan with bullae that a person had named."), found
    )


def _found(lungs: Lungs) -> list[Bulla]:
    """Rooms of nearly nothing but air inside a lung into which a ball fits."""
    grid, spacing = lungs.grid, lungs.grid.spacing
    out: list[Bulla] = []
    names: tuple[tuple[int, Literal["right", "left"]], ...] = ((RIGHT, "right"), (LEFT, "left"))
    for side, name in names:
        low = (lungs.labels == side) & (grid.hu < LOW_HU)
        body = within(opened(low, BALL_MM, spacing), RIM_MM, spacing) & low
        labels, _ = ndimage.label(body)
        for index, box in enumerate(ndimage.find_objects(labels), start=1):
            part = labels[box] == index
            wide = _width(part, grid.hu[box], spacing)
            if wide is None:
                continue
            top = box[0].start + int(np.argmax(part.sum(axis=(1, 2))))
            ml = float(np.count_nonzero(part) * np.prod(spacing)) / 1000
            out.append(Bulla(ml, wide, name, top * grid.factors[0]))
    return out


def _width(part: NDArray[np.bool_], hu: NDArray[np.int16], spacing: Vec) -> float | None:
    """Widest extent of a room in a slice, None where it is lung or too narrow."""
    if float(np.mean(hu[part] < AIR_HU)) < AIR_SHARE:
        return None
    plane = part[int(np.argmax(part.sum(axis=(1, 2))))]
    points = np.argwhere(plane) * np.array(spacing[1:])
    turned = np.stack([points @ np.array([np.cos(a), np.sin(a)]) for a in np.linspace(0, np.pi, 12, endpoint=False)])
    wide = float((turned.max(axis=1) - turned.min(axis=1)).max()) + spacing[1]
    return wide if wide >= BULLA_MM else None
