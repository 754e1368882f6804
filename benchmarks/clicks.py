"""Lesions painted into real lungs where they are hard to outline, and what jittered clicks measure of them.

    python benchmarks/clicks.py [--scans NAME ...] [--rounds 2] [--clicks 6] [--sizes 4 5 6 7 8] [--kinds solid] [--thin]

Free, at a vessel, at the pleura; solid, ground glass and part-solid; lobed. Per place, kind and size: clicks measured, lesions whose
volumes lie within 15 % of the painted one (25 % below 8 mm), lesions whose clicks agree within 5 %. `--thin` interpolates to 1.25 mm.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
from habits import interval
from numpy.typing import NDArray
from painted import DATA, ball, lung_of, repaint, surface_point
from scipy import ndimage

from medmpt_backend.errors import BackendError
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs, segment
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.measure import measure
from medmpt_backend.imaging.volume import Volume

SCANS = ("LIDC-IDRI-0001", "LIDC-IDRI-0003")
SIZES_MM = (5, 7, 10, 15, 20, 30)
KINDS = {"solid": (30, 0.0), "ground glass": (-600, 0.0), "part-solid": (-600, 0.5)}
PLACES = ("free", "vessel", "pleura")
STEP = 4
At = tuple[int, int, int]


@dataclass(frozen=True)
class Tried:
    """One painted lesion and its clicks; volumes in mm3."""

    place: str
    kind: str
    size: int
    painted: float
    volumes: tuple[float, ...]
    refused: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether every click was measured and the middle one is within the limit."""
        limit = 0.15 if self.size >= 8 else 0.25
        return bool(self.volumes) and not self.refused and abs(float(np.median(self.volumes)) / self.painted - 1) <= limit

    @property
    def agree(self) -> bool:
        """Whether all clicks agree within 5 %."""
        if not self.volumes or self.refused:
            return False
        middle = float(np.median(self.volumes))
        return max(abs(v / middle - 1) for v in self.volumes) <= 0.05


class Room:
    """Where lesions fit in one scan, on every fourth pixel of its slices."""

    def __init__(self, volume: Volume, lungs: Lungs) -> None:
        """Distances from the edge of the lungs, and vessels."""
        self.volume, self.lungs = volume, lungs
        self.lung = lung_of(volume, lungs, LEFT) | lung_of(volume, lungs, RIGHT)
        step = STEP
        self.spacing = (volume.spacing[0], volume.spacing[1] * step, volume.spacing[2] * step)
        self.depth = ndimage.distance_transform_edt(self.lung[:, ::step, ::step], sampling=self.spacing)
        self.dense = volume.hu[:, ::step, ::step] > -500
        fine = volume.hu[:, ::2, ::2] > -500
        thin = fine & ~ndimage.binary_opening(fine, structure=np.ones((1, 3, 3)))
        self.small = thin[:, ::2, ::2][:, : self.dense.shape[1], : self.dense.shape[2]] & self.dense
        thick = ndimage.binary_opening(self.dense & (self.depth > 0), structure=np.ones((1, 3, 3)))
        self.away = ndimage.distance_transform_edt(~thick, sampling=self.spacing)  # from real lesions and large vessels

    def find(self, place: str, radius: float, rng: np.random.Generator) -> At | None:
        """A voxel for the middle of a lesion, None where none fits."""
        if place == "pleura":
            side = RIGHT if rng.random() < 0.5 else LEFT
            z, y, x = surface_point(self.volume, self.lungs, side, rng)
            inward = 0.6 * radius / self.volume.spacing[2]
            return z, y, round(x + (inward if side == RIGHT else -inward))
        share = ndimage.uniform_filter(self.dense.astype(np.float32), [max(1, round(2 * radius / s)) for s in self.spacing])
        fits = (self.depth > radius + 4) & (self.away > radius + 6) & (share < (0.12 if place == "free" else 0.3))
        spots = np.argwhere(fits & self.small if place == "vessel" else fits)
        if not len(spots):
            return None
        z, y, x = spots[rng.integers(len(spots))]
        off = np.zeros(2)
        if place == "vessel":
            off = rng.normal(size=2)
            off *= 0.7 * radius / max(1e-6, float(np.linalg.norm(off)))
        return int(z), round(float(y * STEP + off[0] / self.volume.spacing[1])), round(float(x * STEP + off[1] / self.volume.spacing[2]))


def paint(room: Room, place: str, kind: str, size: int, rng: np.random.Generator) -> tuple[Volume, NDArray[np.float32]] | None:
    """The scan with the lesion, and the share of every voxel that is lesion."""
    at = room.find(place, size / 2, rng)
    if at is None:
        return None
    volume = room.volume
    box = tuple(slice(max(0, a - round(26 / s) - 3), a + round(26 / s) + 4) for a, s in zip(at, volume.spacing, strict=True))
    part = replace(volume, hu=volume.hu[box])
    middle = (at[0] - box[0].start, at[1] - box[1].start, at[2] - box[2].start)
    share = ball(part, middle, size / 2, rng, 0.2)
    if place == "pleura":
        share *= room.lung[box]
    hu, core = KINDS[kind]
    blur = ndimage.gaussian_filter(share, (0, 0.7, 0.7))
    part = repaint(part, np.where(part.hu > hu, 0, blur).astype(np.float32), hu, rng)
    if core:
        part = repaint(part, ndimage.gaussian_filter(ball(part, middle, core * size / 2, rng), (0, 0.7, 0.7)), 30, rng)
    out, whole = volume.hu.copy(), np.zeros(volume.hu.shape, dtype=np.float32)
    out[box], whole[box] = part.hu, share
    return replace(volume, hu=out), whole


def one(room: Room, place: str, kind: str, size: int, clicks: int, rng: np.random.Generator) -> Tried | None:
    """Paint one lesion and click into it."""
    made = paint(room, place, kind, size, rng)
    if made is None:
        return None
    changed, share = made
    inside = np.argwhere(share > 0.6)
    if not len(inside):
        return None
    middle = inside.mean(axis=0).round()
    near = inside[np.abs(inside - middle).max(axis=1) <= 3]
    found, refused = segment(changed) if place == "pleura" else room.lungs, []
    volumes = []
    for z, y, x in near[rng.permutation(len(near))[:clicks]]:
        try:
            volumes.append(measure(changed, (int(x), int(y), int(z)), found).volume_mm3)
        except BackendError as error:
            refused.append(str(error))
    return Tried(place, kind, size, float(share.sum() * np.prod(room.volume.spacing)), tuple(volumes), tuple(refused))


def table(rows: list[Tried]) -> None:
    """By place, kind and size."""
    groups: dict[tuple[str, str, int], list[Tried]] = defaultdict(list)
    for row in rows:
        groups[row.place, row.kind, row.size].append(row)
    print("| lesion | clicks measured | within the limit | clicks agree | found/painted: median (range) |\n|---|---|---|---|---|")
    for (place, kind, size), found in groups.items():
        ratios = [float(np.median(row.volumes)) / row.painted for row in found if row.volumes]
        measured, asked = sum(len(r.volumes) for r in found), sum(len(r.volumes) + len(r.refused) for r in found)
        said = f"{np.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})" if ratios else "-"
        print(
            f"| {place}, {kind}, {size} mm | {measured} of {asked} | {sum(r.right for r in found)} of {len(found)} "
            f"| {sum(r.agree for r in found)} of {len(found)} | {said} |"
        )


def main() -> None:
    """Paint, click, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", nargs="*", default=list(SCANS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--clicks", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--places", nargs="*", default=list(PLACES), choices=PLACES)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--sizes", nargs="*", type=int, default=None)
    parser.add_argument("--thin", action="store_true")
    given = parser.parse_args()
    if not DATA.exists():
        print(f"skipped: {DATA} is absent")
        return
    rows: list[Tried] = []
    for scan in given.scans:
        volume = load_volume(DATA / scan)
        if given.thin:
            volume = interval(volume, 1.25)
        room = Room(volume, segment(volume))
        rng = np.random.default_rng(given.seed + sum(map(ord, scan)))
        for _ in range(given.rounds):
            for place in given.places:
                for kind in given.kinds:
                    for size in given.sizes or (SIZES_MM if kind == "solid" else SIZES_MM[2:]):
                        row = one(room, place, kind, size, given.clicks, rng)
                        if row is None:
                            continue
                        rows.append(row)
                        ratio = [f"{v / row.painted:.2f}" for v in row.volumes]
                        print(
                            f"{scan:16s} {place:7s} {kind:12s} {size:3d} mm {' '.join(ratio)} {sorted({r[:70] for r in row.refused})}",
                            flush=True,
                        )
    table(rows)
    total = len(rows)
    print(f"{sum(r.right for r in rows)} of {total} within the limit, {sum(r.agree for r in rows)} of {total} agree")


if __name__ == "__main__":
    main()
