"""Pairs of scans made of one real scan: the later one turned, shifted, stretched as by another breath and noisier, with lesions
painted into both at two sizes, new or gone; and what `ct compare` says of them.

    python benchmarks/growth.py [--scans NAME ...] [--candidates]

Lesions are measured by a click in their middle; with `--candidates` they have to be found first, as `ct compare` does.
"""

import argparse
from dataclasses import replace

import numpy as np
from painted import DATA, ball, free_place, repaint
from scipy import ndimage

from medmpt_backend.errors import BackendError
from medmpt_backend.imaging.anatomy.lungs import Lungs, segment
from medmpt_backend.imaging.candidates import Candidate, candidates
from medmpt_backend.imaging.compare import Comparison, Pair, compare_lesions
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.measure import measure
from medmpt_backend.imaging.volume import Volume

SCANS = ("LIDC-IDRI-0001", "LIDC-IDRI-0003", "Lung_Dx-A0001_B")
# Degrees of roll, shift in pixels (down, to the left), slices that begin later, stretch along and across the body, noise in HU.
CHANGES = ((0.0, (0, 0), 0, 1.0, 1.0, 0.0), (3.0, (8, -12), 1, 0.96, 1.01, 10.0), (-5.0, (-10, 15), 2, 1.06, 1.02, 20.0))
# Diameter before and after, mm; 0 for none; density.
LESIONS = ((6, 8, 40), (8, 8, 40), (8, 10, 40), (10, 14, 40), (14, 12, 40), (10, 14, -550), (0, 8, 40), (10, 0, 40))
DAYS = 180.0
At = tuple[int, int, int]


def changed(volume: Volume, change: tuple[float, tuple[int, int], int, float, float, float], rng: np.random.Generator) -> Volume:
    """The scan as another day would show it."""
    degrees, shift, late, along, across, noise = change
    hu = volume.hu[late:].astype(np.float32)
    matrix, offset = _plane(volume, degrees, shift)
    if degrees or any(shift):
        hu = np.stack([ndimage.affine_transform(plane, matrix, offset, order=1, cval=-1024) for plane in hu])
    hu = hu + rng.normal(0, noise, hu.shape) if noise else hu
    spacing = (volume.spacing[0] * along, volume.spacing[1] * across, volume.spacing[2] * across)
    return replace(volume, hu=np.clip(np.rint(hu), -1024, 3071).astype(np.int16), spacing=spacing)


def _plane(volume: Volume, degrees: float, shift: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Where in the old plane a pixel of the new one comes from."""
    angle = np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (np.array(volume.hu.shape[1:]) - 1) / 2
    return matrix, middle - matrix @ (middle + np.array(shift))


def moved(at: At, volume: Volume, change: tuple[float, tuple[int, int], int, float, float, float]) -> At:
    """The same place on the other day."""
    matrix, offset = _plane(volume, change[0], change[1])
    y, x = np.linalg.solve(matrix, np.array(at[1:]) - offset)
    return at[0] - change[2], round(float(y)), round(float(x))


def paint(volume: Volume, at: At, size: float, hu: float, rng: np.random.Generator) -> tuple[Volume, float]:
    """A lesion, in place; its volume."""
    if not size:
        return volume, 0.0
    box = tuple(slice(max(0, a - 30), a + 31) for a in at)
    part = replace(volume, hu=volume.hu[box])
    share = ball(part, tuple(a - b.start for a, b in zip(at, box, strict=True)), size / 2, rng)  # type: ignore[arg-type]
    volume.hu[box] = repaint(part, share, hu, rng).hu
    return volume, float(share.sum() * np.prod(volume.spacing))


def clicked(volume: Volume, lungs: Lungs, places: list[tuple[int, At]]) -> tuple[Candidate, ...]:
    """What a click into each lesion measures, numbered by score."""
    found = []
    for i, (z, y, x) in places:
        try:
            lesion = measure(volume, (x, y, z), lungs)
        except BackendError as refused:
            print(f"    lesion {i} refused: {str(refused)[:80]}")
            continue
        at = tuple(sum(span) // 2 for span in (lesion.box.x, lesion.box.y, lesion.box.z))
        found.append(Candidate(at, lesion.long_mm, lesion.volume_mm3, lesion.type, lesion.side, lesion.lobe_or_third, float(i)))  # type: ignore[arg-type]
    return tuple(found)


def name_of(candidate: Candidate | None, places: list[tuple[int, At]], volume: Volume) -> int | None:
    """Which painted lesion a candidate is."""
    for i, at in places:
        if candidate and np.linalg.norm((np.array(candidate.at[::-1]) - np.array(at)) * np.array(volume.spacing)) <= 8:
            return i
    return None


def said_of(pair: Pair) -> str:
    """Status and change, or that they cannot be told."""
    if pair.because:
        return "cannot be compared"
    return f"{pair.status} {pair.growth_pct:+.0f} %" if pair.growth_pct is not None else pair.status


def judge(found: Comparison, truth: dict[int, tuple[float, float]], names: list[tuple[int | None, int | None]], out: list[str]) -> None:
    """One line per painted lesion."""
    by_lesion: dict[int, list[tuple[Pair, tuple[int | None, int | None]]]] = {}
    for pair, name in zip(found.pairs, names, strict=True):
        for i in {n for n in name if n is not None}:
            by_lesion.setdefault(i, []).append((pair, name))
    for i, (before, after) in truth.items():
        rows = by_lesion.get(i, [])
        right = len(rows) == 1 and set(rows[0][1]) <= {i, None} and (None in rows[0][1]) == (not before or not after)
        wanted = f"{100 * (after / before - 1):+.0f} %" if before and after else "new" if after else "gone"
        said = ", ".join(said_of(p) for p, _ in rows) or "not listed"
        doubling = [p.doubling_days for p, _ in rows if p.doubling_days]
        true_days = f"{DAYS * np.log(2) / np.log(after / before):.0f}" if before and after > before else "-"
        days = f"{doubling[0]:.0f}" if doubling else "-"
        out.append(f"{'right' if right else 'WRONG':5s} painted {wanted:7s} said {said:22s} doubling {true_days} d, said {days} d")


def main() -> None:
    """Make pairs, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", nargs="*", default=list(SCANS))
    parser.add_argument("--candidates", action="store_true")
    given = parser.parse_args()
    if not DATA.exists():
        print(f"skipped: {DATA} is absent")
        return
    for scan in given.scans:
        base = load_volume(DATA / scan)
        lungs = segment(base)
        for change in CHANGES:
            rng = np.random.default_rng(sum(map(ord, scan)))
            taken = np.zeros(base.hu.shape, dtype=bool)
            current, prior = changed(base, change, rng), replace(base, hu=base.hu.copy())
            truth: dict[int, tuple[float, float]] = {}
            places: tuple[list[tuple[int, At]], list[tuple[int, At]]] = ([], [])
            for i, (before, after, hu) in enumerate(LESIONS):
                at = free_place(base, lungs, max(before, after) / 2, taken, rng)
                if at is None:
                    continue
                taken[tuple(slice(max(0, a - round(22 / s)), a + round(22 / s)) for a, s in zip(at, base.spacing, strict=True))] = True
                there = moved(at, base, change)
                prior, v1 = paint(prior, at, before, hu, rng)
                current, v2 = paint(current, there, after, hu, rng)
                truth[i] = v1, v2
                places[0].extend([(i, there)] if after else [])
                places[1].extend([(i, at)] if before else [])
            both = segment(current), segment(prior)
            if given.candidates:
                lesions = candidates(current, 20, both[0]), candidates(prior, 20, both[1])
            else:
                lesions = clicked(current, both[0], places[0]), clicked(prior, both[1], places[1])
            found = compare_lesions((current, prior), both, lesions, DAYS)
            names = [(name_of(p.current, places[0], current), name_of(p.prior, places[1], prior)) for p in found.pairs]
            lines: list[str] = []
            judge(found, truth, names, lines)
            print(f"{scan}, {change}: lungs {found.lung_change_pct:+.0f} %, outlines {found.apart_mm:.1f} mm apart, {found.because}")
            print("\n".join(f"    {line}" for line in lines), flush=True)


if __name__ == "__main__":
    main()
