"""Habits of other scanners and states of other patients, made from a real chest in memory; `hold_still.py` measures them.

`harmless` changes leave every figure as it was; `states` change the patient, so that only the verdict (and the carina) must hold;
`parts` are no whole chest and have to be refused.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.grid import refine
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs
from medmpt_backend.imaging.volume import Volume

HU = NDArray[np.int16]
Vec = tuple[float, float, float]
Named = Iterator[tuple[str, Volume]]


def of(volume: Volume, hu: HU, spacing: Vec | None = None) -> Volume:
    """The volume with other voxels."""
    return replace(volume, hu=np.ascontiguousarray(hu), spacing=spacing or volume.spacing)


def interval(volume: Volume, step: float) -> Volume:
    """Slices at another interval: interpolated when thinner, averaged when thicker."""
    depth, old = volume.hu.shape[0], volume.spacing[0]
    places = np.arange(0, (depth - 1) * old + 1e-6, step) / old
    source = ndimage.uniform_filter1d(volume.hu.astype(np.float32), max(1, round(step / old)), axis=0) if step > old else volume.hu
    low = np.minimum(places.astype(int), depth - 2)
    out = np.empty((len(places), *volume.hu.shape[1:]), dtype=np.int16)
    for k, (place, z) in enumerate(zip(places, low, strict=True)):
        out[k] = np.rint((1 - (place - z)) * source[z].astype(np.float32) + (place - z) * source[z + 1])
    return of(volume, out, (step, *volume.spacing[1:]))


def half(volume: Volume) -> Volume:
    """Every two by two pixels averaged."""
    d, h, w = volume.hu.shape
    mean = volume.hu[:, : h // 2 * 2, : w // 2 * 2].reshape(d, h // 2, 2, w // 2, 2).mean(axis=(2, 4))
    return of(volume, np.rint(mean).astype(np.int16), (volume.spacing[0], volume.spacing[1] * 2, volume.spacing[2] * 2))


def framed(volume: Volume, value: int, circle: bool) -> Volume:
    """Padding of some value: outside a circle, or as a wide frame."""
    if not circle:
        return of(volume, np.pad(volume.hu, ((0, 0), (60, 40), (30, 70)), constant_values=value))
    h, w = volume.hu.shape[1:]
    y, x = np.mgrid[:h, :w]
    return of(volume, np.where((y - h / 2) ** 2 + (x - w / 2) ** 2 > (0.5 * w) ** 2, value, volume.hu).astype(np.int16))


def ringed(volume: Volume) -> Volume:
    """A bright line drawn around the image."""
    hu = volume.hu.copy()
    hu[:, 3:5], hu[:, -5:-3], hu[:, :, 3:5], hu[:, :, -5:-3] = 1000, 1000, 1000, 1000
    return of(volume, hu)


def spaced(volume: Volume) -> Volume:
    """High-resolution CT with gaps: one thin slice per 10 mm."""
    every = max(1, round(10 / volume.spacing[0]))
    series = replace(volume.series, thickness_mm=1.0)
    return replace(
        volume, hu=np.ascontiguousarray(volume.hu[::every]), spacing=(volume.spacing[0] * every, *volume.spacing[1:]), series=series
    )


def lung_box(lungs: Lungs, margin_mm: float) -> tuple[slice, slice]:
    """Rows and columns of the full image around the lungs, with a margin (negative: the lungs are cut)."""
    out = []
    for axis in (1, 2):
        hit = np.flatnonzero((lungs.labels > 0).any(axis=tuple(a for a in range(3) if a != axis)))
        margin = round(margin_mm / lungs.grid.spacing[axis])
        factor = lungs.grid.factors[axis]
        out.append(slice(max(0, int(hit[0]) - margin) * factor, (int(hit[-1]) + 1 + margin) * factor))
    return out[0], out[1]


def narrow(volume: Volume, lungs: Lungs, margin_mm: float) -> Volume:
    """A field of view of the lungs alone: skin and arms are cut off."""
    rows, columns = lung_box(lungs, margin_mm)
    return of(volume, volume.hu[:, rows, columns])


def narrow_circle(volume: Volume, lungs: Lungs, value: int) -> Volume:
    """A round field of view that just holds the lungs, padded outside."""
    hu = volume.hu.copy()
    plane = refine(np.max(lungs.labels > 0, axis=0, keepdims=True), lungs.grid.factors, (1, *hu.shape[1:]))[0]
    y, x = np.mgrid[: hu.shape[1], : hu.shape[2]]
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    far = np.hypot(y - (rows[0] + rows[-1]) / 2, x - (columns[0] + columns[-1]) / 2)
    hu[:, far > far[plane].max() + max(5 / volume.spacing[1], 2.5)] = value
    return of(volume, hu)


def bedded(volume: Volume, *, prone: bool) -> Volume:
    """A table with a dense rim under the patient (in front of a prone one), and a blanket over the image's free side."""
    hu = volume.hu.copy()
    h, w = hu.shape[1:]
    y, x = np.mgrid[:h, :w]
    bend = ((x - w / 2) / (w / 2)) ** 2 * 0.05 * h
    depth = h - y if not prone else y
    for low, high, value in ((0.02, 0.06, -650), (0.015, 0.022, 150), (0.058, 0.064, 150)):
        band = (depth + bend > (low + 0.04) * h) & (depth + bend < (high + 0.04) * h)
        hu[:, band] = np.maximum(hu[:, band], value)
    other = np.abs((y if not prone else h - y) - 0.03 * h) < 1.5
    hu[:, other] = np.maximum(hu[:, other], -150)
    return of(volume, hu)


def armed(volume: Volume) -> Volume:
    """Arms beside the body on a wider field: soft tissue with bone in it."""
    pad = round(90 / volume.spacing[2])
    hu = np.pad(volume.hu, ((0, 0), (0, 0), (pad, pad)), constant_values=-1000)
    h, w = hu.shape[1:]
    y, x = np.mgrid[:h, :w]
    for centre in (pad * 0.5, w - pad * 0.5):
        far = np.hypot((y - 0.55 * h) * volume.spacing[1], (x - centre) * volume.spacing[2])
        hu[:, far < 40] = 45
        hu[:, far < 13] = 700
        hu[:, far < 7] = -40
    return of(volume, hu)


def harmless(volume: Volume, lungs: Lungs) -> Named:
    """Changes after which all figures should be the same."""
    rng = np.random.default_rng(1)
    for step in (0.6, 1.0, 1.5, 3.0, 5.0):
        if step < 4 or volume.spacing[0] <= step:
            yield f"interval {step} mm", interval(volume, step)
    yield "256 matrix", half(volume)
    by = (round(6 / volume.spacing[1]), -round(4 / volume.spacing[2]))
    yield "shifted", of(volume, np.roll(volume.hu, by, axis=(1, 2)))
    noise = rng.normal(0, 30, volume.hu.shape).astype(np.float32)
    yield "noise 30 HU", of(volume, np.clip(volume.hu + noise, -1024, 3071).astype(np.int16))
    yield "smoothed", of(volume, ndimage.gaussian_filter(volume.hu, (0, 0.8, 0.8)))
    yield "first slice dropped", of(volume, volume.hu[1:])
    yield "last slices dropped", of(volume, volume.hu[:-2])
    for value in (-1024, -1000, 0, 3071):
        yield f"frame of {value}", framed(volume, value, circle=False)
    yield "circle of 0", framed(volume, 0, circle=True)
    yield "circle in a frame", framed(framed(volume, 100, circle=True), -1024, circle=False)
    yield "lines drawn", ringed(volume)
    yield "sections with gaps", spaced(volume)
    every = max(1, round(2.5 / volume.spacing[0]))
    turned = ndimage.rotate(volume.hu[::every], 6, axes=(1, 2), reshape=False, order=1, cval=-1024)
    yield "rolled by 6 degrees", of(volume, turned, (volume.spacing[0] * every, *volume.spacing[1:]))
    yield "field of the lungs + 12 mm", narrow(volume, lungs, 12)
    yield "field of the lungs + 3 mm", narrow(volume, lungs, max(3, 2 * volume.spacing[1]))
    for value in (-1024, 0):
        yield f"round field, {value} outside", narrow_circle(volume, lungs, value)
    yield "table and blanket", bedded(volume, prone=False)
    yield "prone, table in front", bedded(volume, prone=True)
    yield "arms beside", armed(volume)
    yield "air stops at -1000", of(volume, np.maximum(volume.hu, -1000))


def repainted(volume: Volume, mask: NDArray[np.bool_], hu: float) -> Volume:
    """A density with noise painted into a mask, its edge blurred."""
    share = ndimage.gaussian_filter(mask.astype(np.float32), (0, 0.7, 0.7))
    where = share > 0.02
    out = volume.hu.astype(np.float32)
    noisy = hu + np.random.default_rng(2).normal(0, 15, int(where.sum()))
    out[where] += share[where] * (noisy - out[where])
    return of(volume, np.rint(out).astype(np.int16))


def lowest(volume: Volume, lungs: Lungs, side: int, ml: float, *, upright: bool = False) -> NDArray[np.bool_]:
    """The back (or, upright, the lower) millilitres of one lung."""
    lung = refine(lungs.labels == side, lungs.grid.factors, volume.hu.shape)
    index = np.nonzero(lung)
    height = (index[0] * volume.spacing[0] if upright else index[1] * volume.spacing[1] + 0.15 * index[0] * volume.spacing[0]).astype(float)
    count = min(len(height), int(ml * 1000 / np.prod(volume.spacing)))
    kept = np.argpartition(height, len(height) - count)[-count:]
    out = np.zeros_like(lung)
    out[tuple(axis[kept] for axis in index)] = True
    return out


def small_lung(volume: Volume, share: float) -> Volume:
    """The left half of the chest shrunk in width to a share of itself."""
    width = volume.hu.shape[2]
    middle = width // 2
    new = round((width - middle) * share)
    source = np.clip(np.rint(middle + np.arange(new) / share).astype(int), 0, width - 1)
    return of(volume, np.concatenate([volume.hu[:, :, :middle], volume.hu[:, :, source]], axis=2))


def states(volume: Volume, lungs: Lungs) -> Named:
    """Other patients: accepted, with a carina at the same place where the airway was not painted over."""
    full = refine(lungs.labels, lungs.grid.factors, volume.hu.shape)
    for side, name in ((LEFT, "left"), (RIGHT, "right")):
        for ml in (800, 1500):
            yield f"effusion {ml} ml {name}", repainted(volume, lowest(volume, lungs, side, ml), 8)
        yield f"white lung {name}", repainted(volume, lowest(volume, lungs, side, 9000), 15)
    both = lowest(volume, lungs, RIGHT, 0.5 * lungs.millilitres(RIGHT), upright=True)
    yield (
        "lower halves consolidated",
        repainted(volume, both | lowest(volume, lungs, LEFT, 0.5 * lungs.millilitres(LEFT), upright=True), 30),
    )
    yield "left half narrowed to 60 %", small_lung(volume, 0.6)
    yield "a child's size", of(volume, volume.hu, (volume.spacing[0] * 0.6, volume.spacing[1] * 0.6, volume.spacing[2] * 0.6))
    soft = (volume.hu > 20) & (volume.hu < 90) & (full == 0)
    yield "contrast medium", of(volume, np.where(soft, volume.hu + 140, volume.hu))
    yield "dense lungs", of(volume, np.where(full > 0, volume.hu + 150, volume.hu))
    yield "light lungs", of(volume, np.maximum(np.where(full > 0, volume.hu - 60, volume.hu), -1024))
    rng = np.random.default_rng(3)
    yield "noise 80 HU", of(volume, np.clip(volume.hu + rng.normal(0, 80, volume.hu.shape), -1024, 3071).astype(np.int16))
    yield "field cuts the lungs by 8 mm", narrow(volume, lungs, -8)
    spans = np.flatnonzero((lungs.labels > 0).any(axis=(1, 2))) * lungs.grid.factors[0]
    tenth = int(0.1 * (spans[-1] - spans[0]))
    yield "apex cut by a tenth", of(volume, volume.hu[spans[0] + tenth :])
    yield "base cut by a tenth", of(volume, volume.hu[: spans[-1] - tenth])


def parts(volume: Volume) -> Named:
    """What has to be refused."""
    d, _, w = volume.hu.shape
    yield "slab", of(volume, volume.hu[int(0.35 * d) : int(0.6 * d)])
    yield "upper half", of(volume, volume.hu[: int(0.45 * d)])
    yield "lower half", of(volume, volume.hu[int(0.5 * d) :])
    yield "one side", of(volume, volume.hu[:, :, : w // 2])
    yield "other side", of(volume, volume.hu[:, :, w // 2 :])
    yield "mirrored", of(volume, volume.hu[:, :, ::-1])
    yield "upside down", of(volume, volume.hu[::-1])
    yield "upside down and mirrored", of(volume, volume.hu[::-1, :, ::-1])
    yield "front to back", of(volume, volume.hu[:, ::-1])
    yield "wrong voxel size", of(volume, volume.hu, (volume.spacing[0], volume.spacing[1] / 4, volume.spacing[2] / 4))
