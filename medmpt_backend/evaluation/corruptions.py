"""What may go wrong with a study before a model sees it, done to prepared inputs `(S, C, H, W)` uint8.

Each corruption is seeded, keeps the shape, and has one line in `CORRUPTIONS` that says what it stands for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

Windows = Sequence[tuple[float, float]]
Change = Callable[[Tensor, "Scene"], Tensor]


@dataclass(frozen=True, eq=False)
class Scene:
    """What a corruption needs to know.

    Attributes:
        windows: `(width, level)` per channel; repeated where an input holds two images.
        generator: Source of chance.
    """

    windows: Windows
    generator: torch.Generator

    def window(self, channel: int) -> tuple[float, float]:
        """Lower end and width in HU of one channel."""
        width, level = self.windows[channel % len(self.windows)]
        return level - width / 2, width


def to_hu(image: Tensor, scene: Scene) -> Tensor:
    """HU of each channel `(S, C, H, W)`: its own grey value where that is not cut off, else that of the widest window of its image."""
    levels = [scene.window(c) for c in range(image.shape[1])]
    own = torch.stack([low + (image[:, c].float() + torch.rand(image[:, c].shape, generator=scene.generator)) * width / 255
                       for c, (low, width) in enumerate(levels)], 1)  # fmt: skip
    count = len(scene.windows)
    widest = max(range(count), key=lambda k: scene.windows[k][0])
    wide = torch.stack([own[:, (c // count) * count + widest] for c in range(image.shape[1])], 1)
    cut = (image == 0) | (image == 255)
    return torch.where(cut, wide, own)


def to_input(hu: Tensor, scene: Scene) -> Tensor:
    """The inverse of `to_hu`."""
    planes = []
    for c in range(hu.shape[1]):
        low, width = scene.window(c)
        planes.append((255 * (hu[:, c] - low) / width).clamp(0, 255))
    return torch.stack(planes, 1).to(torch.uint8)


def _blank(image: Tensor, scene: Scene) -> Tensor:
    """Air everywhere."""
    return to_input(torch.full(image.shape, -1000.0), scene)


def _swapped(image: Tensor, scene: Scene) -> Tensor:
    """The axis along the body taken for the one from front to back."""
    turned = image.permute(2, 1, 0, 3).float()  # rows become slices
    depth = F.interpolate(turned.permute(1, 0, 2, 3)[None], image.permute(1, 0, 2, 3).shape[1:], mode="trilinear", align_corners=False)
    return depth[0].permute(1, 0, 2, 3).round().to(torch.uint8)


def _noise(image: Tensor, scene: Scene, sigma: float = 120.0) -> Tensor:
    out = []
    for c in range(image.shape[1]):
        width = scene.window(c)[1]
        grain = torch.randn(image[:, c].shape, generator=scene.generator) * sigma * 255 / width
        out.append((image[:, c].float() + grain).clamp(0, 255))
    return torch.stack(out, 1).to(torch.uint8)


def _blur(image: Tensor, scene: Scene, sigma: float = 2.5) -> Tensor:
    reach = int(3 * sigma)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1).float() ** 2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum())[None, None]
    flat = image.float().flatten(0, 1)[:, None]
    flat = F.conv2d(F.pad(flat, (reach, reach, 0, 0), mode="replicate"), kernel[..., None, :])
    flat = F.conv2d(F.pad(flat, (0, 0, reach, reach), mode="replicate"), kernel[..., None])
    return flat[:, 0].reshape(image.shape).round().to(torch.uint8)


def _rescaled(slope: float, intercept: float) -> Change:
    return lambda image, scene: to_input(to_hu(image, scene) * slope + intercept, scene)


def _magnified(image: Tensor, scene: Scene) -> Tensor:
    """The middle third of the field of view."""
    height, width = image.shape[-2:]
    inner = image[..., height // 3 : height - height // 3, width // 3 : width - width // 3].float()
    return F.interpolate(inner, (height, width), mode="bilinear", align_corners=False).round().to(torch.uint8)


def _lower_third(image: Tensor, scene: Scene) -> Tensor:
    """Only the third at the foot end, as an abdominal study shows it: liver dome, spleen, bases."""
    depth = max(len(image) // 3, 2)
    part = image[:depth].permute(1, 0, 2, 3)[None].float()
    out = F.interpolate(part, (len(image), *image.shape[-2:]), mode="trilinear", align_corners=False)
    return out[0].permute(1, 0, 2, 3).round().to(torch.uint8)


def _abdomen(image: Tensor, scene: Scene) -> Tensor:
    """Lung density replaced by soft tissue: a body without lungs."""
    hu = to_hu(image, scene)
    lung = (hu < -400) & (F.avg_pool2d(hu, 9, 1, 4) > -930)
    tissue = 50 + 12 * torch.randn(hu.shape, generator=scene.generator)
    return to_input(torch.where(lung, tissue, hu), scene)


def _some_blank(image: Tensor, scene: Scene) -> Tensor:
    """A quarter of the slices, at random, are air."""
    lost = torch.randperm(len(image), generator=scene.generator)[: max(len(image) // 4, 1)]
    out = image.clone()
    out[lost] = to_input(torch.full(image[lost].shape, -1000.0), scene)
    return out


def _half(image: Tensor, scene: Scene) -> Tensor:
    """Scan broken off: the upper half of the inputs is air."""
    out = image.clone()
    out[len(image) // 2 :] = to_input(torch.full(image[len(image) // 2 :].shape, -1000.0), scene)
    return out


def _shuffled(image: Tensor, scene: Scene) -> Tensor:
    return image[torch.randperm(len(image), generator=scene.generator)]


def _streaks(image: Tensor, scene: Scene) -> Tensor:
    """Dense stripes as of a detector fault."""
    stripes = torch.sin(torch.arange(image.shape[-1]).float() * 1.9) * 250
    return to_input(to_hu(image, scene) + stripes, scene)


CORRUPTIONS: dict[str, tuple[str, Change]] = {
    "blank": ("air everywhere", _blank),
    "swapped_axes": ("the axis along the body and the one from front to back exchanged", _swapped),
    "upside_down": ("front and back exchanged", lambda image, _: image.flip(2)),
    "head_foot": ("slices in reverse order", lambda image, _: image.flip(0)),
    "inverted": ("HU with the opposite sign around -500", _rescaled(-1.0, -1000.0)),
    "heavy_noise": ("white noise of 120 HU in the input", _noise),
    "heavy_blur": ("Gaussian blur of 2.5 input pixels", _blur),
    "no_intercept": ("rescale intercept left out: 1024 HU too high", _rescaled(1.0, 1024.0)),
    "wrong_slope": ("rescale slope 0.5 instead of 1", _rescaled(0.5, 0.0)),
    "magnified": ("only the middle third of the field of view", _magnified),
    "lower_third": ("only the third at the foot end", _lower_third),
    "abdomen_like": ("lungs filled with soft tissue", _abdomen),
    "zeroed_slices": ("a quarter of the slices blank", _some_blank),
    "half_missing": ("upper half blank", _half),
    "shuffled": ("slices in random order", _shuffled),
    "stripes": ("dense stripes of 250 HU", _streaks),
}


def corrupt(name: str, image: Tensor, windows: Windows, seed: int) -> Tensor:
    """One corrupted input.

    Args:
        name: Of `CORRUPTIONS`.
        image: `(S, C, H, W)` uint8.
        windows: Of the preprocessing.
        seed: Seed.
    """
    return CORRUPTIONS[name][1](image, Scene(windows, torch.Generator().manual_seed(seed)))
