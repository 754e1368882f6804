"""Findings painted into real lungs, and what is measured of them: fluid, air, dense tissue at the wall, lesions; nothing painted first.

    python benchmarks/painted.py [--what none fluid air dense central walled lesions candidates] [--scans NAME ...] [--rounds 2]

Reads `../shared/data/chest_ct`; prints one line per painting and a table at the end. The shapes: free fluid fills the back of one
lung up to a tilted surface, air its front, dense tissue is the part of a ball around a point of the lung's
surface (central: at the hilum), walled fluid such a part at the side, lesions are lobed balls between the large vessels.
"""

import argparse
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.errors import BackendError
from medmpt_backend.imaging.anatomy.grid import refine
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs, segment
from medmpt_backend.imaging.candidates import candidates
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.measure import measure
from medmpt_backend.imaging.quantify import quantify
from medmpt_backend.imaging.volume import Volume

DATA = Path(__file__).resolve().parents[1] / "../shared/data/chest_ct"
SCANS = ("LIDC-IDRI-0001", "LIDC-IDRI-0003", "Lung_Dx-A0001_B", "Lung_Dx-A0001_L", "Lung_Dx-A0002_B40f", "Lung_Dx-A0002_B70f")
FLUID_ML = (50, 100, 200, 400, 800, 1500)
AIR_ML = (50, 100, 200, 400, 800)
DENSE_MM = (10, 15, 20, 30, 40)
CENTRAL_MM = (10, 15, 20, 25)
WALLED_ML = (50, 100, 200, 400)
SIZES_MM = (4, 6, 8, 10, 15, 20, 30)
# Real lesions that readers marked, `(x, y, z)`, so that finding them is no false positive.
REAL = {
    "LIDC-IDRI-0001": [(316, 367, 42)],
    "LIDC-IDRI-0003": [(367, 350, 64), (308, 198, 56), (221, 219, 55), (369, 346, 73)],
}
Mask = NDArray[np.bool_]


def lung_of(volume: Volume, lungs: Lungs, side: int) -> Mask:
    """One lung at full resolution."""
    return refine(lungs.labels == side, lungs.grid.factors, volume.hu.shape)


def repaint(volume: Volume, share: NDArray[np.float32], hu: float, rng: np.random.Generator) -> Volume:
    """Mix a density with noise into the voxels by their share of it."""
    out = volume.hu.astype(np.float32)
    where = share > 0.02
    noisy = np.maximum(hu + rng.normal(0, 15, int(where.sum())), -1024)
    out[where] += share[where] * (noisy - out[where])
    return replace(volume, hu=np.rint(out).astype(np.int16))


def blurred(mask: Mask) -> NDArray[np.float32]:
    """Edges as a scanner blurs them in the slice."""
    return ndimage.gaussian_filter(mask.astype(np.float32), (0, 0.7, 0.7))


def layer(volume: Volume, lungs: Lungs, side: int, ml: float, *, front: bool) -> Mask:
    """The lowest or highest millilitres of one lung of a patient on the back, up to a surface that rises towards the apex or base."""
    lung = lung_of(volume, lungs, side)
    z, y, _ = np.nonzero(lung)
    height = y * volume.spacing[1] - 0.15 * z * volume.spacing[0] * (1 if front else -1)
    count = min(len(y) - 1, int(ml * 1000 / np.prod(volume.spacing)))
    order = np.argpartition(height, count if front else len(height) - count)
    kept = order[:count] if front else order[-count:]
    out = np.zeros_like(lung)
    out[tuple(axis[kept] for axis in np.nonzero(lung))] = True
    return out


def ball(volume: Volume, at: tuple[int, int, int], radius: float, rng: np.random.Generator, lobes: float = 0.0) -> NDArray[np.float32]:
    """Share of each voxel inside a lobed ball, from samples within the voxel."""
    out = np.zeros(volume.hu.shape, dtype=np.float32)
    reach = [int(1.4 * radius / s) + 2 for s in volume.spacing]
    box = tuple(slice(max(0, a - r), min(n, a + r + 1)) for a, r, n in zip(at, reach, volume.hu.shape, strict=True))
    waves = rng.normal(size=(3, 3)) * lobes
    total = np.zeros(tuple(s.stop - s.start for s in box), dtype=np.float32)
    steps = [(np.arange(n) + 0.5) / n - 0.5 for n in (4, 2, 2)]
    for dz in steps[0]:
        for dy in steps[1]:
            for dx in steps[2]:
                axes = [(np.arange(s.start, s.stop) + d - a) * w for s, d, a, w in zip(box, (dz, dy, dx), at, volume.spacing, strict=True)]
                zz, yy, xx = np.meshgrid(*axes, indexing="ij")
                far = np.sqrt(zz**2 + yy**2 + xx**2) + 1e-6
                unit = np.stack([zz, yy, xx]) / far
                bump = sum(np.sin(3 * (wave[0] * unit[0] + wave[1] * unit[1] + wave[2] * unit[2])) * lobes for wave in waves)
                total += far <= radius * (1 + bump / 3)
    out[box] = total / (len(steps[0]) * len(steps[1]) * len(steps[2]))
    return out


def pick(mask: Mask, rng: np.random.Generator) -> tuple[int, int, int]:
    """A random voxel of a mask."""
    flat = np.flatnonzero(mask)
    z, y, x = np.unravel_index(int(flat[rng.integers(len(flat))]), mask.shape)
    return int(z), int(y), int(x)


def surface_point(volume: Volume, lungs: Lungs, side: int, rng: np.random.Generator) -> tuple[int, int, int]:
    """A point of the lung's outer surface in its middle half of height."""
    lung = lung_of(volume, lungs, side)
    spans = np.flatnonzero(lung.any(axis=(1, 2)))
    z = int(rng.integers(spans[len(spans) // 4], spans[3 * len(spans) // 4]))
    rows = np.flatnonzero(lung[z].any(axis=1))
    y = int(rng.integers(rows[len(rows) // 4], rows[-len(rows) // 8]))
    columns = np.flatnonzero(lung[z, y])
    return z, y, int(columns[0] if side == RIGHT else columns[-1])


def free_place(volume: Volume, lungs: Lungs, radius: float, taken: Mask, rng: np.random.Generator) -> tuple[int, int, int] | None:
    """A place in the lungs where a ball fits between large vessels."""
    step = 2
    hu = volume.hu[:, ::step, ::step]
    lung = (refine(lungs.labels > 0, lungs.grid.factors, volume.hu.shape) & ~taken)[:, ::step, ::step]
    spacing = (volume.spacing[0], volume.spacing[1] * step, volume.spacing[2] * step)
    free = ndimage.distance_transform_edt(lung, sampling=spacing) > radius + 4
    thin = ndimage.uniform_filter((hu > -500).astype(np.float32), [max(1, round(2 * radius / s)) for s in spacing]) < 0.12
    if not (free & thin).any():
        return None
    z, y, x = pick(free & thin, rng)
    return z, y * step, x * step


def fluid_or_air(volume: Volume, lungs: Lungs, what: str, rng: np.random.Generator) -> Iterator[tuple[str, float, float, float]]:
    """Painted and found, ml, and what was found on the other side."""
    for k, ml in enumerate(FLUID_ML if what == "fluid" else AIR_ML):
        side = RIGHT if k % 2 else LEFT
        mask = layer(volume, lungs, side, ml, front=what == "air")
        try:
            group = quantify(repaint(volume, blurred(mask), 8 if what == "fluid" else -1000, rng)).findings
        except BackendError as refused:
            print(f"    {ml} ml refused: {str(refused)[:90]}")
            continue
        pocket = group.effusion if what == "fluid" else group.pneumothorax
        own, other = (pocket.right_ml, pocket.left_ml) if side == RIGHT else (pocket.left_ml, pocket.right_ml)
        yield f"{ml} ml", float(mask.sum() * np.prod(volume.spacing) / 1000), own or 0.0, other or 0.0


def dense(volume: Volume, lungs: Lungs, base: float, rng: np.random.Generator) -> Iterator[tuple[str, float, float, float]]:
    """Painted and found, ml, without what was there before; effusion that is found instead is the last figure."""
    for k, radius in enumerate(DENSE_MM):
        side = RIGHT if k % 2 else LEFT
        lung = lung_of(volume, lungs, side)
        part = ball(volume, surface_point(volume, lungs, side, rng), radius, rng) * lung
        found = quantify(repaint(volume, blurred(part > 0.5), 40, rng)).findings
        wrong = (found.effusion.left_ml or 0.0) + (found.effusion.right_ml or 0.0)
        yield f"{radius} mm", float((part > 0.5).sum() * np.prod(volume.spacing) / 1000), (found.consolidation.ml or 0.0) - base, wrong


def central(volume: Volume, lungs: Lungs, base: float, rng: np.random.Generator) -> Iterator[tuple[str, float, float, float]]:
    """As `dense`, at the inner edge of a lung, 10 to 40 mm below the carina or the middle of its height."""
    for k, radius in enumerate(CENTRAL_MM):
        side = RIGHT if k % 2 else LEFT
        lung = lung_of(volume, lungs, side)
        spans = np.flatnonzero(lung.any(axis=(1, 2)))
        first = lungs.airway.carina[0] * lungs.grid.factors[0] if lungs.airway and lungs.airway.carina else int(spans[len(spans) // 2])
        z = min(int(spans[-1]), first + round(float(rng.uniform(10, 40)) / volume.spacing[0]))
        rows = np.flatnonzero(lung[z].any(axis=1))
        y = int(rows[len(rows) // 2])
        columns = np.flatnonzero(lung[z, y])
        at = z, y, int(columns[-1] if side == RIGHT else columns[0])
        part = ball(volume, at, radius, rng) * lung
        found = quantify(repaint(volume, blurred(part > 0.5), 40, rng)).findings
        wrong = (found.effusion.left_ml or 0.0) + (found.effusion.right_ml or 0.0)
        yield f"{radius} mm", float((part > 0.5).sum() * np.prod(volume.spacing) / 1000), (found.consolidation.ml or 0.0) - base, wrong


def walled(volume: Volume, lungs: Lungs, rng: np.random.Generator) -> Iterator[tuple[str, float, float, float]]:
    """Fluid walled off at the side or the front: the part of a ball in the lung; the last figure is 1 where it is called loculated."""
    for k, ml in enumerate(WALLED_ML):
        side = RIGHT if k % 2 else LEFT
        lung = lung_of(volume, lungs, side)
        z = surface_point(volume, lungs, side, rng)[0]
        rows = np.flatnonzero(lung[z].any(axis=1))
        y = int(rows[len(rows) // 4])
        columns = np.flatnonzero(lung[z, y])
        at = z, y, int(columns[0] if side == RIGHT else columns[-1])
        radius = float((ml * 1000 * 2 / (4 / 3 * np.pi)) ** (1 / 3))
        part = ball(volume, at, radius, rng) * lung > 0.5
        group = quantify(repaint(volume, blurred(part), 12, rng)).findings.effusion
        own, form = (group.right_ml, group.right_form) if side == RIGHT else (group.left_ml, group.left_form)
        yield f"{ml} ml", float(part.sum() * np.prod(volume.spacing) / 1000), own or 0.0, float(form == "loculated")


def placed(volume: Volume, lungs: Lungs, rng: np.random.Generator) -> tuple[Volume, list[tuple[int, tuple[int, int, int], float, str]]]:
    """One lesion of every size, solid or ground glass, that do not touch; with centre and volume, mm3."""
    taken = np.zeros(volume.hu.shape, dtype=bool)
    out, told = volume, []
    for size in SIZES_MM:
        at = free_place(volume, lungs, size / 2, taken, rng)
        if at is None:
            continue
        share = ball(volume, at, size / 2, rng, 0.25)
        kind = "ground glass" if size >= 8 and rng.random() < 0.3 else "solid"
        out = repaint(out, share, -550 if kind == "ground glass" else 30, rng)
        z, y, x = (slice(max(0, a - 40), a + 41) for a in at)
        taken[z, y, x] |= share[z, y, x] > 0
        taken |= ndimage.binary_dilation(share > 0, iterations=2) if size < 12 else share > 0
        told.append((size, at, float(share.sum() * np.prod(volume.spacing)), kind))
    return out, told


def lesions(volume: Volume, lungs: Lungs, rng: np.random.Generator) -> Iterator[tuple[str, float, float, float]]:
    """Painted and measured from a click in the middle, mm3; the longest diameter is the last figure; -1: refused."""
    out, told = placed(volume, lungs, rng)
    lungs = segment(out)
    for size, (z, y, x), mm3, kind in told:
        try:
            found = measure(out, (x, y, z), lungs)
            yield f"{size} mm {kind}", mm3, found.volume_mm3, found.long_mm
        except BackendError:
            yield f"{size} mm {kind}", mm3, -1.0, 0.0


def listed(volume: Volume, lungs: Lungs, real: list[tuple[int, int, int]], rng: np.random.Generator) -> list[tuple[float, str]]:
    """Score and what it is for every candidate: a painted size, `real`, `false`; missed lesions have the score -1."""
    out, told = placed(volume, lungs, rng)
    places = candidates(out, 30)
    rows: list[tuple[float, str]] = []
    hit: set[int] = set()
    for place in places:
        near = [
            i
            for i, (size, (z, y, x), _, _) in enumerate(told)
            if _mm(volume, place.at, (x, y, z)) <= size / 2 + max(2.0, volume.spacing[0])
        ]
        if near:
            if near[0] not in hit:
                rows.append((place.score, f"{told[near[0]][0]} mm"))
            hit.update(near[:1])
        elif any(_mm(volume, place.at, spot) <= 18 for spot in real):
            rows.append((place.score, "real"))
        else:
            rows.append((place.score, "false"))
    return rows + [(-1.0, f"{told[i][0]} mm") for i in range(len(told)) if i not in hit]


def _mm(volume: Volume, a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
    """Distance of two voxels `(x, y, z)`."""
    return float(np.sqrt(sum(((p - q) * s) ** 2 for p, q, s in zip(a, b, reversed(volume.spacing), strict=True))))


def read_log(path: Path) -> list[tuple[str, str, float, float, float]]:
    """The rows of a log that this script printed before."""
    line = re.compile(r"\S+\s+(fluid|air|dense|central|walled|lesions)\s+(.+?)\s+painted\s+([\d.]+) found\s+(-?[\d.]+)\s+([\d.]+)$")
    found = [line.match(text) for text in path.read_text().splitlines()]
    return [(m[1], m[2], float(m[3]), float(m[4]), float(m[5])) for m in found if m]


def table(rows: list[tuple[str, str, float, float, float]]) -> None:
    """Median and range of found over painted, by what was painted, as a table of Markdown; what is below 5 % counts as missed."""
    groups: dict[tuple[str, str], list[tuple[float, float, float]]] = defaultdict(list)
    for what, name, truth, found, other in rows:
        groups[what, name].append((truth, found, other))
    print("| painted | n | missed | found/painted where found: median (range) | last figure |\n|---|---|---|---|---|")
    for (what, name), values in groups.items():
        ratio = [found / truth for truth, found, _ in values if found > 0.05 * truth]
        said = f"{np.median(ratio):.2f} ({min(ratio):.2f} to {max(ratio):.2f})" if ratio else "-"
        last = sum(o for _, _, o in values) / len(values)
        print(f"| {what} {name} | {len(values)} | {len(values) - len(ratio)} | {said} | {last:.1f} |")


def curve(rows: list[tuple[float, str]], scans: int) -> None:
    """Sensitivity by size where 1, 4 and 8 false places per scan are let in."""
    false = sorted((score for score, kind in rows if kind == "false"), reverse=True)
    for allowed in (1, 4, 8):
        limit = false[allowed * scans] if len(false) > allowed * scans else 0.0
        said = []
        for size in (*(f"{mm} mm" for mm in SIZES_MM), "real"):
            scores = [score for score, kind in rows if kind == size]
            if scores:
                said.append(f"{size} {sum(s > limit for s in scores)}/{len(scores)}")
        print(f"at most {allowed} false per scan (score over {limit:.0f}): {', '.join(said)}")


def main() -> None:
    """Paint, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--what", nargs="*", default=["none", "fluid", "air", "dense", "central", "walled", "lesions"])
    parser.add_argument("--scans", nargs="*", default=list(SCANS))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--log", type=Path, help="make the table of what was printed before")
    given = parser.parse_args()
    if given.log is not None:
        table(read_log(given.log))
        return
    if not DATA.exists():
        print(f"skipped: {DATA} is absent")
        return
    rows: list[tuple[str, str, float, float, float]] = []
    spots: list[tuple[float, str]] = []
    for scan in given.scans:
        volume = load_volume(DATA / scan)
        lungs = segment(volume)
        rng = np.random.default_rng(sum(map(ord, scan)))
        base = quantify(volume).findings
        if "none" in given.what:
            print(scan, "nothing painted:", base.effusion, base.pneumothorax, base.consolidation, flush=True)
        for what in ("fluid", "air", "dense", "central", "walled", "lesions"):
            if what not in given.what:
                continue
            made = (
                fluid_or_air(volume, lungs, what, rng)
                if what in ("fluid", "air")
                else (dense if what == "dense" else central)(volume, lungs, base.consolidation.ml or 0.0, rng)
                if what in ("dense", "central")
                else walled(volume, lungs, rng)
                if what == "walled"
                else (row for _ in range(given.rounds) for row in lesions(volume, lungs, rng))
            )
            for name, truth, found, other in made:
                rows.append((what, name, truth, found, other))
                print(f"{scan:20s} {what:8s} {name:20s} painted {truth:8.1f} found {found:8.1f} {other:6.1f}", flush=True)
        if "candidates" in given.what:
            for _ in range(given.rounds):
                spots += listed(volume, lungs, REAL.get(scan, []), rng)
            print(scan, "candidates done", flush=True)
    table(rows)
    if spots:
        curve(spots, len(given.scans) * given.rounds)


if __name__ == "__main__":
    main()
