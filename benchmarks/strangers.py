"""Scans of strangers made from a real chest in memory: what other scanners and patients do; `hold_still.py` measures them."""

from collections.abc import Iterator

import numpy as np
from habits import HU, framed, half, interval, of
from scipy import ndimage

from medmpt_backend.imaging.anatomy.grid import refine
from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.volume import Volume

Named = Iterator[tuple[str, Volume]]
Moved = Iterator[tuple[str, Volume, float]]


def strangers(volume: Volume, lungs: Lungs, abdomen: Volume | None) -> Moved:
    """Other scanners and patients: name, volume, and how far the carina lies further down than before, mm."""
    for name, changed in _scanners(volume):
        yield name, changed, 0.0
    for degrees in (-15, 15):
        yield f"leaning by {degrees} degrees", *turned(volume, lungs, (0, 2), degrees)
        yield f"bowed by {degrees} degrees", *turned(volume, lungs, (0, 1), degrees)
        yield f"rolled by {degrees} degrees", *turned(volume, lungs, (1, 2), degrees)
    yield "on its side", *turned(volume, lungs, (1, 2), 40)
    top = cut(volume, lungs, top=True)
    yield "top cut by 15 %", top, -float((len(volume.hu) - len(top.hu)) * volume.spacing[0])
    rng = np.random.default_rng(12)
    head = headed(volume, rng)
    above = float((len(head.hu) - len(volume.hu)) * volume.spacing[0])
    yield "with neck and head", head, above
    if abdomen is not None:
        yield "with abdomen", on_abdomen(volume, abdomen), 0.0
        yield "with neck and abdomen", headed(on_abdomen(volume, abdomen), rng), above
    for name, changed in _patients(volume, lungs, rng):
        yield name, changed, 0.0


def _scanners(volume: Volume) -> Named:
    """Other reconstructions, noise and padding."""
    rng = np.random.default_rng(11)
    yield "thin and half matrix", half(interval(volume, 1.25))
    yield "768 matrix", finer(volume, 1.5)
    yield "sharp kernel", sharpened(volume, rng)
    yield "sharp, noisy and thin", interval(sharpened(volume, rng, 45), 1.25)
    yield "noise 60 HU", noisy(volume, rng, 60)
    yield "streaks of low dose", streaky(volume, rng)
    for offset in (-25, 25):
        yield f"air off by {offset} HU", of(volume, np.clip(volume.hu.astype(np.int32) + offset, -1024, 3071).astype(np.int16))
    yield "clipped to -1000 and 400", of(volume, np.clip(volume.hu, -1000, 400))
    for value in (-3024, -2000, -32768, 100):
        yield f"circle of {value}", framed(volume, value, circle=True)
        yield f"frame of {value}", framed(volume, value, circle=False)
    yield "border noise in the circle", speckled(volume, rng)
    yield "wide field", wide(volume)
    yield "steps of 16 HU", of(volume, (volume.hu // 16 * 16).astype(np.int16))


def _patients(volume: Volume, lungs: Lungs, rng: np.random.Generator) -> Named:
    """Other positions, sizes and devices."""
    yield "off the middle", of(volume, np.roll(padded(volume, 60), round(55 / volume.spacing[2]), axis=2))
    yield "base cut by 15 %", cut(volume, lungs, top=False)
    yield "metal in the chest wall", metal(volume)
    yield "arms beside, streaks", streaky(armed_in_field(volume), rng)
    yield "gas in the gullet", gullet(volume, lungs)
    yield "thin patient", scaled(volume, 0.85)
    yield "large patient", scaled(volume, 1.18)


def finer(volume: Volume, by: float) -> Volume:
    """More pixels over the same field; every third section only, to stay small."""
    out = ndimage.zoom(volume.hu[::2], (1, by, by), order=1)
    return of(volume, out, (volume.spacing[0] * 2, volume.spacing[1] / by, volume.spacing[2] / by))


def sharpened(volume: Volume, rng: np.random.Generator, noise: float = 25) -> Volume:
    """A kernel that enhances edges by far more than it smooths."""
    flat = volume.hu.astype(np.float32)
    flat += 1.6 * (flat - ndimage.gaussian_filter(flat, (0, 1.2, 1.2))) + rng.normal(0, noise, flat.shape).astype(np.float32)
    return of(volume, np.clip(flat, -1024, 3071).astype(np.int16))


def noisy(volume: Volume, rng: np.random.Generator, sd: float) -> Volume:
    """White noise."""
    return of(volume, np.clip(volume.hu + rng.normal(0, sd, volume.hu.shape), -1024, 3071).astype(np.int16))


def streaky(volume: Volume, rng: np.random.Generator) -> Volume:
    """Bands from side to side as of shoulders at low dose, strongest in the upper third."""
    depth, height, _ = volume.hu.shape
    bands = ndimage.gaussian_filter1d(rng.normal(0, 1, (depth, height, 1)), 1.5, axis=1) * 90
    bands *= np.linspace(1, 0.2, depth)[:, None, None]
    return of(volume, np.clip(volume.hu + bands, -1024, 3071).astype(np.int16))


def speckled(volume: Volume, rng: np.random.Generator) -> Volume:
    """Padding outside the circle that is no single value."""
    h, w = volume.hu.shape[1:]
    y, x = np.mgrid[:h, :w]
    hu = volume.hu.copy()
    out = (y - h / 2) ** 2 + (x - w / 2) ** 2 > (0.5 * w) ** 2
    hu[:, out] = rng.integers(-1024, -1000, (len(hu), int(out.sum())))
    return of(volume, hu)


def padded(volume: Volume, mm: float) -> HU:
    """Air around the field."""
    by = [round(mm / s) for s in volume.spacing[1:]]
    return np.pad(volume.hu, ((0, 0), (by[0], by[0]), (by[1], by[1])), constant_values=-1000)


def wide(volume: Volume) -> Volume:
    """A field of 500 to 600 mm on as many pixels as before."""
    hu = padded(volume, 110)
    by = [a / b for a, b in zip(volume.hu.shape[1:], hu.shape[1:], strict=True)]
    out = ndimage.zoom(hu, (1, by[0], by[1]), order=1)
    return of(volume, out, (volume.spacing[0], volume.spacing[1] / by[0], volume.spacing[2] / by[1]))


def turned(volume: Volume, lungs: Lungs, axes: tuple[int, int], degrees: float) -> tuple[Volume, float]:
    """The patient turned in the scanner, so that sections cut the body obliquely, and how far the carina went down, mm."""
    every = max(1, round(2.5 / volume.spacing[0]))
    hu, spacing = volume.hu[::every], (volume.spacing[0] * every, volume.spacing[1], volume.spacing[2])
    angle = np.deg2rad(degrees)
    matrix = np.eye(3)
    a, b = axes
    matrix[a, a] = matrix[b, b] = np.cos(angle)
    matrix[a, b], matrix[b, a] = -np.sin(angle), np.sin(angle)
    whole = np.diag(1 / np.array(spacing)) @ matrix @ np.diag(spacing)
    grown = np.array(hu.shape)
    grown[0] += round(2 * abs(np.sin(angle)) * 80 / spacing[0]) if 0 in axes else 0
    offset = (np.array(hu.shape) - 1) / 2 - whole @ ((grown - 1) / 2)
    out = ndimage.affine_transform(hu, whole, offset, output_shape=tuple(grown), order=1, cval=-1000, mode="constant")
    moved = 0.0
    if lungs.airway is not None and lungs.airway.carina is not None:
        factors = np.array([lungs.grid.factors[0] / every, *lungs.grid.factors[1:]])
        before = np.array(lungs.airway.carina) * factors
        moved = float((np.linalg.solve(whole, before - offset) - before)[0]) * spacing[0]
    return of(volume, out, spacing), moved


def cut(volume: Volume, lungs: Lungs, *, top: bool) -> Volume:
    """The first or last 15 % of the lungs' height are not in the scan."""
    spans = np.flatnonzero((lungs.labels > 0).any(axis=(1, 2))) * lungs.grid.factors[0]
    part = int(0.15 * (spans[-1] - spans[0]))
    return of(volume, volume.hu[spans[0] + part :] if top else volume.hu[: spans[-1] - part])


def headed(volume: Volume, rng: np.random.Generator) -> Volume:
    """A neck and a head above, as in scans of the whole body: soft tissue, a column of air, sinuses, a skull."""
    step = volume.spacing[0]
    h, w = volume.hu.shape[1:]
    above = np.full((round(240 / step), h, w), -1000, dtype=np.int16)
    y, x = np.mgrid[:h, :w]
    y, x = (y - 0.55 * h) * volume.spacing[1], (x - 0.5 * w) * volume.spacing[2]
    for k, plane in enumerate(above):
        down = (len(above) - k) * step  # mm above the chest
        deep, across = (65, 60) if down < 110 else (95, 75)
        plane[(y / deep) ** 2 + (x / across) ** 2 < 1] = 45
        if down < 130:
            plane[np.hypot(y + 20, x) < 8.5] = -990
            plane[np.hypot(y - 25, x) < 13] = 350
        else:
            shell = (y / deep) ** 2 + (x / across) ** 2
            plane[(shell < 0.95) & (shell > 0.8)] = 900
            for cx, cy, radius in ((-25, -50, 14), (25, -50, 14), (0, -60, 10)):
                if 135 < down < 175:
                    plane[np.hypot(y - cy, x - cx) < radius] = -990
    above[:] = np.clip(above + rng.normal(0, 12, above.shape), -1024, 3071).astype(np.int16)
    return of(volume, np.concatenate([above, volume.hu]))


def on_abdomen(volume: Volume, abdomen: Volume) -> Volume:
    """A real abdomen below, brought to the same spacing: bowel gas in many slices."""
    factors = [a / b for a, b in zip(abdomen.spacing, volume.spacing, strict=True)]
    below = ndimage.zoom(abdomen.hu, factors, order=1, mode="nearest")
    out = np.full((below.shape[0], *volume.hu.shape[1:]), -1000, dtype=np.int16)
    place = []
    for axis in (1, 2):
        n, m = below.shape[axis], out.shape[axis]
        low, first = max(0, (m - n) // 2), max(0, (n - m) // 2)
        place.append((slice(low, low + min(n, m)), slice(first, first + min(n, m))))
    out[:, place[0][0], place[1][0]] = below[:, place[0][1], place[1][1]]
    return of(volume, np.concatenate([volume.hu, out]))


def metal(volume: Volume) -> Volume:
    """A pacemaker's box in front of the left lung with streaks around it, and wires behind the sternum."""
    hu = volume.hu.astype(np.int32)
    d, h, w = hu.shape
    y, x = np.mgrid[:h, :w]
    k = slice(int(0.15 * d), int(0.15 * d) + max(2, round(45 / volume.spacing[0])))
    body = np.flatnonzero(volume.hu[k.start, :, int(0.68 * w)] > -300)
    row = int(body[0]) + round(12 / volume.spacing[1]) if len(body) else int(0.2 * h)
    far = np.hypot((y - row) * volume.spacing[1], (x - 0.68 * w) * volume.spacing[2])
    rays = 500 * np.sin(9 * np.arctan2(y - row, x - 0.68 * w)) * np.exp(-far / 45)
    hu[k] += rays.astype(np.int32)
    hu[k, (np.abs(y - row) * volume.spacing[1] < 5) & (np.abs(x - 0.68 * w) * volume.spacing[2] < 22)] = 3071
    return of(volume, np.clip(hu, -1024, 3071).astype(np.int16))


def armed_in_field(volume: Volume) -> Volume:
    """Arms that touch the body on both sides of the field, cut by it."""
    hu = volume.hu.copy()
    h, w = hu.shape[1:]
    y, x = np.mgrid[:h, :w]
    for centre in (0.02 * w, 0.98 * w):
        far = np.hypot((y - 0.5 * h) * volume.spacing[1], (x - centre) * volume.spacing[2])
        hu[:, far < 42] = np.maximum(hu[:, far < 42], 45)
        hu[:, far < 13] = 800
    return of(volume, hu)


def gullet(volume: Volume, lungs: Lungs) -> Volume:
    """A wide gullet with gas behind the trachea over its whole length, as after surgery or with achalasia."""
    hu = volume.hu.copy()
    if lungs.airway is None:
        return volume
    fy, fx = lungs.grid.factors[1:]
    _, y0, x0 = lungs.airway.lowest
    y, x = np.mgrid[: hu.shape[1], : hu.shape[2]]
    far = np.hypot((y - y0 * fy) * volume.spacing[1] - 20, (x - x0 * fx) * volume.spacing[2] - 8)
    body = refine((lungs.labels == 0), lungs.grid.factors, hu.shape)
    hu[(far < 9)[None] & body] = -985
    return of(volume, hu)


def scaled(volume: Volume, by: float) -> Volume:
    """Another size of the same patient."""
    return of(volume, volume.hu, (volume.spacing[0] * by, volume.spacing[1] * by, volume.spacing[2] * by))
