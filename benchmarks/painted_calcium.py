"""Plaques painted into the fat around the heart of real scans, and Agatston's score of them: what a reader who marks each plaque gets
against what is found; scans without any first.

    python benchmarks/painted_calcium.py [--scans NAME ...] [--rounds 3]

The two LIDC scans hold contrast medium: it is taken out first (what is brighter than 60 HU there becomes 45 HU, the noise stays), so
what they say of scans without contrast medium is a simulation. The Lung_Dx scans hold none, and are too thick for a score: grades only.
"""

import argparse
from collections import defaultdict
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from painted import DATA, ball, pick, repaint
from scipy import ndimage

from medmpt_backend.imaging.anatomy.grid import refine
from medmpt_backend.imaging.anatomy.lungs import Lungs, segment
from medmpt_backend.imaging.anatomy.outside import convex
from medmpt_backend.imaging.findings import calcium
from medmpt_backend.imaging.findings.mediastinum import Between, between_lungs
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.volume import Volume

SCANS = ("LIDC-IDRI-0001", "LIDC-IDRI-0003", "Lung_Dx-A0001_B", "Lung_Dx-A0002_B40f")
ENHANCED = ("LIDC-IDRI-0001", "LIDC-IDRI-0003")
PLAQUES = (1, 3, 8, 20)


def unenhanced(volume: Volume, lungs: Lungs, between: Between) -> Volume:
    """The scan with the contrast medium between the lungs and in the descending aorta taken out: 45 HU with the noise that was there."""
    grid = lungs.grid
    mask = np.zeros(lungs.labels.shape, dtype=bool)
    # Enhanced heart before the spine looks like bone: the hindmost of the neighbours is the spine.
    fronts = ndimage.maximum_filter(between.spine, size=2 * round(30 / grid.spacing[0]) + 1, mode="nearest")
    fronts = np.where(fronts < 0, fronts.max(), fronts)
    for k in range(max(0, between.first - round(70 / grid.spacing[0])), len(mask)):
        if np.count_nonzero(lungs.labels[k]) < 50:
            continue
        inner = ndimage.binary_erosion(convex(lungs.labels[k] > 0), iterations=round(6 / grid.spacing[1]))
        inner[fronts[k] :] = False
        mask[k] = inner
    rows, columns = np.arange(mask.shape[1])[:, None] * grid.spacing[1], np.arange(mask.shape[2])[None] * grid.spacing[2]
    for k in range(between.first, mask.shape[0]):
        bright = ndimage.uniform_filter(grid.hu[k].astype(np.float32), 3) > 110
        depth = ndimage.distance_transform_edt(bright, sampling=grid.spacing[1:])
        front, side = fronts[k] * grid.spacing[1], between.middle * grid.spacing[2]
        likely = np.minimum(depth, 21) - 0.5 * np.hypot(rows - front + 6, columns - side - 20)
        y, x = np.unravel_index(int(np.argmax(likely)), likely.shape)
        mask[k] |= np.hypot(rows - rows[y], columns - columns[0, x]) <= min(21.0, float(depth[y, x])) + 3
    where = refine(ndimage.binary_dilation(mask, structure=np.ones((1, 3, 3))), grid.factors, volume.hu.shape) & (volume.hu > 60)
    hu = volume.hu.copy()
    noise = volume.hu.astype(np.float32) - ndimage.uniform_filter(volume.hu.astype(np.float32), size=(1, 3, 3))
    hu[where] = 45 + np.clip(noise[where], -40, 40)
    return replace(volume, hu=hu, series=replace(volume.series, contrast="no"))


def places(volume: Volume, lungs: Lungs, between: Between) -> NDArray[np.bool_]:
    """Fat beside muscle from 25 to 85 mm below the carina, between the lungs and well before the spine: where the heart's arteries run."""
    grid = lungs.grid
    where = np.zeros(lungs.labels.shape, dtype=bool)
    spine = int(np.median(between.spine[between.spine >= 0]))
    top, bottom = (between.first + round(mm / grid.spacing[0]) for mm in (25, 85))
    for k in range(top, min(bottom, len(where))):
        inner = ndimage.binary_erosion(convex(lungs.labels[k] > 0) & (lungs.labels[k] == 0), iterations=round(7 / grid.spacing[1]))
        inner[spine - round(50 / grid.spacing[1]) :] = False
        inner[:, : between.middle - round(50 / grid.spacing[2])] = False
        where[k] = inner
    smooth = ndimage.uniform_filter(volume.hu.astype(np.float32), size=(1, 3, 3))
    near = ndimage.binary_dilation(smooth > 20, structure=np.ones((1, 3, 3)), iterations=4)
    return np.asarray((smooth > -130) & (smooth < -30) & near & refine(where, grid.factors, volume.hu.shape))


def painted(volume: Volume, where: NDArray[np.bool_], count: int, rng: np.random.Generator) -> tuple[Volume, NDArray[np.bool_]]:
    """So many plaques of 2 to 5 mm and 250 to 900 HU; and where they are."""
    hu, mask = volume.hu.copy(), np.zeros(volume.hu.shape, dtype=bool)
    for _ in range(count):
        at = pick(where, rng)
        box = tuple(slice(max(0, a - r), a + r + 1) for a, r in zip(at, (3, 12, 12), strict=True))
        part = replace(volume, hu=hu[box])
        middle = (at[0] - box[0].start, at[1] - box[1].start, at[2] - box[2].start)
        share = ndimage.gaussian_filter(ball(part, middle, float(rng.uniform(1.0, 2.5)), rng, 0.3), (0, 0.7, 0.7))
        hu[box] = repaint(part, share, float(rng.uniform(250, 900)), rng).hu
        mask[box] |= share > 0.02
    return replace(volume, hu=hu), mask


def marked(volume: Volume, mask: NDArray[np.bool_]) -> float:
    """Agatston's score of a reader who marks each plaque: what is bright where something was painted."""
    total = 0.0
    for z in np.flatnonzero(mask.any(axis=(1, 2))):
        labels, count = ndimage.label((volume.hu[z] >= calcium.CALCIUM_HU) & mask[z], structure=np.ones((3, 3)))
        for cut, i in zip(ndimage.find_objects(labels), range(1, count + 1), strict=True):
            part = labels[cut] == i
            area = float(part.sum() * volume.spacing[1] * volume.spacing[2])
            if area >= calcium.MIN_PLAQUE_MM2:
                total += area * min(4, int(volume.hu[z][cut][part].max()) // 100) * volume.spacing[0] / calcium.AGATSTON_SLICE_MM
    return total


def grade(score: float) -> str:
    """Rumberger's groups."""
    return "none" if score < 1 else "mild" if score < 100 else "moderate" if score < 400 else "severe"


def main() -> None:
    """Paint, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", nargs="*", default=list(SCANS))
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if not DATA.exists():
        print(f"skipped: {DATA} is absent")
        return
    rows: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for scan in given.scans:
        volume = load_volume(DATA / scan)
        lungs = segment(volume)
        between = between_lungs(lungs)
        if scan in ENHANCED:
            volume = unenhanced(volume, lungs, between)
            lungs = segment(volume)
            between = between_lungs(lungs)
        base = calcium.plaques(volume, lungs, between)
        noise = base.noise_hu or -1.0
        heart, aorta = base.agatston, base.millilitres("aorta")
        print(f"{scan}: nothing painted: heart {heart:.1f}, aorta {aorta:.3f} ml, noise {noise:.0f} HU", flush=True)
        where = places(volume, lungs, between)
        rng = np.random.default_rng(sum(map(ord, scan)))
        for _ in range(given.rounds):
            for count in PLAQUES:
                made, mask = painted(volume, where, count, rng)
                truth = marked(made, mask)
                found = calcium.plaques(made, lungs, between).agatston - base.agatston
                rows[count].append((truth, found))
                print(f"{scan:20s} {count:2d} plaques: marked {truth:7.1f}, found {found:7.1f}", flush=True)
    for count, values in rows.items():
        seen = [(t, f) for t, f in values if t >= 1]
        ratio = [f / t for t, f in seen]
        same = sum(grade(t) == grade(f) for t, f in values)
        print(
            f"{count:2d} plaques: n {len(values)}, marked {min(t for t, _ in values):.0f} to {max(t for t, _ in values):.0f}, found/marked "
            f"median {np.median(ratio):.2f} ({min(ratio):.2f} to {max(ratio):.2f}), same grade {same} of {len(values)}"
        )


if __name__ == "__main__":
    main()
