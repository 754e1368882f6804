"""Heatmaps as files: the arrays, and a picture of the strongest slices."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.volume import Volume
from medmpt_backend.inference.explain import Explanation
from medmpt_backend.inference.preprocess import window_u8

# Lung window (width, level) of the pictures: the first of the model's three.
_WINDOW = (1500.0, -400.0)


def on_slice(explanation: Explanation, position: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    """One input's heatmap, bilinear, on the pixels of a slice `(H, W)`."""
    import torch

    small = torch.from_numpy(explanation.heatmaps[position])[None, None]
    out: NDArray[np.float32] = torch.nn.functional.interpolate(small, shape, mode="bilinear", align_corners=False)[0, 0].numpy()
    return out


def _panel(explanation: Explanation, volume: Volume, position: int) -> NDArray[np.uint8]:
    """`(H, W, 3)` uint8: the slice in grey with the heatmap in red."""
    grey = window_u8(volume.hu[int(explanation.slice_index[position])].astype(np.float64), *_WINDOW)
    heat = on_slice(explanation, position, (grey.shape[0], grey.shape[1]))
    rgb = np.repeat(grey[..., None], 3, -1).astype(np.float32)
    weight = 0.6 * heat[..., None]
    out: NDArray[np.uint8] = (rgb * (1 - weight) + np.array([255.0, 40.0, 0.0]) * weight).clip(0, 255).astype(np.uint8)
    return out


def write_heatmap(explanation: Explanation, volume: Volume, folder: Path) -> Path:
    """Write `TASK-LABEL.npz` (heatmaps, relevance, slices) and `TASK-LABEL.png` (the three strongest inputs); returns the former."""
    from PIL import Image

    stem = f"{explanation.task}-{explanation.label}".replace("/", "_")
    file = folder / f"{stem}.npz"
    np.savez(
        file,
        heatmaps=explanation.heatmaps,
        relevance=explanation.relevance,
        slice_index=explanation.slice_index,
        slice_ranges=explanation.slice_ranges,
    )
    strongest = np.argsort(-explanation.relevance)[:3]
    Image.fromarray(np.concatenate([_panel(explanation, volume, int(p)) for p in strongest], 1)).save(folder / f"{stem}.png")
    return file
