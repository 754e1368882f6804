"""What a prepared model input looks like: cheap statistics that tell a training study from anything else.

They are taken from the `(S, C, H, W)` uint8 input, so they do not depend on the matrix or the slice count of the scan. Blocks:

* `intensity`: histogram of every channel (square roots of shares: Hellinger geometry).
* `layout`: mean brightness on a coarse grid, foot to head, front to back, right to left.
* `texture`: power per spatial frequency and Laplacian by tissue, in three parts of the study: noise, sharpness, blur, wrong resizing.
* `stack`: how slices follow each other: missing, repeated, swapped or reversed ones, other axes.
"""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float32]
BLOCKS = ("intensity", "layout", "texture", "stack")
_BINS = 16
_LAYOUT = (6, 6, 6)
_BANDS = 10
_PARTS = 3
# Edges of air, lung and soft tissue in the first window of 8 bits (-1150 to 350 HU): below 0.13 air, below 0.55 lung, above soft tissue.
_TISSUES = ((0.0, 0.13), (0.13, 0.55), (0.55, 1.01))
_TINY = 1e-6
# Sharpening of the copies that count as training studies too; 1 would double fine detail.
_SHARPER, _SOFTER = 0.7, -0.4


def input_statistics(image: Tensor) -> dict[str, Floats]:
    """Statistics of one input.

    Args:
        image: `(S, C, H, W)` uint8, foot first.

    Returns:
        Block name to a vector; lengths depend on the number of channels only.
    """
    image = image if len(image) > 1 else image.repeat(2, 1, 1, 1)
    first = image[:, 0].float() / 255
    last = image[:, min(2, image.shape[1] - 1)].float() / 255  # the soft-tissue window of the usual three
    texture = torch.cat([_spectrum(first), _spectrum(last), _roughness(first), _contrast(image)])
    blocks = {"intensity": _histograms(image), "layout": _layout(first, last), "texture": texture, "stack": _stack(first, last)}
    return {name: block.to(torch.float32).numpy() for name, block in blocks.items()}


def described(images: Iterable[Tensor]) -> dict[str, Floats]:
    """Statistics of training inputs for `DomainModel.fit`: block to `(N + extra, F)`.

    The extra rows are sharper and softer copies of every second study: other kernels, pixel sizes and slice thicknesses within what
    scanners do are no other kind of study, and the training studies hold few of them.
    """
    rows, extra = [], []
    for i, image in enumerate(images):
        rows.append(input_statistics(image))
        if i % 2 == 0:
            extra.append(input_statistics(sharpened(image, _SHARPER if i % 4 else _SOFTER)))
    return {name: np.stack([row[name] for row in rows + extra]) for name in BLOCKS} if rows else {}


def sharpened(image: Tensor, amount: float) -> Tensor:
    """Difference to the mean of the 3 x 3 neighbourhood multiplied by 1 + amount; a negative amount softens."""
    flat = image.float().flatten(0, 1)[:, None]
    mean = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(flat, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return (flat + amount * (flat - mean))[:, 0].clamp(0, 255).reshape(image.shape).round().to(torch.uint8)


def _histograms(image: Tensor) -> Tensor:
    """Square roots of the shares of 16 grey levels per channel."""
    width = 256 // _BINS
    rows = [torch.bincount((image[:, c] // width).flatten().int(), minlength=_BINS) for c in range(image.shape[1])]
    return torch.cat([(row / row.sum()).sqrt() for row in rows])


def _layout(first: Tensor, last: Tensor) -> Tensor:
    """Coarse brightness of the lung window, and the profile of the soft-tissue window along each axis."""
    coarse = torch.nn.functional.adaptive_avg_pool3d(first[None, None], _LAYOUT).flatten()
    profiles = [torch.nn.functional.adaptive_avg_pool1d(last.mean(axes)[None], 8)[0] for axes in ((1, 2), (0, 2), (0, 1))]
    return torch.cat([coarse, *profiles])


def _parts(count: int) -> list[slice]:
    edges = [round(i * count / _PARTS) for i in range(_PARTS + 1)]
    return [slice(a, max(b, a + 1)) if a < count else slice(count - 1, count) for a, b in pairwise(edges)]


def _spectrum(slices: Tensor) -> Tensor:
    """`(S, H, W)` to the log power of ten frequency bands in three parts of the study."""
    height, width = slices.shape[-2:]
    power = torch.fft.rfft2(slices - slices.mean((1, 2), keepdim=True)).abs().square() / (height * width)
    frequency = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None])
    band = (frequency / 0.5 * _BANDS).long().clamp_max(_BANDS - 1).flatten()
    count = torch.bincount(band, minlength=_BANDS).clamp_min(1)
    out = []
    for part in _parts(len(slices)):
        total = torch.zeros(_BANDS).index_add_(0, band, power[part].mean(0).flatten())
        out.append((total / count + _TINY).log())
    return torch.cat(out)


def _roughness(slices: Tensor) -> Tensor:
    """Log mean of the absolute Laplacian by tissue and part, and how much vertical differs from horizontal gradients."""
    inner = slices[:, 1:-1, 1:-1]
    around = (slices[:, :-2, 1:-1] + slices[:, 2:, 1:-1] + slices[:, 1:-1, :-2] + slices[:, 1:-1, 2:]) / 4
    laplacian = (inner - around).abs()
    out = []
    for part in _parts(len(slices)):
        for low, high in _TISSUES:
            inside = (around[part] >= low) & (around[part] < high)
            mean = (laplacian[part] * inside).sum() / inside.sum().clamp_min(1)
            out += [(mean + 1e-4).log(), inside.float().mean().sqrt()]
    down, across = slices.diff(dim=1).abs().mean(), slices.diff(dim=2).abs().mean()
    return torch.stack([*out, ((down + 1e-4) / (across + 1e-4)).log()])


def _contrast(image: Tensor) -> Tensor:
    """Log mean difference of the two images that one input may hold (mean and maximum, or two halves of a slab); empty for one image."""
    half = image.shape[1] // 2
    if image.shape[1] % 2 or half == 0:
        return torch.zeros(0)
    difference = (image[:, 0].float() - image[:, half].float()).abs() / 255
    return torch.stack([(difference[part].mean() + 1e-4).log() for part in _parts(len(image))])


def _stack(first: Tensor, last: Tensor) -> Tensor:
    """Changes from slice to slice in six parts, their extremes, and the extremes of the contrast within slices."""
    out = []
    for slices in (first, last):
        change = (slices.diff(dim=0).abs().mean((1, 2)) + 1e-4).log()
        within = (slices.std((1, 2)) + 1e-4).log()
        out += [torch.nn.functional.adaptive_avg_pool1d(x[None], 6)[0] for x in (change, within)]
        out += [torch.quantile(x, torch.tensor([0.0, 0.5, 1.0])) for x in (change, within)]
        out.append(change.diff().abs().max()[None] if len(change) > 1 else torch.zeros(1))
    return torch.cat(out)
