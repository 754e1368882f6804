"""Clicks beside the lungs: in organs, marked by eye, which must be refused; and in masses painted at every wall, which must be measured.

    python benchmarks/beside.py [--what organs masses] [--scans NAME ...] [--rounds 1] [--seed 3]

Masses are the part inside a lung of lobed balls around points of its surface: at the ribs, in front, at the mediastinum, beside the
spine, at the diaphragm. A click half-way in; volume against the painted one.
"""

import argparse
import csv
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from painted import DATA, SCANS, ball, lung_of, repaint
from scipy import ndimage

from medmpt_backend.errors import BackendError
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs, segment
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.measure import measure
from medmpt_backend.imaging.volume import Volume

# Voxels in organs, z from the head, set by eye on slices that were looked at.
ORGANS = Path(__file__).with_name("organs.tsv")
RADII_MM = (10, 15, 20, 30)
PLACES = ("ribs", "front", "mediastinum", "spine", "diaphragm")
At = tuple[int, int, int]


def organs(scans: list[str]) -> None:
    """Click into every organ of each scan; print what was measured."""
    with ORGANS.open() as file:
        marked = list(csv.DictReader(file, delimiter="\t"))
    reasons: Counter[str] = Counter()
    for scan in scans:
        volume = load_volume(DATA / scan)
        lungs = segment(volume)
        total = wrong = 0
        for row in marked:
            if row["scan"] != scan:
                continue
            total += 1
            point = int(row["x"]), int(row["y"]), int(row["z"])
            try:
                found = measure(volume, point, lungs)
            except BackendError as error:
                reasons[str(error)[:60]] += 1
                continue
            wrong += 1
            print(f"    {scan} {row['organ']} {point}: measured, {found.long_mm:.0f} mm, {found.volume_mm3 / 1000:.1f} ml")
        print(f"{scan}: {wrong} of {total} clicks in organs measured", flush=True)
    for reason, count in reasons.most_common():
        print(f"    refused {count}: {reason}")


def place(volume: Volume, lungs: Lungs, where: str, side: int, rng: np.random.Generator) -> At:
    """A voxel of one lung's surface."""
    lung = lung_of(volume, lungs, side)
    slices = np.flatnonzero(lung.any(axis=(1, 2)))
    outwards = -1 if side == RIGHT else 1
    if where == "diaphragm":
        columns = np.argwhere(lung[slices[len(slices) // 2]])
        y, x = columns[rng.integers(len(columns))]
        return int(np.flatnonzero(lung[:, y, x])[-1]), int(y), int(x)
    z = int(rng.integers(slices[len(slices) // 4], slices[2 * len(slices) // 3]))
    rows = np.flatnonzero(lung[z].any(axis=1))
    share = {"ribs": (0.3, 0.8), "front": (0.05, 0.2), "mediastinum": (0.3, 0.6), "spine": (0.8, 0.92)}[where]
    y = int(rows[int(rng.uniform(*share) * (len(rows) - 1))])
    columns = np.flatnonzero(lung[z, y])
    outer = where == "ribs" or where == "front"
    first = (outwards < 0) == outer
    return z, y, int(columns[0] if first else columns[-1])


def masses(scans: list[str], rounds: int, seed: int) -> None:
    """Paint, click, print, by place."""
    rows: dict[tuple[str, int], list[float | str]] = defaultdict(list)
    for scan in scans:
        volume = load_volume(DATA / scan)
        lungs, rng = segment(volume), np.random.default_rng(seed + sum(map(ord, scan)))
        inside = lung_of(volume, lungs, LEFT) | lung_of(volume, lungs, RIGHT)
        for _ in range(rounds):
            for where in PLACES:
                for k, radius in enumerate(RADII_MM):
                    at = place(volume, lungs, where, RIGHT if k % 2 else LEFT, rng)
                    rows[where, radius].append(_clicked(volume, inside, at, radius, rng))
                    said = rows[where, radius][-1]
                    print(f"{scan} {where} {radius} mm {at}: {said if isinstance(said, str) else round(said, 2)}", flush=True)
    for where in PLACES:
        for radius in RADII_MM:
            found = [v for v in rows[where, radius] if isinstance(v, float)]
            asked = len(rows[where, radius])
            said = f"{np.median(found):.2f} ({min(found):.2f} to {max(found):.2f})" if found else "-"
            right = sum(0.75 <= v <= 1.25 for v in found)
            print(f"| {where}, {radius} mm | {len(found)} of {asked} | {right} of {asked} | {said} |")


def _clicked(volume: Volume, inside: NDArray[np.bool_], at: At, radius: int, rng: np.random.Generator) -> float | str:
    """Found/painted, or why nothing was."""
    share = ball(volume, at, radius, rng, 0.15) * inside
    made = repaint(volume, np.where(volume.hu > 35, 0, ndimage.gaussian_filter(share, (0, 0.7, 0.7))).astype(np.float32), 35, rng)
    points = np.argwhere(share > 0.6)
    if not len(points):
        return "no room"
    middle = points[int(np.argmin((((points - points.mean(axis=0)) * np.array(volume.spacing)) ** 2).sum(axis=1)))]
    try:
        found = measure(made, (int(middle[2]), int(middle[1]), int(middle[0])), segment(made))
    except BackendError as error:
        return str(error)[:70]
    return found.volume_mm3 / float(share.sum() * np.prod(volume.spacing))


def main() -> None:
    """Both, or one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--what", nargs="*", default=["organs", "masses"], choices=["organs", "masses"])
    parser.add_argument("--scans", nargs="*", default=list(SCANS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=3)
    given = parser.parse_args()
    if not DATA.exists():
        print(f"skipped: {DATA} is absent")
        return
    if "organs" in given.what:
        organs(given.scans)
    if "masses" in given.what:
        masses(given.scans, given.rounds, given.seed)


if __name__ == "__main__":
    main()
