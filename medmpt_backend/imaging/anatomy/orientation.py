"""Which side is left and which is front, asked of organs: aortic arch, liver and heart, spine and the lungs' low backs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.errors import OutOfDomain
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs
from medmpt_backend.messages import Said, joined, messages

message = messages("medmpt_backend.imaging").said

# The arch widens the mediastinum to the left of the trachea, over this height above its lowest slice.
ARCH_MM = (8.0, 40.0)
ARCH_ROWS_MM = (10.0, 15.0)
# Below the right lung lies liver; below the left one stomach, spleen and fat.
BELOW_MM = (10.0, 20.0, 30.0)
LIVER_HU = (20, 180)
# What each cue shows at full strength: mm to the left, difference of shares, mm to the left.
FULL_ARCH_MM, FULL_LIVER, FULL_HEART_MM = 20.0, 0.2, 12.0
# Sum of the cues of a chest that is mirrored, and of one where that cannot be told.
MIRRORED, DOUBTFUL = -0.9, -0.2
BONE_HU = 300
MIN_SPINE_ML = 4.0
# The lungs reach lowest behind: centre of their lowest part behind that of the whole, mm.
LOWEST_SHARE = 0.08
FULL_LOW_MM = 15.0
FULL_BONE_RATIO = 1.8
SWAPPED = -0.4


@dataclass(frozen=True)
class Frame:
    """Where the lungs lie on the grid: first and last index (inclusive) along each axis, both lungs together."""

    z: tuple[int, int]
    y: tuple[int, int]
    x: tuple[int, int]

    @property
    def middle_x(self) -> float:
        """Middle between the outer edges of the lungs."""
        return (self.x[0] + self.x[1]) / 2


def lung_frame(lungs: Lungs) -> Frame:
    """Extent of both lungs."""
    mask = lungs.labels > 0
    plane: NDArray[np.bool_] = np.asarray(mask.any(axis=0))
    hits = np.flatnonzero(mask.any(axis=(1, 2))), np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    z, y, x = ((int(hit[0]), int(hit[-1])) for hit in hits)
    return Frame(z, y, x)


def require_front(lungs: Lungs, frame: Frame, middle: float) -> None:
    """Spine behind, and the lungs deepest there.

    Args:
        lungs: Both lungs.
        frame: Their extent.
        middle: Column of the middle of the chest.

    Raises:
        OutOfDomain: No spine, or front and back swapped.
    """
    back, front = bone_behind_and_before(lungs, frame, middle)
    if max(back, front) < MIN_SPINE_ML:
        raise OutOfDomain(
            message("no spine was found behind the lungs ({back:.1f} ml of bone): a phantom, or values that are not HU", back=back)
        )
    ratio = float(np.log((back + 1.0) / (front + 1.0)) / np.log(FULL_BONE_RATIO))
    low = low_behind_mm(lungs)
    if float(np.clip(ratio, -1, 1)) + float(np.clip(low / FULL_LOW_MM, -1, 1)) < SWAPPED:
        raise OutOfDomain(
            message(
                "front and back are swapped: bone before the lungs {front:.0f} ml, behind them {back:.0f} ml, and the lungs reach lowest "
                "{low:.0f} mm before their middle; check the orientation of the rows",
                front=front,
                back=back,
                low=-low,
            )
        )


def bone_behind_and_before(lungs: Lungs, frame: Frame, middle: float) -> tuple[float, float]:
    """Bone in the back and in the front quarter of the lungs' depth near the middle, ml."""
    spacing, hu = lungs.grid.spacing, lungs.grid.hu
    depth = frame.y[1] - frame.y[0] + 1
    half = round(40.0 / spacing[2])
    band = hu[frame.z[0] : frame.z[1] + 1, :, max(0, int(middle) - half) : int(middle) + half]
    quarter, margin = depth // 4, round(30.0 / spacing[1])
    front = band[:, max(0, frame.y[0] - margin) : frame.y[0] + quarter]
    back = band[:, frame.y[1] + 1 - quarter : frame.y[1] + 1 + margin]
    return float(np.count_nonzero(back > BONE_HU)) * lungs.grid.voxel_ml, float(np.count_nonzero(front > BONE_HU)) * lungs.grid.voxel_ml


def low_behind_mm(lungs: Lungs) -> float:
    """How far the lowest part of the lungs lies behind their middle, mm."""
    counts = np.count_nonzero(lungs.labels, axis=2).astype(np.float64)
    area = counts.sum(axis=1)
    rows = np.arange(counts.shape[1])
    lowest = (np.cumsum(area) > (1 - LOWEST_SHARE) * area.sum()) & (area > 0)
    if not lowest.any():
        return 0.0
    whole = float((counts @ rows).sum() / area.sum())
    return (float((counts[lowest] @ rows).sum() / area[lowest].sum()) - whole) * lungs.grid.spacing[1]


def require_left(lungs: Lungs, frame: Frame) -> tuple[str, ...]:
    """Arch and heart on the left, liver on the right.

    Returns:
        What could not be told.

    Raises:
        OutOfDomain: Left and right swapped.
    """
    arch, liver, heart = arch_mm(lungs), liver_difference(lungs), heart_mm(lungs, frame)
    known = [
        float(np.clip(value / full, -1, 1))
        for value, full in ((arch, FULL_ARCH_MM), (liver, FULL_LIVER), (heart, FULL_HEART_MM))
        if value is not None
    ]
    said = joined(
        (
            text
            for value, text in (
                (
                    arch,
                    message("the arch of the aorta lies {mm:.0f} mm to the {side} of the trachea", mm=abs(arch or 0), side=_side(arch)),
                ),
                (liver, message("liver lies below the {side} lung", side=_side(-(liver or 0)))),
                (heart, message("the heart lies {mm:.0f} mm to the {side}", mm=abs(heart or 0), side=_side(heart))),
            )
            if value is not None
        ),
        "; ",
    )
    total = sum(known)
    if total < MIRRORED:
        raise OutOfDomain(
            message("left and right are swapped (or situs inversus): {cues}; check the orientation of the columns", cues=said)
        )
    if not known or total < DOUBTFUL:
        return (
            message(
                "Left and right could not be told by the organs and are taken from the header ({cues}).",
                cues=said if known else message("none was seen"),
            ),
        )
    return ()


def _side(left_mm: float | None) -> Said:
    """The side of a distance to the left."""
    return message("right") if (left_mm or 0.0) < 0 else message("left")


def _edges(plane: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Per row the last column of the right lung, the first one of the left lung, and whether both are there in that order."""
    right, left = plane == RIGHT, plane == LEFT
    inner = np.where(right.any(axis=1), plane.shape[1] - 1 - np.argmax(right[:, ::-1], axis=1), -1)
    outer = np.where(left.any(axis=1), np.argmax(left, axis=1), -1)
    return inner, outer, (inner >= 0) & (outer > inner)


def arch_mm(lungs: Lungs) -> float | None:
    """By how much more tissue lies left of the trachea than right of it, above its end, mm; None without a trachea."""
    airway, spacing = lungs.airway, lungs.grid.spacing
    if airway is None:
        return None
    end = airway.carina[0] if airway.carina is not None else airway.lowest[0]
    found: list[float] = []
    for k in range(max(airway.top, end - round(ARCH_MM[1] / spacing[0])), end - round(ARCH_MM[0] / spacing[0]) + 1):
        rows, columns = np.nonzero(airway.mask[k])
        if not len(rows):
            continue
        y, x = int(rows.mean()), float(columns.mean())
        right, left, both = _edges(lungs.labels[k])
        near = slice(max(0, y - round(ARCH_ROWS_MM[0] / spacing[1])), y + round(ARCH_ROWS_MM[1] / spacing[1]) + 1)
        if both[near].any():
            found.append(float(np.median((left[near] + right[near] - 2 * x)[both[near]])) * spacing[2])
    return float(np.median(found)) if found else None


def liver_difference(lungs: Lungs) -> float | None:
    """Share of solid tissue below the right lung less that below the left one; None where a lung reaches the last slice too widely."""
    shares = []
    some = np.s_[:, ::2, ::2]
    labels, grid_hu = lungs.labels[some], lungs.grid.hu[some]
    for side in (RIGHT, LEFT):
        mask = labels == side
        low = np.where(mask.any(axis=0), mask.shape[0] - 1 - np.argmax(mask[::-1], axis=0), -1)
        y, x = np.nonzero(low >= 0)
        hit = total = 0
        for down in BELOW_MM:
            z = low[y, x] + max(1, round(down / lungs.grid.spacing[0]))
            seen = z < mask.shape[0]
            here = z[seen], y[seen], x[seen]
            hu = grid_hu[here][labels[here] == 0]
            hit += int(np.count_nonzero((hu > LIVER_HU[0]) & (hu < LIVER_HU[1])))
            total += len(hu)
        if total < max(1, len(y)):
            return None
        shares.append(hit / total)
    return shares[0] - shares[1]


def heart_mm(lungs: Lungs, frame: Frame) -> float | None:
    """How far the tissue between the lungs below the carina lies to the left of the trachea, mm; None without a trachea."""
    if lungs.airway is None:
        return None
    start = lungs.airway.lowest
    weight = total = 0.0
    for plane in lungs.labels[start[0] + 1 : frame.z[1] + 1]:
        right, left, both = _edges(plane)
        width = (left - right)[both].astype(float)
        weight += float(width.sum())
        total += float((width * ((left + right)[both] / 2 - start[2])).sum())
    return total / weight * lungs.grid.spacing[2] if weight else None
