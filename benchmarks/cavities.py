"""Cavities painted into real lungs: balls with a wall and air inside, and what a click in the air and three in the wall measure of them.

python benchmarks/cavities.py [--scans NAME ...] [--seed 7]
"""

import argparse

import numpy as np
from clicks import SCANS, At, Room
from painted import DATA, ball, repaint
from scipy import ndimage

from medmpt_backend.errors import BackendError
from medmpt_backend.imaging.anatomy.lungs import segment
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.measure import measure
from medmpt_backend.imaging.volume import Volume

# Outer diameter and wall, mm.
SHAPES = ((16, 4), (24, 3), (24, 6), (36, 3), (36, 6), (36, 10))


def painted(volume: Volume, at: At, wide: int, wall: int, rng: np.random.Generator) -> tuple[Volume, float]:
    """The scan with the cavity, and its volume with its air in mm3."""
    outer, inner = ball(volume, at, wide / 2, rng), ball(volume, at, wide / 2 - wall, rng)
    made = repaint(volume, ndimage.gaussian_filter(outer, (0, 0.7, 0.7)).astype(np.float32), 30, rng)
    made = repaint(made, ndimage.gaussian_filter(inner, (0, 0.7, 0.7)).astype(np.float32), -980, rng)
    return made, float(outer.sum() * np.prod(volume.spacing))


def main() -> None:
    """Paint, click, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", nargs="*", default=list(SCANS))
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    if not DATA.exists():
        print(f"skipped: {DATA} is absent")
        return
    for scan in given.scans:
        volume = load_volume(DATA / scan)
        lungs, rng = segment(volume), np.random.default_rng(given.seed)
        room = Room(volume, lungs)
        for wide, wall in SHAPES:
            at = room.find("free", wide / 2, rng)
            if at is None:
                continue
            made, true = painted(volume, at, wide, wall, rng)
            (z, y, x), r = at, (wide - wall) / 2
            dz, dy, dx = (round(r / step) for step in volume.spacing)
            said = []
            for name, point in (("air", (x, y, z)), ("side", (x + dx, y, z)), ("front", (x, y - dy, z)), ("top", (x, y, z - dz))):
                try:
                    said.append(f"{name} {measure(made, point, lungs).volume_mm3 / true:.2f}")
                except BackendError as error:
                    said.append(f"{name}: {str(error)[:40]}")
            print(f"{scan} {wide} mm, wall {wall} mm: {', '.join(said)}", flush=True)


if __name__ == "__main__":
    main()
