"""Several passes over the same body in one series, told apart by acquisition number or by the order of the positions."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.readers.frames import Frame

# Acquisitions that share more than this many steps of travel scan the same part of the body; neighbours share at most one.
_SHARED_STEPS = 1.5
_MAX_PASSES = 12


def along(frames: Sequence[Frame]) -> NDArray[np.float64]:
    """Positions along the normal of the first plane, mm, in the order of the frames."""
    first = frames[0].orientation
    assert first is not None
    normal = np.cross(first[:3], first[3:])
    places = [float(np.dot(frame.position, normal)) for frame in frames if frame.position is not None]
    return np.array(places, dtype=np.float64) / float(np.linalg.norm(normal))


def step_of(places: NDArray[np.float64]) -> float:
    """Usual distance between neighbouring positions, mm."""
    steps = np.diff(np.unique(np.round(places, 2)))
    return float(np.median(steps)) if len(steps) else 0.0


def apart(frames: list[Frame], least: int) -> list[list[Frame]]:
    """One stack per pass over the same part of the body.

    Args:
        frames: One series, one kernel, one thickness.
        least: Passes of fewer slices are not passes.

    Returns:
        The series whole where nothing overlaps, else its passes.
    """
    by_number: dict[int | None, list[Frame]] = defaultdict(list)
    for frame in frames:
        by_number[frame.acquisition].append(frame)
    parts = list(by_number.values())
    if len(parts) > 1 and _overlap(parts):
        return parts
    passes = _by_order(frames)
    if 1 < len(passes) <= _MAX_PASSES and min(map(len, passes)) >= least and _overlap(passes):
        return passes
    return [frames]


def _overlap(parts: Sequence[Sequence[Frame]]) -> bool:
    """Whether any two parts share some travel."""
    spans = sorted((float(p.min()), float(p.max())) for p in map(along, parts))
    step = max(step_of(along(part)) for part in parts)
    reached = spans[0][1]
    for low, high in spans[1:]:
        if step and min(reached, high) - low > _SHARED_STEPS * step:
            return True
        reached = max(reached, high)
    return False


def _by_order(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Cut the series, in the order of its numbers, where the travel jumps back."""
    if len({frame.number for frame in frames}) < len(frames) or any(frame.index is not None for frame in frames):
        return [list(frames)]
    ordered = sorted(frames, key=lambda frame: frame.number)
    steps = np.diff(along(ordered))
    direction = np.sign(np.median(steps)) if len(steps) else 0.0
    cuts = [i + 1 for i, step in enumerate(steps) if direction and step * direction < -2 * abs(float(np.median(steps)))]
    return [ordered[a:b] for a, b in zip([0, *cuts], [*cuts, len(ordered)], strict=True)]
