"""Places in the lungs that look like a nodule: compact and brighter than what is around; vessels and airways taken out, ranked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.errors import BackendError
from medmpt_backend.imaging.anatomy.chest_domain import require_chest
from medmpt_backend.imaging.anatomy.lungs import Lungs, segment
from medmpt_backend.imaging.lesion import Region
from medmpt_backend.imaging.measure import Lesion, LesionType, measure_region
from medmpt_backend.imaging.volume import Volume

# Standard deviations of the blurs at which blobs are looked for, mm: nodules of about 4 to 30 mm.
SCALES_MM = (1.5, 2.5, 4.5, 8.0)
# Lung to soft tissue; what lies outside only adds noise.
RANGE_HU = (-950, 50)
# Ratio of the smallest to the largest curvature: a ball 1, a tube 0.
MIN_ROUND = 0.35
MIN_CONTRAST_HU = 60.0
LEAST_MM, MOST_MM = 4.0, 60.0
# Share of the ball over its longest diameter that a nodule fills; branching vessels fill less.
FILLED = 0.22
# Calcified nodules larger than this are rare, vessels full of contrast medium are not.
CALCIFIED_MM = 15.0
# Peaks looked at per wanted candidate.
LOOKS = 4
APART_MM = 6.0

DEFINITIONS: Mapping[str, str] = {
    "candidates": "Places to look at, not findings: most are vessels, scars and lymph nodes. Best first.",
    "score": "Contrast times roundness of the best blob; it ranks within one scan and is no probability.",
    "expected_false_positives": "All listed places but one: an upper bound by reasoning, not counted on annotated scans.",
}


@dataclass(frozen=True)
class Candidate:
    """One place to look at.

    Attributes:
        at: Voxel `(x, y, z)`, z from the head.
        long_mm: Longest axial diameter of what was measured there.
        volume_mm3: Its volume.
        type: Its density type.
        side: Which lung.
        third: Which third of the lung's height.
        score: Ranks within the scan.
    """

    at: tuple[int, int, int]
    long_mm: float
    volume_mm3: float
    type: LesionType
    side: Literal["left", "right"]
    third: Literal["upper", "middle", "lower"]
    score: float


def expected_false_positives(listed: int) -> float:
    """How many of the listed places are expected to be no lesion: all but one, by reasoning; it was not counted on annotated scans."""
    return float(max(0, listed - 1))


def candidates(volume: Volume, most: int = 10, lungs: Lungs | None = None) -> tuple[Candidate, ...]:
    """Places that look like a nodule of at least 4 mm.

    Args:
        volume: Full resolution.
        most: At most this many.
        lungs: Its segmentation, where the caller has one.

    Returns:
        Best first.

    Raises:
        OutOfDomain: Not a whole chest.
    """
    lungs = lungs or segment(volume)
    require_chest(volume, lungs)
    found: list[Candidate] = []
    regions: list[tuple[Lesion, Region]] = []
    for score, point in _peaks(lungs)[: most * LOOKS]:
        at = _to_volume(point, lungs, volume)
        if any(_inside(at, *one) for one in regions):
            continue
        try:
            lesion, region = measure_region(volume, at, lungs)
        except BackendError:
            continue
        known = any(lesion.box == other.box for other, _ in regions)
        regions.append((lesion, region))
        if known or not _plausible(lesion):
            continue
        found.append(Candidate(at, lesion.long_mm, lesion.volume_mm3, lesion.type, lesion.side, lesion.lobe_or_third, round(score, 1)))
        if len(found) == most:
            break
    return tuple(found)


def _plausible(lesion: Lesion) -> bool:
    """Whether a measured region has the size and the filled shape of a nodule, and not those of bright vessels."""
    filled = lesion.volume_mm3 / (np.pi / 6 * lesion.long_mm**3)
    bright = lesion.type == "calcified" and lesion.long_mm > CALCIFIED_MM
    return LEAST_MM <= lesion.long_mm <= MOST_MM and filled >= FILLED and not bright


def _inside(at: tuple[int, int, int], lesion: Lesion, region: Region) -> bool:
    """Whether a voxel lies in the box of a small lesion, or among the voxels of a large one."""
    if lesion.long_mm <= MOST_MM / 2:
        return all(low <= value <= high for value, (low, high) in zip(at, (lesion.box.x, lesion.box.y, lesion.box.z), strict=True))
    local = tuple(v - o for v, o in zip(at[::-1], region.origin, strict=True))
    return all(0 <= v < n for v, n in zip(local, region.mask.shape, strict=True)) and bool(region.mask[local])


def _to_volume(point: tuple[int, int, int], lungs: Lungs, volume: Volume) -> tuple[int, int, int]:
    """Voxel `(x, y, z)` of the volume at a grid voxel `(z, y, x)`."""
    z, y, x = (min(n - 1, p * f + f // 2) for p, f, n in zip(point, lungs.grid.factors, volume.hu.shape, strict=True))
    return x, y, z


def _peaks(lungs: Lungs) -> list[tuple[float, tuple[int, int, int]]]:
    """Blobs inside the lungs with their scores, best first, one per place."""
    grid = lungs.grid
    inside = lungs.labels > 0
    airway = np.zeros_like(inside) if lungs.airway is None else ndimage.binary_dilation(lungs.airway.mask, iterations=3)
    box = ndimage.find_objects(inside.astype(np.uint8))[0]
    hu = np.clip(grid.hu[box], *RANGE_HU).astype(np.float32)
    hu = np.where(inside[box], hu, np.float32(-850))
    allowed = inside[box] & ~airway[box]
    found: list[tuple[float, tuple[int, int, int]]] = []
    for scale in SCALES_MM:
        sigma = [scale / s for s in grid.spacing]
        smooth = ndimage.gaussian_filter(hu, sigma, truncate=3)
        bright = smooth - ndimage.gaussian_filter(hu, [2 * s for s in sigma], truncate=2)
        top = (bright == ndimage.maximum_filter(bright, size=3)) & (bright > MIN_CONTRAST_HU) & allowed
        for z, y, x in np.argwhere(top):
            roundness = _round(smooth, (int(z), int(y), int(x)), grid.spacing)
            if roundness >= MIN_ROUND:
                place = (int(z) + box[0].start, int(y) + box[1].start, int(x) + box[2].start)
                found.append((float(bright[z, y, x]) * roundness, place))
    found.sort(reverse=True)
    kept: list[tuple[float, tuple[int, int, int]]] = []
    for score, place in found:
        if all(sum(((a - b) * s) ** 2 for a, b, s in zip(place, other, grid.spacing, strict=True)) > APART_MM**2 for _, other in kept):
            kept.append((score, place))
    return kept


def _round(smooth: NDArray[np.float32], at: tuple[int, int, int], spacing: tuple[float, float, float]) -> float:
    """Smallest over largest curvature at a peak; 0 at the edge and where the peak is a ridge."""
    if any(p < 1 or p >= n - 1 for p, n in zip(at, smooth.shape, strict=True)):
        return 0.0
    cube = smooth[tuple(slice(p - 1, p + 2) for p in at)].astype(np.float64)
    hessian = np.empty((3, 3))
    for a in range(3):
        plus, minus = [1, 1, 1], [1, 1, 1]
        plus[a], minus[a] = 2, 0
        hessian[a, a] = (cube[tuple(plus)] - 2 * cube[1, 1, 1] + cube[tuple(minus)]) / spacing[a] ** 2
        for b in range(a):
            corners = 0.0
            for i, j in ((2, 2), (0, 0), (2, 0), (0, 2)):
                index = [1, 1, 1]
                index[a], index[b] = i, j
                corners += (1 if i == j else -1) * cube[tuple(index)]
            hessian[a, b] = hessian[b, a] = corners / (4 * spacing[a] * spacing[b])
    values = np.linalg.eigvalsh(hessian)
    return float(values[2] / values[0]) if values[2] < 0 else 0.0
