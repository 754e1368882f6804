"""Lobes by fissures: the real scans, harmless changes of them, mirrored lungs that can have no such fissure, and painted lobes.

    python benchmarks/lobes.py [--scans NAME ...] [--what real mirrored painted]

`real` prints how far each fissure stands out and by how much a lobe's volume moves under each harmless change, and how well the two
kernels of one study agree; `mirrored` turns a lung front to back or upside down, where whatever is found is false; `painted` compares with
the lobes of synthetic chests.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace

import habits
import numpy as np
from hold_still import DATA
from numpy.typing import NDArray

from medmpt_backend.cohort.anatomy import LLL, LUL, RLL, RML, RUL
from medmpt_backend.cohort.demo import generate
from medmpt_backend.cohort.thorax import Scan
from medmpt_backend.errors import BackendError
from medmpt_backend.imaging.anatomy.grid import Grid
from medmpt_backend.imaging.anatomy.lungs import Lungs, segment
from medmpt_backend.imaging.asked.lobes import LobeGroup, lobes_of
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.volume import SeriesInfo, Volume

SCANS = ("LIDC-IDRI-0001", "LIDC-IDRI-0003", "Lung_Dx-A0001_B", "Lung_Dx-A0001_L")
KERNELS = ("Lung_Dx-A0001_B", "Lung_Dx-A0001_L")
CHANGES = ("interval 1.5 mm", "interval 5.0 mm", "shifted", "noise 30 HU", "smoothed", "first slice dropped", "rolled by 6 degrees")
PAINTED = (("copd", 3), ("normal", 5), ("pneumonia", 7), ("uip", 9), ("viral", 11), ("normal", 13))
MIRRORS = {"front to back": (slice(None), slice(None, None, -1)), "upside down": (slice(None, None, -1),)}


def said(name: str, found: LobeGroup, base: LobeGroup | None = None) -> None:
    """One line."""
    sizes = ", ".join(f"{lobe} {litres:.2f}" for lobe, litres in found.litres.items()) or "thirds"
    moved = ""
    if base is not None and base.litres:
        shared = [abs(litres / base.litres[lobe] - 1) for lobe, litres in found.litres.items() if lobe in base.litres]
        moved = f"; most moved {100 * max(shared):.1f} %" if shared else "; none shared"
    print(f"  {name:22s} {found.fissures} {sizes}{moved}", flush=True)


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Overlap."""
    return 2 * int(np.count_nonzero(a & b)) / max(1, int(np.count_nonzero(a)) + int(np.count_nonzero(b)))


def real(scans: list[str]) -> None:
    """Every scan and its changes."""
    masks = {}
    for name in scans:
        volume = load_volume(DATA / "chest_ct" / name)
        lungs = segment(volume)
        base = lobes_of(lungs)
        masks[name] = base.mask
        print(name)
        said("as it is", base)
        for change, changed in habits.harmless(volume, lungs):
            if change in CHANGES:
                try:
                    said(change, lobes_of(segment(changed)), base)
                except BackendError as error:
                    print(f"  {change}: {error}")
    soft, sharp = (masks.get(name) for name in KERNELS)
    if soft is not None and sharp is not None:
        both = (soft > 0) & (sharp > 0)
        print(f"kernels: the same lobe for {100 * np.mean(soft[both] == sharp[both]):.1f} % of the voxels, Dice", end="")
        print("".join(f" {dice(soft == k, sharp == k):.3f}" for k in range(1, 6)))


def mirrored(lungs: Lungs) -> Iterator[tuple[str, Lungs]]:
    """Lungs whose oblique fissure would run the wrong way."""
    for name, turned in MIRRORS.items():
        grid = Grid(np.ascontiguousarray(lungs.grid.hu[turned]), lungs.grid.factors, lungs.grid.spacing)
        yield name, replace(lungs, labels=np.ascontiguousarray(lungs.labels[turned]), grid=grid)


def painted() -> None:
    """Dice with the painted lobes: right upper, middle, lower, left upper, lower."""
    for disease, seed in PAINTED:
        study = generate(disease, seed, Scan(shape=(120, 200, 200), spacing=(2.7, 1.75, 1.75), z_top=140.0))
        lungs = segment(Volume(study.hu, study.spacing, SeriesInfo(uid_hash="t", contrast="no")))
        found = lobes_of(lungs)
        mask = found.mask if found.mask is not None else np.zeros(lungs.labels.shape, dtype=np.uint8)
        near = tuple(slice(f // 2, None, f) for f in lungs.grid.factors)
        true = study.lobes[near][tuple(slice(n) for n in mask.shape)]
        mask = mask[tuple(slice(n) for n in true.shape)]
        inside = mask > 0
        scores = [f"{dice(mask == k, (true == lobe) & inside):.2f}" for k, lobe in enumerate((RUL, RML, RLL, LUL, LLL), start=1)]
        print(f"  {disease} {seed}: {found.fissures} Dice {' '.join(scores)}", flush=True)


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", nargs="*", default=list(SCANS))
    parser.add_argument("--what", nargs="*", default=["real", "mirrored", "painted"], choices=["real", "mirrored", "painted"])
    given = parser.parse_args()
    if "painted" in given.what:
        painted()
    if not DATA.exists():
        print(f"skipped: {DATA} is absent")
        return
    if "mirrored" in given.what:
        for name in given.scans:
            print(f"{name}, mirrored")
            for turned, lungs in mirrored(segment(load_volume(DATA / "chest_ct" / name))):
                said(turned, lobes_of(lungs))
    if "real" in given.what:
        real(given.scans)


if __name__ == "__main__":
    main()
