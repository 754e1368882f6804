"""Vertebral bodies of real scans squeezed by calculation, and what is found of them; nothing squeezed first.

    python benchmarks/painted_fractures.py [--scans NAME ...] [--losses 0.25 0.4 0.6]

Reads `../shared/data/chest_ct`; prints one line per painting and a table at the end. The bodies are those between the
discs of the unpainted scan (looked at: each lies right). A wedge lowers the front, a crush the whole body, with everything above; a
biconcave one both endplates in the middle, and the discs swell. Endplates and discs keep their thickness.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from painted import DATA
from scipy import ndimage
from scipy.spatial import cKDTree

from medmpt_backend.imaging.anatomy.grid import block_means
from medmpt_backend.imaging.anatomy.lungs import GRID_MM, segment
from medmpt_backend.imaging.asked.fractures import AHEAD_MM, BELOW_TOP_MM, low_bodies
from medmpt_backend.imaging.asked.spine import ALONG_MM, Column, column
from medmpt_backend.imaging.asked.vertebrae import Body, bodies, discs
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.volume import Volume

SCANS = ("LIDC-IDRI-0001", "LIDC-IDRI-0003")
SHAPES = ("wedge", "biconcave", "crush")
PLATE_MM = 2.5
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Places:
    """Where the voxels of a box around the spine lie on the straight column."""

    box: tuple[slice, slice, slice]
    spline: NDArray[np.float32]
    at: Floats
    step: Floats
    ahead: Floats
    side: Floats
    along: Floats


def places(volume: Volume, found: Column) -> Places:
    """Every voxel within 60 mm of the canal: its step on the column, and mm to the front and to the side."""
    spacing = np.array(volume.spacing)
    low = np.maximum(0, ((found.line.min(axis=0) - [0, 70, 50]) / spacing).astype(int))
    high = np.minimum(volume.hu.shape, ((found.line.max(axis=0) + np.array([0, 45, 50])) / spacing).astype(int) + 1)
    low[0], high[0] = 0, volume.hu.shape[0]
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    at = np.stack(np.meshgrid(*[np.arange(a, b) for a, b in zip(low, high, strict=True)], indexing="ij"), axis=-1) * spacing
    flat = at.reshape(-1, 3)
    _, near = cKDTree(found.line).query(flat, workers=2)
    along = np.gradient(found.line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    rest = flat - found.line[near]
    step = near * ALONG_MM + np.einsum("ij,ij->i", rest, along[near])
    ahead, side = (np.einsum("ij,ij->i", rest, way[near]) for way in (found.front, found.aside))
    shape = at.shape[:3]
    spline = ndimage.spline_filter(volume.hu[box].astype(np.float32), output=np.float32, mode="nearest")
    return Places(box, spline, flat, step.reshape(shape), ahead.reshape(shape), side.reshape(shape), along[near])  # type: ignore[arg-type]


def squeezed(volume: Volume, where: Places, body: Body, shape: str, loss: float) -> Volume:
    """The scan with one body squeezed by this share of its height."""
    depth = body.front_mm - body.back_mm
    part = (where.ahead - body.back_mm) / depth
    knots = np.array([0.18, 0.5, 0.82])
    top, bottom = (_line(knots, np.array(ends) * ALONG_MM, part) for ends in (body.top, body.bottom))
    fade = np.clip((where.ahead - body.front_mm - 4) / 15, 0, 1)
    fade = (1 - fade) * (1 - np.clip((np.abs(where.side) - 24) / 20, 0, 1))
    s = where.step
    if shape == "biconcave":
        lost = (
            loss
            * (bottom - top)
            * np.cos(np.pi * np.clip(part - 0.5, -0.5, 0.5)) ** 2
            * np.clip(1.6 * np.cos(np.clip(where.side / 17, -1, 1) * np.pi / 2), 0, 1)
        )
        lost[(part < 0) | (part > 1)] = 0
        move = _dent(s, top, lost / 2) - _dent(-s, -bottom, lost / 2)
    else:
        lost = loss * (bottom - top) * (np.clip(part, 0, 1) if shape == "wedge" else 1.0) * fade
        first, last = top + PLATE_MM, bottom - PLATE_MM
        inner = np.clip((s - first - lost) / np.maximum(0.5, last - first - lost), 0, 1)
        move = -lost * (1 - inner)
    moved = np.abs(move).ravel() > 0.01
    source = where.at[moved] + move.ravel()[moved, None] * where.along[moved]
    at = source / volume.spacing - [side.start for side in where.box]
    values = ndimage.map_coordinates(where.spline, at.T, order=3, mode="nearest", prefilter=False)
    made = volume.hu.copy()
    inside = made[where.box].ravel()
    inside[moved] = np.rint(np.clip(values, volume.hu.min(), volume.hu.max())).astype(np.int16)
    made[where.box] = inside.reshape(s.shape)
    return replace(volume, hu=made)


def _line(knots: Floats, values: Floats, part: Floats) -> Floats:
    """A plane through an endplate's three heights."""
    slope, start = np.polyfit(knots, values, 1)
    out: Floats = start + slope * np.clip(part, -1.0, 1.6)
    return out


def _dent(s: Floats, plate: Floats, lost: Floats) -> Floats:
    """Where to read from so that an endplate lies deeper in its body: the disc beside it stretched, the body squeezed."""
    rel = s - plate  # the body lies below
    room, near = 4.0, 1.5  # the disc's thickness, what of it and of the endplate stays
    reach = np.maximum(9.0, 1.6 * lost)  # how deep the body gives way
    out = np.zeros_like(s)
    stretch = (rel > -room) & (rel <= lost - near)
    out[stretch] = (-lost * (rel + room) / (lost + room - near))[stretch]
    firm = (rel > lost - near) & (rel <= lost + near)
    out[firm] = -lost[firm]
    soft = (rel > lost + near) & (rel < lost + near + reach)
    out[soft] = (-lost * (1 - (rel - lost - near) / reach))[soft]
    return out


def changed(volume: Volume) -> Iterator[tuple[str, Volume]]:
    """The scan as it is, and with harmless changes."""
    rng = np.random.default_rng(1)
    hu = volume.hu.astype(np.float32)
    yield "as it is", volume
    yield "noise of 15 HU", replace(volume, hu=np.rint(hu + rng.normal(0, 15, hu.shape)).astype(np.int16))
    yield "smoothed", replace(volume, hu=ndimage.gaussian_filter(hu, (0, 1, 1)).astype(np.int16))
    yield "moved by half a slice", replace(volume, hu=ndimage.shift(hu, (0.5, 3.3, 2.7), order=1, mode="nearest").astype(np.int16))
    yield "first seven slices dropped", replace(volume, hu=volume.hu[7:])
    yield "last fifteen slices dropped", replace(volume, hu=volume.hu[:-15])
    yield "left and right turned", replace(volume, hu=volume.hu[:, :, ::-1].copy())
    for share in (0.85, 1.15):
        yield f"voxels of {share:.0%}", replace(volume, spacing=tuple(step * share for step in volume.spacing))  # type: ignore[arg-type]
    for share in (0.7, 0.5):
        yield f"bone of {share:.0%}", replace(volume, hu=np.rint(np.where(hu > 60, 60 + (hu - 60) * share, hu)).astype(np.int16))
    turned = ndimage.rotate(volume.hu, 8, axes=(1, 2), reshape=False, order=1, cval=-1000)
    yield "turned by 8 degrees", replace(volume, hu=turned)
    fine = np.rint(ndimage.zoom(hu, (2, 1, 1), order=1)).astype(np.int16)
    yield "twice the slices", replace(volume, hu=fine, spacing=(volume.spacing[0] / 2, *volume.spacing[1:]))


def run(scan: str, losses: list[float]) -> Iterator[tuple[str, bool, int]]:
    """Unpainted and changed, then every body squeezed: what it was, whether it was found, and false places elsewhere."""
    volume = load_volume(DATA / scan)
    lungs = segment(volume)
    for name, made in changed(volume):
        found = low_bodies(made, segment(made))
        print(f"{scan}: {name}: {found.validity} {found.measured} bodies, {found.low}", flush=True)
        yield f"nothing squeezed, {name}", not found.low, len(found.low or ())
    spine = column(volume, lungs)
    assert spine is not None
    top = np.flatnonzero((lungs.labels > 0).any(axis=(1, 2)))[0] * lungs.grid.spacing[0] + BELOW_TOP_MM
    where, whole = places(volume, spine), bodies(spine, discs(spine))
    for k, body in enumerate(whole):
        middle = float(spine.at(body.step, AHEAD_MM)[0])
        if float(spine.at(body.top[1], AHEAD_MM)[0]) < top:
            continue
        for shape in SHAPES:
            for loss in losses:
                made = squeezed(volume, where, body, shape, loss)
                found = low_bodies(made, replace(lungs, grid=block_means(made.hu, made.spacing, GRID_MM)))
                low = found.low or ()
                away = [abs(one.slice * volume.spacing[0] - middle) for one in low]
                hit, false = any(mm < 15 for mm in away), sum(mm >= 35 for mm in away)
                print(f"{scan} body {k} {shape} {loss:.0%}: {hit} {[(one.kind, round(one.loss, 2)) for one in low]}", flush=True)
                yield f"{shape} {loss:.0%}", hit, false


def main() -> None:
    """Squeeze, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", nargs="*", default=list(SCANS))
    parser.add_argument("--losses", nargs="*", type=float, default=[0.25, 0.4, 0.6])
    given = parser.parse_args()
    if not DATA.exists():
        print(f"skipped: {DATA} is absent")
        return
    rows: dict[str, list[tuple[bool, int]]] = defaultdict(list)
    for scan in given.scans:
        for name, hit, false in run(scan, given.losses):
            rows[name].append((hit, false))
    for name, values in rows.items():
        print(f"| {name} | {sum(hit for hit, _ in values)} of {len(values)} | {sum(false for _, false in values)} false |")


if __name__ == "__main__":
    main()
