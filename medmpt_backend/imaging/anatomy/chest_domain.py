"""Whether a volume is a whole chest, upright and not mirrored, asked of its anatomy and not of a voxel count."""

from dataclasses import replace

import numpy as np
from scipy import ndimage

from medmpt_backend.errors import OutOfDomain
from medmpt_backend.imaging.anatomy.airway import find_airway
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs, air_inside
from medmpt_backend.imaging.anatomy.orientation import Frame, low_behind_mm, lung_frame, require_front, require_left
from medmpt_backend.imaging.anatomy.spine import find_spine, other_side_stands
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Total lung volumes of adults at CT run from about 1.5 l (stiff lungs, expiration) to 10 l (tall, hyperinflated);
# one lung may be much smaller.
MIN_LUNG_ML = 250.0
MAX_TOTAL_ML = 13_000.0
# A lung below this share of the other one is absent, collapsed or outside the image.
MIN_RATIO = 0.12
# Lung is air in tissue: even severe emphysema keeps its median above plain air, and vessels in it.
PLAIN_AIR_HU = -990
MIN_DENSE_SHARE = 0.002
DENSE_HU = -500
# On a grid of 1.4 mm even a sharp low-dose scan stays far below this.
NOISE_HU = 150.0
# The first or last slice showing more than this share of the largest lung area cuts the chest in the middle.
CUT_SHARE = 0.5
# The carina lies near the middle between the lungs' outer edges.
MAX_CARINA_OFFSET = 0.22
# Fields of view of chest CT run from about 180 (a child) to 700 mm.
MIN_FIELD_MM, MAX_FIELD_MM = 80.0, 1000.0
# Without a carina, other things have to speak for a chest: tissue between the lungs, bone around them.
MIN_BETWEEN_ML = 150.0
MIN_RIBS_ML = 10.0
# The lungs reach lowest this far behind their middle (17 to 34 mm on seven scans, -2 to 10 on the same turned over): coarse pixels and a
# rolled patient may show a false fork to a trachea that is followed upwards.
LOW_BEHIND_MM = 13.0
RIB_HU = 180


def require_chest(volume: Volume, lungs: Lungs) -> tuple[str, ...]:
    """Refuse what is not a whole chest in the usual orientation.

    Args:
        volume: Full resolution.
        lungs: Its segmentation.

    Returns:
        What could not be checked, for a volume that is accepted.

    Raises:
        OutOfDomain: With the reason and the value that decided.
    """
    _require_field(volume)
    _require_image(lungs)
    alone = _require_two_lungs(lungs)
    _require_tissue(lungs)
    frame = lung_frame(lungs)
    _require_whole(lungs)
    if alone is not None:
        return _one_lung(lungs, frame, alone)
    said = _require_airway(lungs, frame)
    require_front(lungs, frame, frame.middle_x)
    return said + require_left(lungs, frame)


def _one_lung(lungs: Lungs, frame: Frame, spine_x: float) -> tuple[str, ...]:
    """A chest whose other side holds no lung worth the name: what is certain of its orientation, and what is said."""
    require_front(lungs, frame, spine_x)
    if (lungs.airway is None or lungs.airway.carina is None) and _carina_when_turned(lungs):
        raise OutOfDomain(message("the volume is upside down: the trachea divides towards the first slice; check the order of the slices"))
    least = min(lungs.millilitres(side) for side in (RIGHT, LEFT))
    return (
        message(
            "The {side} side of the chest holds {least:.0f} ml of aerated lung: collapsed, filled with fluid or disease, or removed. "
            "What fills it is not measured, and left and right are taken from the header.",
            side=message("right") if absent_side(lungs) == RIGHT else message("left"),
            least=least,
        ),
    )


def _require_field(volume: Volume) -> None:
    """A field of view that can hold a chest."""
    height, width = (n * s for n, s in zip(volume.hu.shape[1:], volume.spacing[1:], strict=True))
    if not MIN_FIELD_MM <= max(height, width) <= MAX_FIELD_MM:
        raise OutOfDomain(
            message(
                "the voxel size is in doubt: with it the image would be {width:.0f} mm wide and {height:.0f} mm deep; a chest "
                "needs about 250 to 500 mm: check the spacing or the affine",
                width=width,
                height=height,
            )
        )


def _require_image(lungs: Lungs) -> None:
    """Neighbouring voxels resemble each other."""
    hu = lungs.grid.hu[:: max(1, lungs.grid.hu.shape[0] // 40)]
    one, other = hu[:, :, 1:], hu[:, :, :-1]
    seen = np.maximum(one, other) > -900
    pairs = np.abs(one[seen].astype(np.int32) - other[seen])
    if pairs.size and float(np.median(pairs)) > NOISE_HU:
        raise OutOfDomain(
            message(
                "neighbouring voxels differ by {median:.0f} HU at the median (a CT: below 100): noise, not a chest",
                median=float(np.median(pairs)),
            )
        )


def absent_side(lungs: Lungs) -> int | None:
    """The side that holds no lung beside that of the other side, None where both are there."""
    right, left = lungs.millilitres(RIGHT), lungs.millilitres(LEFT)
    if min(right, left) >= MIN_RATIO * max(right, left):
        return None
    return RIGHT if right < left else LEFT


def _require_two_lungs(lungs: Lungs) -> float | None:
    """Two lungs of possible size, or one beside a whole side of the chest without air: the column of the spine then, else None."""
    right, left = lungs.millilitres(RIGHT), lungs.millilitres(LEFT)
    large = max(right, left)
    sizes = message("right {right:.2f} l, left {left:.2f} l", right=right / 1000, left=left / 1000)
    if large < MIN_LUNG_ML:
        raise OutOfDomain(
            message(
                "this is not a chest: no lungs were found (air inside the body: {sizes}); an abdomen, a head or a limb cannot be judged",
                sizes=sizes,
            )
        )
    if right + left > MAX_TOTAL_ML:
        raise OutOfDomain(
            message(
                "this is not a chest: the air inside it measures {litres:.1f} l, more than two lungs can hold", litres=(right + left) / 1000
            )
        )
    if absent_side(lungs) is None:
        return None
    larger = lungs.labels == (RIGHT if right > left else LEFT)
    spine = find_spine(lungs.grid, larger)
    if spine is None or not other_side_stands(lungs.grid, larger, spine):
        raise OutOfDomain(
            message(
                "two lungs are needed and only one was found ({sizes}): half a thorax, or a chest of which one side is not shown",
                sizes=sizes,
            )
        )
    return spine.x


def _require_tissue(lungs: Lungs) -> None:
    """Lung holds tissue and vessels, a phantom's cavity does not."""
    hu = lungs.grid.hu[lungs.labels > 0]
    median, dense = float(np.median(hu)), np.count_nonzero(hu > DENSE_HU) / len(hu)
    if median < PLAIN_AIR_HU:
        raise OutOfDomain(
            message(
                "the cavities hold plain air (median {median:.0f} HU; lung is denser): an air phantom or an empty scan, not a chest",
                median=median,
            )
        )
    if dense < MIN_DENSE_SHARE:
        raise OutOfDomain(
            message(
                "the cavities hold no vessels ({dense:.2f} % denser than {dense_hu} HU): a phantom, not a chest",
                dense=100 * dense,
                dense_hu=DENSE_HU,
            )
        )


def _require_whole(lungs: Lungs) -> None:
    """The lungs end inside the volume."""
    area = lungs.area
    first, last = float(area[0]) / float(area.max()), float(area[-1]) / float(area.max())
    if first > CUT_SHARE and last > CUT_SHARE:
        raise OutOfDomain(message("both the first and the last slice cut through the lungs: a slab of the thorax, not a whole chest"))
    if first > CUT_SHARE:
        raise OutOfDomain(
            message(
                "the first slice cuts through the lungs at {share:.0f} % of their largest area: "
                "an abdomen with lung bases, or the lower part of a thorax{hint}",
                share=100 * first,
                hint=_upside_down_hint(lungs),
            )
        )
    if last > CUT_SHARE:
        raise OutOfDomain(
            message(
                "the last slice cuts through the lungs at {share:.0f} % of their largest area: the upper part of a thorax only{hint}",
                share=100 * last,
                hint=_upside_down_hint(lungs),
            )
        )


def _upside_down_hint(lungs: Lungs) -> str:
    """A further sentence where the volume would show a carina when turned over."""
    if (lungs.airway is None or lungs.airway.carina is None) and _carina_when_turned(lungs):
        return message("; it also seems to be upside down")
    return ""


def _carina_when_turned(lungs: Lungs) -> bool:
    """Whether a trachea that divides towards the head's end is found."""
    turned = replace(lungs.grid, hu=np.ascontiguousarray(lungs.grid.hu[::-1]))
    airway = find_airway(turned, air_inside(turned))
    frame = lung_frame(lungs)
    return airway is not None and airway.carina is not None and _central(airway.carina[2], frame)


def _central(x: float, frame: Frame) -> bool:
    """Whether a column lies near the middle of the lungs."""
    return abs(x - frame.middle_x) <= MAX_CARINA_OFFSET * (frame.x[1] - frame.x[0] + 1)


def _require_airway(lungs: Lungs, frame: Frame) -> tuple[str, ...]:
    """Lungs wider than deep; a carina between them in their upper three quarters, or else ribs and a mediastinum around them."""
    across, along = (frame.x[1] - frame.x[0] + 1) * lungs.grid.spacing[2], (frame.y[1] - frame.y[0] + 1) * lungs.grid.spacing[1]
    if along > across:
        raise OutOfDomain(
            message(
                "the lungs are deeper ({along:.0f} mm) than wide ({across:.0f} mm): the slices are not axial; check the order of the axes",
                along=along,
                across=across,
            )
        )
    carina = lungs.airway.carina if lungs.airway else None
    if carina is not None and _central(carina[2], frame):
        depth = (carina[0] - frame.z[0]) / (frame.z[1] - frame.z[0] + 1)
        if depth <= 0.75:
            return ()
    if low_behind_mm(lungs) < LOW_BEHIND_MM and _carina_when_turned(lungs):
        raise OutOfDomain(message("the volume is upside down: the trachea divides towards the first slice; check the order of the slices"))
    between, ribs = _between_ml(lungs, frame), _ribs_ml(lungs)
    if between < MIN_BETWEEN_ML or ribs < MIN_RIBS_ML:
        lacking = message("no mediastinum lies between them") if between < MIN_BETWEEN_ML else message("no ribs lie around them")
        raise OutOfDomain(
            message("no trachea that divides at a carina between the lungs was found, and {lacking}: not a whole chest", lacking=lacking)
        )
    return (
        message(
            "The carina was not found: large airways may count as lung, and the orientation was checked by the heart and the spine alone."
        ),
    )


def _between_ml(lungs: Lungs, frame: Frame) -> float:
    """Tissue between the two lungs in the same rows, ml."""
    total = 0
    for k in range(frame.z[0], frame.z[1] + 1):
        plane = lungs.labels[k]
        right = np.where((plane == RIGHT).any(axis=1), plane.shape[1] - 1 - np.argmax((plane == RIGHT)[:, ::-1], axis=1), -1)
        left = np.where((plane == LEFT).any(axis=1), np.argmax(plane == LEFT, axis=1), -1)
        rows = np.flatnonzero((right >= 0) & (left > right))
        total += sum(int(np.count_nonzero(lungs.grid.hu[k, y, right[y] + 1 : left[y]] > -150)) for y in rows)
    return total * lungs.grid.voxel_ml


def _ribs_ml(lungs: Lungs) -> float:
    """Bone within some centimetres of the lungs' outer side, ml."""
    step = max(1, round(3.0 / lungs.grid.spacing[1]))
    near = ndimage.binary_dilation(
        lungs.labels[:, ::step, ::step] > 0,
        structure=np.ones((1, 3, 3), dtype=bool),
        iterations=max(1, round(20.0 / (step * lungs.grid.spacing[1]))),
    )
    bone = (lungs.grid.hu[:, ::step, ::step] > RIB_HU) & near
    return float(np.count_nonzero(bone)) * lungs.grid.voxel_ml * step * step
