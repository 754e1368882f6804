"""Widths of the ascending aorta and the pulmonary trunk: with contrast medium and with it taken out, two kernels, harmless changes, and
a trunk or an aorta painted wider.

    python benchmarks/painted_vessels.py [--scans NAME ...]

With contrast medium in it a vessel shows its lumen; the same scan without it (`painted_calcium.unenhanced`) has to give the same width
but for the walls. Painted wider: blood fills circles along the vessel, moved away from the other one, so that its width grows as painted.
"""

import argparse
from dataclasses import replace

import numpy as np
from habits import half, interval, of
from painted import DATA
from painted_calcium import unenhanced

from medmpt_backend.imaging.anatomy.lungs import Lungs, segment
from medmpt_backend.imaging.findings.discs import Disc
from medmpt_backend.imaging.findings.great_vessels import GreatVessels, great_vessels
from medmpt_backend.imaging.findings.mediastinum import between_lungs, enhanced
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.volume import Volume

SCANS = ("LIDC-IDRI-0001", "LIDC-IDRI-0003", "Lung_Dx-A0001_B", "Lung_Dx-A0001_L")
WIDER_MM = (3.0, 6.0, 9.0)


def widened(volume: Volume, discs: tuple[Disc, ...], mm: float, left: bool, rng: np.random.Generator) -> Volume:
    """A vessel wider by so much, to the side away from the other one, over its slices and some beyond."""
    hu = volume.hu.copy()
    zs = np.array([disc.z for disc in discs])
    table = np.array([(disc.y, disc.x, disc.radius) for disc in discs])
    beyond = round(10 / volume.spacing[0])
    rows, columns = np.arange(hu.shape[1])[:, None], np.arange(hu.shape[2])[None]
    for z in range(max(0, zs[0] - beyond), min(len(hu), zs[-1] + beyond + 1)):
        y, x, radius = (float(np.interp(z, zs, table[:, i])) for i in range(3))
        x += (1 if left else -1) * mm / 2 / volume.spacing[2]
        inside = np.hypot((rows - y) * volume.spacing[1], (columns - x) * volume.spacing[2]) <= radius + mm / 2
        value = float(np.median(hu[z][np.hypot((rows - y) * volume.spacing[1], (columns - x) * volume.spacing[2]) <= 0.5 * radius]))
        hu[z][inside] = (value + rng.normal(0, 12, int(inside.sum()))).astype(np.int16)
    return of(volume, hu)


def said(name: str, found: GreatVessels | None, base: GreatVessels | None) -> None:
    """One line."""
    if found is None or base is None:
        print(f"  {name:34s} not measured")
        return
    print(
        f"  {name:34s} aorta {found.aorta_mm:4.1f} ({found.aorta_mm - base.aorta_mm:+.1f}), trunk {found.pa_mm:4.1f} "
        f"({found.pa_mm - base.pa_mm:+.1f}) mm, ratio {found.pa_mm / found.aorta_mm:.2f}, slice {found.slice}",
        flush=True,
    )


def look(volume: Volume, lungs: Lungs | None = None, bright: bool = False) -> GreatVessels | None:
    """Measure one volume."""
    return great_vessels(volume, lungs or segment(volume), enhanced=bright)


def scan(name: str) -> None:
    """All changes of one scan."""
    volume = load_volume(DATA / name)
    lungs = segment(volume)
    between = between_lungs(lungs)
    bright = bool(enhanced(lungs, between))
    rng = np.random.default_rng(1)
    base = look(volume, lungs, bright)
    print(f"{name}, {'with' if bright else 'without'} contrast medium")
    said("as it is", base, base)
    if bright:
        said("contrast medium taken out", look(unenhanced(volume, lungs, between), lungs), base)
        volume, bright = unenhanced(volume, lungs, between), False
        base = look(volume, lungs)
    if base is None:
        return
    changes = {
        "noise 30 HU": of(volume, (volume.hu + rng.normal(0, 30, volume.hu.shape)).astype(np.int16)),
        "256 matrix": half(volume),
        "slices of 5 mm": interval(volume, 5.0) if volume.spacing[0] < 5 else volume,
        "first slices dropped": of(volume, volume.hu[2:]),
        "10 % larger": replace(volume, spacing=tuple(1.1 * s for s in volume.spacing)),
    }
    for what, changed in changes.items():
        said(what, look(changed), base)
    for mm in WIDER_MM:
        said(f"trunk painted {mm:.0f} mm wider", look(widened(volume, base.trunk, mm, True, rng), lungs), base)
        said(f"aorta painted {mm:.0f} mm wider", look(widened(volume, base.aorta, mm, False, rng), lungs), base)


def main() -> None:
    """Print every scan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", nargs="*", default=list(SCANS))
    given = parser.parse_args()
    if not DATA.exists():
        print(f"skipped: {DATA} is absent")
        return
    for name in given.scans:
        scan(name)


if __name__ == "__main__":
    main()
