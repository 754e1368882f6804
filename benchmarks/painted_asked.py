"""Metal, pericardial fluid and bullae painted into real scans, and what is found of them; nothing painted first.

    python benchmarks/painted_asked.py [--what metal pericardium bullae] [--scans NAME ...]

Reads `../shared/data/chest_ct`; prints one line per painting and a table at the end. Places and shapes are chosen without the methods' own
regions: housings under the skin in front of the ribs, leads from there to the heart, wires in the breast bone, screws in the spine; fluid
as a shell around the heart's outline; bullae as balls of air free in the lung and at the ribs.
"""

import argparse
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from clicks import Room
from numpy.typing import NDArray
from painted import DATA, ball, blurred, repaint
from scipy import ndimage

from medmpt_backend.imaging.anatomy.balls import box_of, opened, within
from medmpt_backend.imaging.anatomy.grid import Grid, block_means, refine
from medmpt_backend.imaging.anatomy.lungs import GRID_MM, LEFT, Lungs, segment
from medmpt_backend.imaging.anatomy.outside import body_of, convex
from medmpt_backend.imaging.asked.bullae import bullae
from medmpt_backend.imaging.asked.groups import MetalGroup
from medmpt_backend.imaging.asked.metal import metal
from medmpt_backend.imaging.asked.pericardium import pericardial
from medmpt_backend.imaging.findings import mediastinum
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.volume import Volume

SCANS = ("LIDC-IDRI-0001", "LIDC-IDRI-0003", "Lung_Dx-A0001_B", "Lung_Dx-A0001_L", "Lung_Dx-A0002_B40f", "Lung_Dx-A0002_B70f")
# As a scanner would show them if its values did not end: steel and the alloys of leads are denser than titanium.
TITANIUM_HU, STEEL_HU = 7000, 15000
Row = tuple[str, bool, str]
Points = NDArray[np.float64]


def placed(volume: Volume, lungs: Lungs, share: float) -> tuple[int, NDArray[np.bool_]]:
    """A slice at a share of the lungs' height, and the body in it at full resolution."""
    spans = np.flatnonzero((lungs.labels > 0).any(axis=(1, 2)))
    z = int(spans[0] + share * (spans[-1] - spans[0])) * lungs.grid.factors[0]
    one = Grid(volume.hu[z : z + 1], (1, 1, 1), volume.spacing)
    return z, ndimage.binary_fill_holes(body_of(one)[0])


def under_skin(body: NDArray[np.bool_], column: int, spacing: tuple[float, float, float], depth: float) -> int:
    """The row that lies so deep under the skin of the front."""
    return int(np.flatnonzero(body[:, column])[0] + depth / spacing[1])


def tube(volume: Volume, line: Points, radius: float) -> NDArray[np.float32]:
    """Share of each voxel inside a tube along a line of points in mm `(z, y, x)`."""
    spacing = np.array(volume.spacing)
    low = np.maximum(0, ((line.min(axis=0) - radius) / spacing - 2).astype(int))
    high = np.minimum(volume.hu.shape, ((line.max(axis=0) + radius) / spacing + 3).astype(int))
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    total = np.zeros(tuple(b - a for a, b in zip(low, high, strict=True)), dtype=np.float32)
    count = max(4, int(np.ceil(spacing[0] / 0.6)))
    for dz in (np.arange(count) + 0.5) / count - 0.5:
        for dy in (-0.25, 0.25):
            axes = [(np.arange(a, b) + d) * s for a, b, d, s in zip(low, high, (dz, dy, 0.0), spacing, strict=True)]
            grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
            near = np.full(total.shape, np.inf)
            for p, q in itertools.pairwise(line):
                along = np.clip(((grid - p) @ (q - p)) / max(1e-6, float((q - p) @ (q - p))), 0, 1)
                near = np.minimum(near, np.linalg.norm(grid - p - along[..., None] * (q - p), axis=-1))
            total += np.clip(0.5 + (radius - near) / spacing[2], 0, 1).astype(np.float32) / (2 * count)
    out = np.zeros(volume.hu.shape, dtype=np.float32)
    out[box] = total
    return out


def plate(volume: Volume, middle: Points, size: tuple[float, float, float]) -> NDArray[np.float32]:
    """Share of each voxel inside a box of metal, mm `(z, y, x)`."""
    share = np.ones(volume.hu.shape, dtype=np.float32)
    for axis, (at, width) in enumerate(zip(middle, size, strict=True)):
        step = volume.spacing[axis]
        edge = np.abs(np.arange(volume.hu.shape[axis]) * step - at) - width / 2
        part = np.clip(0.5 - edge / step, 0, 1).astype(np.float32)
        share *= part.reshape([-1 if a == axis else 1 for a in range(3)])
    return share


def with_metal(volume: Volume, share: NDArray[np.float32], hu: float = TITANIUM_HU) -> Volume:
    """The scan with metal of this share in each voxel, as the scanner stores it: blurred in the slice, cut off at 3,071 HU."""
    box = tuple(slice(max(0, side.start - 4), side.stop + 4) for side in box_of(share > 0))
    soft = ndimage.gaussian_filter(share[box], (0, 0.7, 0.7))
    out = volume.hu.copy()
    mixed = out[box] + soft * (hu - out[box])
    out[box] = np.rint(np.minimum(mixed, max(3071, int(volume.hu.max())))).astype(np.int16)
    return replace(volume, hu=out)


def _housing(volume: Volume, lungs: Lungs, side: int) -> tuple[NDArray[np.float32], Points]:
    """A generator of 45 x 9 x 40 mm before the ribs of one side, and its middle."""
    z, body = placed(volume, lungs, 0.2)
    columns = np.flatnonzero(body.any(axis=0))
    column = int(columns[0] + (0.32 if side != LEFT else 0.68) * (columns[-1] - columns[0]))
    at = np.array([z, under_skin(body, column, volume.spacing, 12), column]) * volume.spacing
    return plate(volume, at, (45, 9, 40)), at


def metal_cases(volume: Volume, lungs: Lungs) -> Iterator[tuple[str, Volume, Callable[[MetalGroup], bool]]]:
    """What is painted, the scan with it, and whether a result shows it."""
    for side, word in ((LEFT, "left"), (1, "right")):
        box, at = _housing(volume, lungs, side)
        yield f"housing {word}", with_metal(volume, box), lambda g, w=word: any(p.kind == "housing" and p.side == w for p in g.inside)
    box, at = _housing(volume, lungs, LEFT)
    spacing = np.array(volume.spacing)
    z, body = placed(volume, lungs, 0.7)
    columns = np.flatnonzero(body.any(axis=0))
    middle = (columns[0] + columns[-1]) / 2
    heart = np.array([z, under_skin(body, int(middle), volume.spacing, 45), middle + 25 / spacing[2]]) * spacing
    upper = np.array([at[0] - 25, at[1] + 45, (middle - 18 / spacing[2]) * spacing[2]])
    lead = tube(volume, np.stack([at, upper, upper + np.array([90, 10, -8]), heart]), 1.1)
    yield "housing with a lead", with_metal(with_metal(volume, box), lead, STEEL_HU), lambda g: any(p.kind == "housing" for p in g.inside)
    yield "lead alone", with_metal(volume, lead, STEEL_HU), lambda g: any(p.long_mm >= 60 for p in g.inside)
    wires = np.zeros(volume.hu.shape, dtype=np.float32)
    for share in (0.25, 0.35, 0.45, 0.55, 0.65):
        z, body = placed(volume, lungs, share)
        y = under_skin(body, int(middle), volume.spacing, 14)
        ring = [[z + a, y + b, middle + c] for a, b, c in ((0, 0, -10), (0, -4, 0), (0, 0, 10), (0, 6, 0), (0, 0, -10))]
        wires = np.maximum(wires, tube(volume, np.array(ring) * spacing, 0.6))
    yield "wires of the breast bone", with_metal(volume, wires, STEEL_HU), lambda g: sum(p.kind == "wires" for p in g.inside) >= 3
    z, body = placed(volume, lungs, 0.6)
    back = int(np.flatnonzero(body[:, int(middle)])[-1])
    screws = [
        np.array([[z, back - 45 / spacing[1], middle + s * 18 / spacing[2]], [z, back - 85 / spacing[1], middle + s * 10 / spacing[2]]])
        for s in (-1, 1)
    ]
    share = np.maximum(tube(volume, screws[0] * spacing, 2.5), tube(volume, screws[1] * spacing, 2.5))
    yield "screws in the spine", with_metal(volume, share), lambda g: any(p.kind == "implant at the spine" for p in g.inside)
    clip = np.array([z, placed(volume, lungs, 0.6)[1].shape[0] / 2, columns[0] + 0.3 * (columns[-1] - columns[0])]) * spacing
    yield (
        "clip of 5 mm in a lung",
        with_metal(volume, tube(volume, np.stack([clip, clip + np.array([0, 4, 3])]), 0.8)),
        lambda g: bool(g.inside),
    )


def run_metal(scan: str, volume: Volume, lungs: Lungs) -> Iterator[Row]:
    """Unpainted, then each painting; on scans with contrast medium what lies near the full veins counts on its own."""
    enhanced = mediastinum.enhanced(lungs, mediastinum.between_lungs(lungs))
    base = metal(volume, lungs, enhanced)
    print(f"{scan}: nothing painted: {[(p.kind, p.place, p.side, p.ml) for p in base.pieces]}, full veins {base.veins}", flush=True)
    own = {(p.first, p.last, p.ml) for p in base.pieces}
    for name, made, shows in metal_cases(volume, lungs):
        found = metal(made, lungs, enhanced)
        new = replace(found, pieces=tuple(p for p in found.pieces if (p.first, p.last, p.ml) not in own))
        print(f"{scan:20s} {name:26s} {shows(new)} {[(p.kind, p.place, p.side, p.ml, p.long_mm) for p in new.pieces][:6]}", flush=True)
        yield name + (", full veins" if base.veins else ""), shows(new), ""


def heart_outline(volume: Volume, lungs: Lungs, between: mediastinum.Between) -> tuple[Grid, NDArray[np.bool_]]:
    """The heart for painting: thick soft tissue within the outline of both lungs, from 20 to 90 mm below the carina, before the spine."""
    grid = lungs.grid
    soft = np.zeros(lungs.labels.shape, dtype=bool)
    top, bottom = (between.first + round(mm / grid.spacing[0]) for mm in (20, 90))
    front = int(np.max(between.spine)) - round(45 / grid.spacing[1])
    for k in range(top, min(bottom, len(soft))):
        soft[k] = convex(lungs.labels[k] > 0) & (lungs.labels[k] == 0) & (ndimage.uniform_filter(grid.hu[k].astype(np.float32), 3) > 25)
        soft[k, front:] = False
    soft[:, :, : between.middle - round(55 / grid.spacing[2])] = False
    soft = opened(soft, 14.0, grid.spacing)
    labels, _ = ndimage.label(soft)
    return grid, labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))


def run_pericardium(scan: str, volume: Volume, lungs: Lungs) -> Iterator[Row]:
    """Fluid of 5 HU around the heart, all around and behind it only; unpainted first."""
    between = mediastinum.between_lungs(lungs)
    enhanced = mediastinum.enhanced(lungs, between)
    base = pericardial(volume, lungs, between, enhanced)
    print(f"{scan}: nothing painted: {base.validity} {base.ml} ml", flush=True)
    yield "pericardium, nothing painted", not base.ml, base.validity
    if base.validity == "out":
        return
    grid, heart = heart_outline(volume, lungs, between)
    middle = np.median(np.nonzero(heart)[1])
    rng = np.random.default_rng(5)
    for thick in (4, 6, 8, 12, 18):
        for where in ("around", "behind"):
            shell = within(heart, thick, grid.spacing) & ~heart & (grid.hu < 20)
            shell &= heart.any(axis=(1, 2))[:, None, None]
            if where == "behind":
                shell[:, : int(middle)] = False
            share = blurred(refine(shell, grid.factors, volume.hu.shape))
            made = repaint(volume, share, 5, rng)
            own = replace(lungs, grid=block_means(made.hu, made.spacing, GRID_MM), labels=np.where(shell, 0, lungs.labels).astype(np.uint8))
            found = pericardial(made, own, mediastinum.between_lungs(own), enhanced).ml or 0.0
            truth = float(share.sum() * np.prod(volume.spacing)) / 1000
            print(f"{scan:20s} {where} {thick} mm: painted {truth:.0f} ml, found {found:.0f}", flush=True)
            yield f"pericardial fluid {where} {thick} mm", found > 0, f"{found / truth:.2f}"


def run_bullae(scan: str, volume: Volume, lungs: Lungs) -> Iterator[Row]:
    """Balls of -990 HU in the lungs and at the ribs; unpainted first."""
    base = bullae(volume, lungs)
    print(f"{scan}: nothing painted: {base.validity} {base.because} {base.bullae}", flush=True)
    if base.bullae is None:
        return
    yield "bullae, nothing painted", not base.bullae, ""
    room, rng = Room(volume, lungs), np.random.default_rng(3)
    for wide, place in itertools.product((8, 12, 16, 24, 40), ("free", "pleura")):
        at = room.find(place, wide / 2, rng)
        if at is None:
            continue
        share = ball(volume, at, wide / 2, rng) * room.lung
        made = repaint(volume, ndimage.gaussian_filter(share, (0, 0.7, 0.7)).astype(np.float32), -990, rng)
        found = bullae(made, segment(made)).bullae or ()
        truth = float(share.sum() * np.prod(volume.spacing)) / 1000
        print(
            f"{scan:20s} {wide} mm {place}: painted {truth:.2f} ml, found {[(round(b.ml, 2), round(b.long_mm)) for b in found]}", flush=True
        )
        yield f"bulla of {wide} mm, {place}", len(found) == 1, f"{found[0].ml / truth:.2f}" if len(found) == 1 else f"{len(found)} found"


RUNS: dict[str, Callable[[str, Volume, Lungs], Iterator[Row]]] = {
    "metal": run_metal,
    "pericardium": run_pericardium,
    "bullae": run_bullae,
}


def main() -> None:
    """Paint, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--what", nargs="*", default=list(RUNS), choices=list(RUNS))
    parser.add_argument("--scans", nargs="*", default=list(SCANS))
    given = parser.parse_args()
    if not DATA.exists():
        print(f"skipped: {DATA} is absent")
        return
    rows: dict[str, list[tuple[bool, str]]] = defaultdict(list)
    for scan in given.scans:
        volume = load_volume(DATA / scan)
        lungs = segment(volume)
        for what in given.what:
            for name, found, note in RUNS[what](scan, volume, lungs):
                rows[name].append((found, note))
    for name, values in rows.items():
        notes = " ".join(note for _, note in values if note)
        print(f"| {name} | {sum(found for found, _ in values)} of {len(values)} | {notes} |")


if __name__ == "__main__":
    main()
