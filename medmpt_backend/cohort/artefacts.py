"""What a scanner adds beyond plain noise: photon starvation at low dose, breathing and streaks of metal.

Barrett and Keat, RadioGraphics 2004;24:1679, doi 10.1148/rg.246045065, describe all three. None of them moves the truth: masks stay where
the finding was painted.
"""

import numpy as np
from scipy import ndimage

from medmpt_backend.cohort.grid import Field

# Attenuation of water at the effective energy of a 120 kV beam, 1/mm.
WATER_PER_MM = 0.0195
# Above this only metal is left.
METAL_HU = 1900.0


def breathe(hu: Field, spacing: tuple[float, float, float], amplitude_mm: float) -> Field:
    """Motion during the scan: double contours that grow towards the diaphragm, and steps between slices.

    Every slice is the mean of the still volume and of one displaced by up to `amplitude_mm` towards the head and the front.
    """
    depth = len(hu)
    # Breathing takes about 4 s, in which a scanner covers some 120 mm.
    phase = np.sin(2 * np.pi * np.arange(depth) * spacing[0] / 120)
    weight = np.linspace(0.15, 1.0, depth)
    out = np.empty_like(hu)
    for z in range(depth):
        move = float(amplitude_mm * phase[z] * weight[z])
        at = float(np.clip(z + move / spacing[0], 0, depth - 1))
        low = int(at)
        share = np.float32(at - low)
        moved = hu[low] * (1 - share) + hu[min(low + 1, depth - 1)] * share
        moved = ndimage.shift(moved, (-0.35 * move / spacing[1], 0.0), order=1, mode="nearest")
        out[z] = np.float32(0.5) * (hu[z] + moved)
    return out


def starve(rng: np.random.Generator, hu: Field, spacing: tuple[float, float, float], noise_hu: float) -> Field:
    """Additional noise of a low dose: grain and streaks along the rays that cross most tissue, worst from shoulder to shoulder."""
    across = np.clip(hu / 1000 + 1, 0, 2.5).sum(2, dtype=np.float32)[:, :, None] * np.float32(spacing[2])
    # The deviation of a measured ray grows with the square root of its attenuation; 300 mm of water is the reference.
    gain = np.clip(np.exp((across - 300) * np.float32(WATER_PER_MM / 2)), 0, 4)
    grain = ndimage.gaussian_filter(rng.standard_normal(hu.shape, dtype=np.float32), (0.0, 0.7, 0.7), truncate=2.5)
    # A ray from side to side leaves its noise along its way, thin across it.
    streak = ndimage.gaussian_filter(rng.standard_normal(hu.shape, dtype=np.float32), (0.0, 0.5, 14 / spacing[2]), truncate=2.5)
    out: Field = hu + (grain / grain.std() + streak / streak.std()) * gain * np.float32(0.5 * noise_hu)
    return out


def streaks(rng: np.random.Generator, hu: Field, spacing: tuple[float, float, float]) -> Field:
    """Bright and dark rays from metal, slice by slice, fading with the distance."""
    out = hu.copy()
    for z in np.flatnonzero((hu > METAL_HU).any(axis=(1, 2))):
        parts, number = ndimage.label(hu[z] > METAL_HU)
        for n in range(1, number + 1):
            rows, columns = np.nonzero(parts == n)
            size = float(np.sqrt(len(rows) * spacing[1] * spacing[2]))
            dy = (np.arange(hu.shape[1], dtype=np.float32)[:, None] - rows.mean()) * spacing[1]
            dx = (np.arange(hu.shape[2], dtype=np.float32) - columns.mean()) * spacing[2]
            # Opposite rays are the same measurement: the pattern repeats after half a turn.
            angle = np.mod(np.arctan2(dy, dx), np.pi) / np.pi * 36
            rays = rng.standard_normal(36)
            rays[36 // 2 :] *= 0.5
            pattern = np.interp(angle.ravel(), np.arange(37), [*rays, rays[0]]).reshape(angle.shape)
            far = np.sqrt(dy**2 + dx**2)
            out[z] += np.where(far > size / 2, 28 * size * pattern * 12 / (12 + far), 0).astype(np.float32)
    return out
