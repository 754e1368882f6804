"""One synthetic study: anatomy, findings, and the noise and thickness of a scan, all from a seed."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.cohort.anatomy import Canvas, Habitus, paint
from medmpt_backend.cohort.artefacts import breathe, starve, streaks
from medmpt_backend.cohort.findings import PaintedFinding
from medmpt_backend.cohort.grid import Grid


@dataclass(frozen=True)
class Scan:
    """How the scan was made.

    Attributes:
        shape: `(D, H, W)`.
        spacing: `(z, y, x)` in mm.
        z_top: Height of the first slice above the carina, mm.
        noise_hu: Standard deviation of the noise in soft tissue, HU.
        sharpness: 0 soft kernel, 1 sharp kernel: sets the correlation of the noise.
        motion_mm: Amplitude of breathing during the scan, 0 none.
        low_dose: Whether noise grows along thick rays, as at the dose of screening.
        metal: Whether metal (pacemaker, port) throws streaks.
    """

    shape: tuple[int, int, int] = (136, 320, 320)
    spacing: tuple[float, float, float] = (2.5, 1.12, 1.12)
    z_top: float = 124.0
    noise_hu: float = 14.0
    sharpness: float = 0.3
    motion_mm: float = 0.0
    low_dose: bool = False
    metal: bool = False


@dataclass(frozen=True, eq=False)
class SyntheticStudy:
    """A generated CT with its truth.

    Attributes:
        hu: `(D, H, W)` int16 HU, head first, LPS.
        spacing: `(z, y, x)` in mm.
        truth: What was painted.
        lobes: `(D, H, W)` uint8, see `anatomy.LOBES`.
    """

    hu: NDArray[np.int16]
    spacing: tuple[float, float, float]
    truth: tuple[PaintedFinding, ...] = ()
    lobes: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0, 0), np.uint8))


def start(rng: np.random.Generator, scan: Scan, habitus: Habitus) -> Canvas:
    """A healthy thorax on the scan's grid."""
    return paint(rng, Grid.around(scan.shape, scan.spacing, scan.z_top), habitus)


def finish(rng: np.random.Generator, canvas: Canvas, scan: Scan, truth: tuple[PaintedFinding, ...]) -> SyntheticStudy:
    """Blur to the resolution of a scanner, add correlated noise and the scan's artefacts, and quantise."""
    still = breathe(canvas.hu, scan.spacing, scan.motion_mm) if scan.motion_mm else canvas.hu
    hu = ndimage.gaussian_filter(still, (0.25, 0.45, 0.45), truncate=2.5)
    hu += correlated_noise(rng, scan.shape, scan.sharpness) * scan.noise_hu
    # After the plain noise, so that a scan without artefacts draws the same numbers as ever.
    if scan.metal:
        hu = streaks(rng, hu, scan.spacing)
    if scan.low_dose:
        hu = starve(rng, hu, scan.spacing, scan.noise_hu)
    quantised = np.clip(np.rint(hu), -1024, 3071).astype(np.int16)
    return SyntheticStudy(quantised, scan.spacing, truth, canvas.lobes)


def correlated_noise(rng: np.random.Generator, shape: tuple[int, int, int], sharpness: float) -> NDArray[np.float32]:
    """Noise of unit deviation whose in-plane correlation follows the kernel: soft is blotchy, sharp is fine-grained."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    noise = ndimage.gaussian_filter(noise, (0.0, 1.3 - sharpness, 1.3 - sharpness), truncate=2.5)
    return np.asarray(noise / noise.std(), dtype=np.float32)
