"""Volume to model input: choose slices, window, resize.

`official` reproduces the released arrays bit for bit; `slab` (ours) samples evenly and lets each input stand for its whole slab. Both
put the foot first, as the released model saw its studies; `ModelInput.slices` says which slices of the volume (0 = head) each stands for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.model.config import PreprocessConfig


@dataclass(frozen=True, eq=False)
class ModelInput:
    """What the model sees.

    Attributes:
        image: `(S, C, image, image)` uint8, foot first.
        slices: Per input the half-open range of slices of the volume (0 = head) it stands for.
    """

    image: Tensor
    slices: tuple[tuple[int, int], ...]

    @property
    def centres(self) -> tuple[int, ...]:
        """One slice index of the volume per input."""
        return tuple((first + last - 1) // 2 for first, last in self.slices)


def official_indices(count: int, wanted: int) -> list[int]:
    """The released slice choice.

    With fewer slices than wanted every index is repeated, and the first of the repeated list once more until full. With more, every
    (count // wanted)-th is taken and the surplus deleted from the end backwards at a fixed stride.
    """
    if count < 1 or wanted < 1:
        raise BadInput(f"cannot choose {wanted} slices of {count}")
    if count <= wanted:
        repeated = [i for i in range(count) for _ in range(wanted // count)]
        return sorted(repeated + repeated[: wanted - len(repeated)])
    chosen = list(range(0, count, count // wanted))
    surplus = len(chosen) - wanted
    if surplus:
        stride = len(chosen) // surplus
        gone = {len(chosen) - 1 - i * stride for i in range(surplus)}
        chosen = [index for position, index in enumerate(chosen) if position not in gone]
    return chosen


def slab_ranges(count: int, wanted: int) -> list[tuple[int, int]]:
    """`wanted` even half-open ranges that cover 0..count without a gap; with fewer slices than wanted, ranges of one slice repeat."""
    if count < 1 or wanted < 1:
        raise BadInput(f"cannot choose {wanted} slabs of {count}")
    if count < wanted:
        return [(i * count // wanted, i * count // wanted + 1) for i in range(wanted)]
    edges = [round(i * count / wanted) for i in range(wanted + 1)]
    return list(pairwise(edges))


def window_u8(hu: NDArray[np.float64], width: float, level: float) -> NDArray[np.uint8]:
    """Truncated uint8 of 255 (clip(HU) - min) / (max - min), in float64."""
    low, high = level - width / 2, level + width / 2
    out: NDArray[np.uint8] = (255.0 * (np.clip(np.asarray(hu, np.float64), low, high) - low) / (high - low)).astype(np.uint8)
    return out


@lru_cache(maxsize=16)
def _table(width: float, level: float) -> NDArray[np.uint8]:
    """The window of every int16 value, addressed by its bits as uint16."""
    return window_u8(np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.float64), width, level)


def apply_windows(hu: NDArray[np.generic], windows: tuple[tuple[float, float], ...]) -> NDArray[np.uint8]:
    """`(...)` HU to `(windows, ...)` uint8; int16 goes through look-up tables, everything else is computed."""
    if hu.dtype == np.int16:
        bits = np.ascontiguousarray(hu).view(np.uint16)
        return np.stack([_table(w, c)[bits] for w, c in windows])
    return np.stack([window_u8(hu.astype(np.float64), w, c) for w, c in windows])


def resample_z(hu: NDArray[np.generic], spacing_mm: float, target_mm: float, axis: int) -> NDArray[np.float64]:
    """Official optional resampling: cubic spline, end slices kept in place (corner aligned), float64."""
    from scipy.ndimage import zoom

    factors = [1.0] * hu.ndim
    factors[axis] = spacing_mm / target_mm
    if round(hu.shape[axis] * factors[axis]) < 1:
        raise BadInput(f"{hu.shape[axis]} slices of {spacing_mm} mm leave nothing at {target_mm} mm")
    out: NDArray[np.float64] = zoom(hu.astype(np.float64), factors, order=3, mode="nearest")
    return out


def nifti_windows(
    stored: NDArray[np.generic], windows: tuple[tuple[float, float], ...], spacing_mm: float | None = None, target_mm: float = 5.0
) -> NDArray[np.uint8]:
    """Official reading of a NIfTI array, affine ignored: `(x, y, z)` as stored to `(windows, z, y, x)` uint8, each slice rotated once.

    Args:
        stored: HU as stored.
        windows: Width and level per channel.
        spacing_mm: z spacing; given, the array is resampled to `target_mm` first.
        target_mm: Target z spacing.
    """
    hu = resample_z(stored, spacing_mm, target_mm, 2) if spacing_mm is not None else stored
    return apply_windows(np.rot90(hu, axes=(0, 1)).transpose(2, 0, 1), windows)


_LEAST_CHANNELS = 4


def resize_u8(image: Tensor, size: int) -> Tensor:
    """`(..., H, W)` uint8 to `(..., size, size)` uint8: bilinear, pixel centres, no antialias, rounded."""
    if image.shape[-2:] == (size, size):
        return image
    planes = image.reshape(-1, *image.shape[-2:]).float()
    return _shrink(planes, size).reshape(*image.shape[:-2], size, size)


def _shrink(planes: Tensor, size: int) -> Tensor:
    """`(n, H, W)` float to `(n, size, size)` uint8.

    All planes go in as channels of one image, at least four: with three channels and one thread torch takes another kernel, whose last bits
    differ, and the result for slices of CT size would depend on the number of threads.
    """
    count = len(planes)
    if count < _LEAST_CHANNELS:
        planes = torch.cat([planes, planes.new_zeros((_LEAST_CHANNELS - count, *planes.shape[1:]))])
    out = torch.nn.functional.interpolate(planes[None], (size, size), mode="bilinear", align_corners=False)
    return out[0, :count].round_().to(torch.uint8)


def _average(planes: Tensor, size: int) -> Tensor:
    """As `_shrink`, averaging what is dropped; planes one at a time, so that the last bits do not depend on how many there are."""
    made = [
        torch.nn.functional.interpolate(p[None, None], (size, size), mode="bilinear", align_corners=False, antialias=True) for p in planes
    ]
    return torch.cat(made)[:, 0].round_().clamp_(0, 255).to(torch.uint8)


def scale(image: Tensor) -> Tensor:
    """uint8 to float32 in [-1, 1]."""
    return (image.float() / 255.0 - 0.5) / 0.5


@lru_cache(maxsize=16)
def _float_table(width: float, level: float) -> NDArray[np.float32]:
    return _table(width, level).astype(np.float32)


# Slices windowed and resized together: few enough for the processor's cache, many enough to occupy its threads.
_TOGETHER = 8


def _windowed(
    slices: Sequence[NDArray[np.generic]],
    windows: tuple[tuple[float, float], ...],
    size: int,
    shrink: Callable[[Tensor, int], Tensor] = _shrink,
) -> Tensor:
    """Slices `(H, W)` int16 to `(slices, windows, size, size)` uint8."""
    done = []
    for start in range(0, len(slices), _TOGETHER):
        bits = np.ascontiguousarray(np.stack(slices[start : start + _TOGETHER])).view(np.uint16)
        if bits.shape[1:] == (size, size):
            done.append(torch.from_numpy(np.stack([_table(w, c)[bits] for w, c in windows], 1)))
            continue
        image = torch.from_numpy(np.stack([_float_table(w, c)[bits] for w, c in windows], 1))
        done.append(shrink(image.flatten(0, 1), size).reshape(*image.shape[:2], size, size))
    return torch.cat(done)


def _official_input(hu: NDArray[np.generic], config: PreprocessConfig, slices: int, image: int) -> ModelInput:
    indices = official_indices(len(hu), slices)
    unique, where = np.unique(indices, return_inverse=True)
    resized = _windowed([hu[i] for i in unique], config.windows, image)[torch.from_numpy(where)]
    return ModelInput(resized, tuple((i, i + 1) for i in indices))


def _slab_input(hu: NDArray[np.generic], config: PreprocessConfig, slices: int, image: int) -> ModelInput:
    ranges = slab_ranges(len(hu), slices)
    shrink = _average if config.resize == "antialias" else _shrink

    def means(parts: list[tuple[int, int]]) -> Tensor:
        averaged = [hu[a:b].mean(0, dtype=np.float32).round().astype(np.int16) for a, b in parts]
        return _windowed(averaged, config.windows, image, shrink)

    if config.slab == "halves":
        return ModelInput(means(slab_ranges(len(hu), 2 * slices)).reshape(slices, -1, image, image), tuple(ranges))
    forms = []
    if config.slab in ("mean", "mean_max"):
        forms.append(means(ranges))
    if config.slab in ("max", "mean_max"):
        forms.append(_windowed([hu[a:b].max(0) for a, b in ranges], config.windows, image, shrink))
    return ModelInput(torch.cat(forms, 1), tuple(ranges))


def prepare(volume: Volume, config: PreprocessConfig, slices: int, image: int) -> ModelInput:
    """Model input of one volume.

    Args:
        volume: LPS, head first.
        config: Windows and sampling.
        slices: Number of inputs.
        image: Side of the square input in pixels.
    """
    hu: NDArray[np.generic] = volume.hu[::-1]  # foot first
    total = len(hu)
    if config.resample_mm is not None:
        hu = resample_z(hu, volume.spacing[0], config.resample_mm, 0).round().astype(np.int16)
    make = _official_input if config.sampling == "official" else _slab_input
    made = make(hu, config, slices, image)
    ratio = total / len(hu)
    back = tuple((total - _ceil(b * ratio, total), total - int(a * ratio)) for a, b in made.slices)
    return ModelInput(made.image, back)


def _ceil(value: float, most: int) -> int:
    return min(int(np.ceil(value - 1e-9)), most)
