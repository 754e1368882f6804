"""Whether verdict, carina, volume and LAA-950 hold still when a real chest is changed harmlessly, and whether parts are refused.

    python benchmarks/hold_still.py [--series NAME ...]

Reads `../shared/data/chest_ct`; every change is made in memory.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.errors import BackendError
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.quantify import Quantification, quantify
from medmpt_backend.imaging.volume import Volume

DATA = Path(__file__).resolve().parents[1] / "../shared/data"
VOLUME, LAA, CARINA_MM = 0.01, 0.5, 6.0
HU = NDArray[np.int16]


def _of(volume: Volume, hu: HU, spacing: tuple[float, float, float] | None = None) -> Volume:
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
    return _of(volume, out, (step, *volume.spacing[1:]))


def half(volume: Volume) -> Volume:
    """Every two by two pixels averaged."""
    d, h, w = volume.hu.shape
    mean = volume.hu[:, : h // 2 * 2, : w // 2 * 2].reshape(d, h // 2, 2, w // 2, 2).mean(axis=(2, 4))
    return _of(volume, np.rint(mean).astype(np.int16), (volume.spacing[0], volume.spacing[1] * 2, volume.spacing[2] * 2))


def framed(volume: Volume, value: int, circle: bool) -> Volume:
    """Padding of some value: outside a circle, or as a wide frame."""
    if not circle:
        return _of(volume, np.pad(volume.hu, ((0, 0), (60, 40), (30, 70)), constant_values=value))
    h, w = volume.hu.shape[1:]
    y, x = np.mgrid[:h, :w]
    return _of(volume, np.where((y - h / 2) ** 2 + (x - w / 2) ** 2 > (0.5 * w) ** 2, value, volume.hu).astype(np.int16))


def ringed(volume: Volume) -> Volume:
    """A bright line drawn around the image, and a blanket line over the body."""
    hu = volume.hu.copy()
    hu[:, 3:5], hu[:, -5:-3], hu[:, :, 3:5], hu[:, :, -5:-3] = 1000, 1000, 1000, 1000
    return _of(volume, hu)


def spaced(volume: Volume) -> Volume:
    """High-resolution CT with gaps: one thin slice per 10 mm."""
    every = max(1, round(10 / volume.spacing[0]))
    series = replace(volume.series, thickness_mm=1.0)
    return replace(
        volume, hu=np.ascontiguousarray(volume.hu[::every]), spacing=(volume.spacing[0] * every, *volume.spacing[1:]), series=series
    )


def harmless(volume: Volume) -> Iterator[tuple[str, Volume]]:
    """Changes after which all figures should be the same."""
    rng = np.random.default_rng(1)
    for step in (0.6, 1.0, 1.5, 3.0, 5.0):
        if step < 4 or volume.spacing[0] <= step:
            yield f"interval {step} mm", interval(volume, step)
    yield "256 matrix", half(volume)
    by = (round(6 / volume.spacing[1]), -round(4 / volume.spacing[2]))
    yield "shifted", _of(volume, np.roll(volume.hu, by, axis=(1, 2)))
    noise = rng.normal(0, 30, volume.hu.shape).astype(np.float32)
    yield "noise 30 HU", _of(volume, np.clip(volume.hu + noise, -1024, 3071).astype(np.int16))
    yield "smoothed", _of(volume, ndimage.gaussian_filter(volume.hu, (0, 0.8, 0.8)))
    yield "first slice dropped", _of(volume, volume.hu[1:])
    yield "last slices dropped", _of(volume, volume.hu[:-2])
    for value in (-1024, -1000, 0, 3071):
        yield f"frame of {value}", framed(volume, value, circle=False)
    yield "circle of 0", framed(volume, 0, circle=True)
    yield "circle in a frame", framed(framed(volume, 100, circle=True), -1024, circle=False)
    yield "lines drawn", ringed(volume)
    yield "sections with gaps", spaced(volume)
    turned = ndimage.rotate(volume.hu[:: max(1, round(2.5 / volume.spacing[0]))], 6, axes=(1, 2), reshape=False, order=1, cval=-1024)
    yield "rolled by 6 degrees", _of(volume, turned, (volume.spacing[0] * max(1, round(2.5 / volume.spacing[0])), *volume.spacing[1:]))


def parts(volume: Volume) -> Iterator[tuple[str, Volume]]:
    """What has to be refused."""
    d, _, w = volume.hu.shape
    yield "slab", _of(volume, volume.hu[int(0.35 * d) : int(0.6 * d)])
    yield "upper half", _of(volume, volume.hu[: int(0.45 * d)])
    yield "lower half", _of(volume, volume.hu[int(0.5 * d) :])
    yield "one side", _of(volume, volume.hu[:, :, : w // 2])
    yield "mirrored", _of(volume, volume.hu[:, :, ::-1])
    yield "upside down", _of(volume, volume.hu[::-1])
    yield "front to back", _of(volume, volume.hu[:, ::-1])
    yield "wrong voxel size", _of(volume, volume.hu, (volume.spacing[0], volume.spacing[1] / 4, volume.spacing[2] / 4))


def carina_mm(found: Quantification) -> float | None:
    """Distance of the carina from the first slice."""
    return found.key_slices["carina"].position_mm if "carina" in found.key_slices else None


def attempt(make: Callable[[], Quantification]) -> Quantification | str:
    """The figures or the reason of the refusal."""
    try:
        return make()
    except BackendError as error:
        return str(error)


def compared(name: str, base: Quantification, found: Quantification | str, dropped_mm: float) -> str:
    """One line; FAIL where something moved."""
    if isinstance(found, str):
        return f"  FAIL {name:22s} refused: {found[:110]}"
    change = found.lungs.total_l / base.lungs.total_l - 1
    laa = found.lungs.laa950_pct - base.lungs.laa950_pct
    old, new = carina_mm(base), carina_mm(found)
    moved = None if old is None or new is None else new + dropped_mm - old
    wrong = [abs(change) > VOLUME, abs(laa) > LAA, moved is None or abs(moved) > CARINA_MM]
    said = "no carina" if moved is None else f"carina {moved:+.1f} mm"
    verdict = "FAIL" if wrong[0] or wrong[2] else "laa " if wrong[1] else "ok  "
    return f"  {verdict} {name:22s} volume {100 * change:+.2f} %, LAA {laa:+.2f}, {said}"


def main() -> None:
    """Print one line per change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", nargs="*", default=None)
    names = parser.parse_args().series
    if not DATA.exists():
        print(f"skipped: {DATA} is absent")
        return
    for folder in sorted(path for path in (DATA / "chest_ct").iterdir() if path.is_dir() and (not names or path.name in names)):
        volume = load_volume(folder)
        base = attempt(lambda volume=volume: quantify(volume))  # type: ignore[misc]
        if isinstance(base, str):
            print(f"{folder.name}: FAIL refused: {base}")
            continue
        print(f"{folder.name}: {base.lungs.total_l:.2f} l, LAA {base.lungs.laa950_pct:.1f} %, carina {carina_mm(base)} mm")
        for name, changed in harmless(volume):
            dropped = volume.spacing[0] if name == "first slice dropped" else 0.0
            print(compared(name, base, attempt(lambda changed=changed: quantify(changed)), dropped), flush=True)  # type: ignore[misc]
        for name, changed in parts(volume):
            found = attempt(lambda changed=changed: quantify(changed))  # type: ignore[misc]
            print(
                f"  {'ok  ' if isinstance(found, str) else 'FAIL'} {name:22s} {found[:120] if isinstance(found, str) else 'accepted'}",
                flush=True,
            )


if __name__ == "__main__":
    main()
