"""A trial, shipped nowhere: nets of fine lines painted into real lungs, and the share of the outer lung that a local count of lines sees.

    python benchmarks/painted_lines.py [NAME ...]

Reads `../shared/data/chest_ct`. Each third slice is judged. A pixel is a line where it stands 110 HU above the opening of its slice by a
disc of 2.5 mm, and lies in a cell where the closing by 5 mm lies 120 HU above it; a place is a net where 22 % of the outer lung in a
window of 14 mm are lines and 20 % cells. The outer lung lies within 20 mm of the convex outline of both lungs. Nets are walls between
the cells of random seeds; ground glass, consolidation and holes of emphysema are painted into the same place and must not count.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from painted import DATA
from scipy import ndimage
from scipy.spatial import KDTree

from medmpt_backend.imaging.anatomy.grid import refine
from medmpt_backend.imaging.anatomy.lungs import segment
from medmpt_backend.imaging.anatomy.outside import convex
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.volume import Volume

Mask = NDArray[np.bool_]
Plane = NDArray[np.float32]
OUTER_MM, WALL_MM, WINDOW_MM = 20.0, 1.5, 14.0
LINES, CELLS = 0.22, 0.2
EVERY = 3


def _disc(hu: Plane, radius: float, pixel: float, *, lowest: bool) -> Plane:
    """Lowest or highest value within a disc."""
    reach = int(radius / pixel)
    best = None
    for step in range(-reach, reach + 1):
        width = 2 * int(np.sqrt(radius**2 - (step * pixel) ** 2) / pixel) + 1
        row = np.roll((ndimage.minimum_filter1d if lowest else ndimage.maximum_filter1d)(hu, width, axis=1), step, axis=0)
        best = row if best is None else (np.minimum if lowest else np.maximum)(best, row)
    return hu if best is None else best


def net(hu: Plane, outer: Mask, pixel: float) -> Mask:
    """Where the outer lung of one slice is a net."""
    soft = ndimage.gaussian_filter(hu, 0.6)
    opened = _disc(_disc(soft, 2.5, pixel, lowest=True), 2.5, pixel, lowest=False)
    closed = _disc(_disc(soft, 5.0, pixel, lowest=False), 5.0, pixel, lowest=True)
    line = outer & (soft - opened > 110) & (soft > -780) & (soft < 0)
    cell = outer & (closed - soft > 120) & (closed < -150) & (soft < -600)
    window = max(3, round(WINDOW_MM / pixel))
    size, lines, cells = (ndimage.uniform_filter(part.astype(np.float32), window) for part in (outer, line, cell))
    found: Mask = outer & (lines > LINES * size) & (cells > CELLS * size)
    return found


def share(volume: Volume, outer: Mask) -> float:
    """Percent of the outer lung that is a net."""
    planes = [k for k in range(0, len(outer), EVERY) if outer[k].sum() >= 500]
    found = sum(int(net(volume.hu[k].astype(np.float32), outer[k], volume.spacing[1]).sum()) for k in planes)
    return 100 * found / max(1, sum(int(outer[k].sum()) for k in planes))


def outer_lung(volume: Volume) -> Mask:
    """Lung within 20 mm of the convex outline of both lungs, without its rim."""
    lungs = segment(volume)
    lung = refine(lungs.labels > 0, lungs.grid.factors, volume.hu.shape)
    away = np.stack([ndimage.distance_transform_edt(convex(x) if x.any() else x, sampling=volume.spacing[1:]) for x in lung])
    outer: Mask = lung & (away < OUTER_MM) & (away > WALL_MM)
    return outer


def with_net(volume: Volume, where: Mask, rng: np.random.Generator, apart: float, width: float, hu: float, inside: float = 3000) -> Volume:
    """Walls between the cells of random seeds, blurred; cells no denser than `inside`."""
    spacing, places = np.array(volume.spacing), np.argwhere(where)
    low, high = places.min(axis=0) * spacing - 4, places.max(axis=0) * spacing + 4
    tree = KDTree(rng.uniform(low, high, (int(np.prod(high - low) / apart**3), 3)))
    part = np.zeros(len(places), dtype=np.float32)
    for dz in (-0.375, -0.125, 0.125, 0.375):
        away = np.asarray(tree.query((places + np.array([dz, 0.0, 0.0])) * spacing, k=2)[0])
        part += np.clip((width - (away[:, 1] - away[:, 0])) / spacing[1] + 0.5, 0, 1).astype(np.float32) / 4
    made = volume.hu.astype(np.float32)
    bottom = np.minimum(made[where], inside)
    made[where] = bottom + part * np.maximum(0, hu - bottom)
    return _softened(volume, made)


def _softened(volume: Volume, made: Plane) -> Volume:
    """The scan with what was painted, blurred in the slice."""
    change = ndimage.gaussian_filter(made - volume.hu, (0, 0.7, 0.7))
    return replace(volume, hu=np.rint(volume.hu + change).astype(np.int16))


def paintings(volume: Volume, where: Mask, rng: np.random.Generator) -> Iterator[tuple[str, Volume]]:
    """Nets that should count, and what should not."""
    yield "net of 6 mm, -400 HU", with_net(volume, where, rng, 6, 1.5, -400)
    yield "net of 8 mm, -550 HU", with_net(volume, where, rng, 8, 1.5, -550)
    yield "thick walls around air, 6 mm (honeycombing)", with_net(volume, where, rng, 6, 1.8, -250, -960)
    for name, hu in (("ground glass", -620), ("consolidation", 0)):
        made = volume.hu.astype(np.float32)
        made[where] = np.maximum(made[where], hu + rng.normal(0, 15, int(where.sum())))
        yield name, _softened(volume, made)
    holes = ndimage.gaussian_filter(rng.normal(size=volume.hu.shape), (1.2, 4, 4))
    yield "emphysema", replace(volume, hu=np.where(where & (holes > np.quantile(holes, 0.75)), np.int16(-985), volume.hu))


def main() -> None:
    """Paint, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scans", nargs="*", default=["LIDC-IDRI-0001", "LIDC-IDRI-0003"])
    for scan in parser.parse_args().scans:
        volume = load_volume(DATA / scan)
        outer, rng = outer_lung(volume), np.random.default_rng(4)
        held = np.flatnonzero(outer.any(axis=(1, 2)))
        where = outer.copy()
        where[: held[int(len(held) * 0.6)]] = where[held[int(len(held) * 0.75)] :] = False
        print(
            f"{scan}: painted into {100 * where.sum() / outer.sum():.1f} % of the outer lung; nothing painted {share(volume, outer):.2f} %"
        )
        for name, made in paintings(volume, where, rng):
            print(f"{scan}: {name}: {share(made, outer):.2f} %", flush=True)


if __name__ == "__main__":
    main()
