"""Random views of a study: one draw for all its slices.

Official training: resized crop 0.6-1, left-right flip, affine (20 degrees, 0.1 shift, scale 0.95-1.05), blur. The flip breaks left and
right against the report; ours leaves it out unless asked.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the released training; `flip` is its only setting that changes meaning."""

    crop: tuple[float, float] = (0.6, 1.0)
    degrees: float = 20.0
    shift: float = 0.1
    zoom: tuple[float, float] = (0.95, 1.05)
    blur: float = 1.0
    flip: bool = False


def generator_for(seed: int, *words: int) -> torch.Generator:
    """A generator that depends on `words` (epoch, study) only, whatever process asks."""
    value = seed
    for word in words:
        value = (value * 6364136223846793005 + word + 1442695040888963407) % (2**63)
    return torch.Generator().manual_seed(value)


def _uniform(generator: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def _blur(x: Tensor, sigma: float) -> Tensor:
    if sigma < 0.1:
        return x
    offsets = torch.arange(-3, 4, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    channels = x.shape[1]
    x = F.conv2d(F.pad(x, (3, 3, 0, 0), mode="replicate"), kernel.reshape(1, 1, 1, 7).expand(channels, -1, -1, -1), groups=channels)
    return F.conv2d(F.pad(x, (0, 0, 3, 3), mode="replicate"), kernel.reshape(1, 1, 7, 1).expand(channels, -1, -1, -1), groups=channels)


def augment(image: Tensor, settings: Augmentation, generator: torch.Generator, mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
    """One random view.

    Args:
        image: `(S, C, H, W)` float in [-1, 1].
        settings: Ranges.
        generator: Source of the draw.
        mask: `(S, L, h, w)` float, moved with the image.

    Returns:
        View and moved mask; outside the image is -1 (air), outside the mask 0.
    """
    side = math.sqrt(_uniform(generator, *settings.crop)) / _uniform(generator, *settings.zoom)
    angle = math.radians(_uniform(generator, -settings.degrees, settings.degrees))
    free = max(1 - side, 0.0) + settings.shift
    dx, dy = (_uniform(generator, -free, free) for _ in range(2))
    mirror = -1.0 if settings.flip and float(torch.rand((), generator=generator)) < 0.5 else 1.0
    cos, sin = side * math.cos(angle), side * math.sin(angle)
    theta = torch.tensor([[mirror * cos, -sin, dx], [mirror * sin, cos, dy]])[None]

    def move(x: Tensor) -> Tensor:
        grid = F.affine_grid(theta.expand(len(x), -1, -1), list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, align_corners=False)

    view = move(image + 1) - 1
    view = _blur(view, _uniform(generator, 0.0, settings.blur))
    return view, None if mask is None else move(mask)
