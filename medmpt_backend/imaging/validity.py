"""What limits a figure of quantitative CT: contrast, slice thickness, kernel, pixel size, lungs cut off, shallow breath."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from medmpt_backend.imaging.anatomy.grid import per_slice
from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.readers.rules import known_kernel
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from medmpt_backend.messages import Said, joined, messages

message = messages("medmpt_backend.imaging").said

# Densitometry of emphysema was set up on thin sections of about 1 mm; thicker ones average small holes away.
THICK_MM = 1.5
# A 512 matrix over at most 50 cm gives pixels below 1 mm.
COARSE_PIXEL_MM = 1.2
# Scanners store whole HU.
COARSE_STEP_HU = 1.5
# Share of the largest axial lung area that the first or last slice may show before the lungs count as cut off.
CUT_SHARE = 0.05
# Lung at the edge of the image, counted as surface.
SIDE_CUT_MM2 = 300.0
# Difference between neighbours in aerated lung: 7 to 11 HU on soft kernels, 31 to 45 on sharp ones, 32 with noise of 30 HU added.
NOISY_HU = 25.0
NOISE_SLICES, NOISE_VOXELS = 8, 2000
AERATED_HU = -700
# Median density at full inspiration lies well below this.
SHALLOW_MEDIAN_HU = -780

_DENSITY = ("mean_hu", "median_hu", "perc15_hu", "laa950_pct", "haa_pct")
_FIGURES = ("total_l", "left_l", "right_l", *_DENSITY, "ggo_pct", "consolidation_pct", "regions")


@dataclass(frozen=True)
class Limit:
    """One reason that limits some figures.

    Attributes:
        cause: Which property of the scan.
        validity: `out`: known to lie outside; `unknown`: the header does not say.
        figures: Names of the fields it limits.
        reason: One sentence.
    """

    cause: Literal["contrast", "slice_thickness", "kernel", "pixel_size", "steps", "partial_lungs", "breath", "noise"]
    validity: Literal["out", "unknown"]
    figures: tuple[str, ...]
    reason: str


def limits_of(volume: Volume, lungs: Lungs, median_hu: float) -> tuple[Limit, ...]:
    """Everything that limits the figures of one volume.

    Args:
        volume: Full resolution.
        lungs: Its lungs.
        median_hu: Median density of the lungs.

    Returns:
        Limits in a fixed order.
    """
    found = [*_contrast(volume.series), *_thickness(volume), *_kernel(volume.series), *_pixel(volume), *_steps(volume), *_cut(lungs)]
    found += _noise(volume, lungs)
    if median_hu > SHALLOW_MEDIAN_HU:
        reason = message(
            "The median lung density is {median_hu:.0f} HU: a shallow breath and diffuse dense disease cannot be told apart.",
            median_hu=median_hu,
        )
        found.append(Limit("breath", "unknown", (*_DENSITY, "total_l", "ggo_pct"), reason))
    return tuple(found)


def _contrast(series: SeriesInfo) -> list[Limit]:
    """Contrast medium makes lung denser."""
    if series.contrast == "yes":
        reason = message("A contrast agent was given: it raises lung density, so LAA-950 understates emphysema and HAA is overstated.")
        return [Limit("contrast", "out", _DENSITY, reason)]
    if series.contrast == "unknown":
        reason = message("The header does not say whether a contrast agent was given; with one, LAA-950 would understate emphysema.")
        return [Limit("contrast", "unknown", _DENSITY, reason)]
    return []


def _thickness(volume: Volume) -> list[Limit]:
    """Thick slices average emphysema away."""
    figures = ("perc15_hu", "laa950_pct")
    thickness = volume.series.thickness_mm
    if thickness is None and volume.spacing[0] <= THICK_MM:
        return [
            Limit("slice_thickness", "unknown", figures, message("The header does not give the slice thickness; LAA-950 depends on it."))
        ]
    thick = max(thickness or 0.0, 0.0) or volume.spacing[0]
    if thick <= THICK_MM:
        return []
    reason = message(
        "Slices are {thick:.2f} mm thick (LAA-950 was set up on sections of about 1 mm): small areas are averaged away.", thick=thick
    )
    return [Limit("slice_thickness", "out", figures, reason)]


def _kernel(series: SeriesInfo) -> list[Limit]:
    """Sharp kernels add noise below -950 HU."""
    figures = ("perc15_hu", "laa950_pct", "haa_pct")
    sharp = is_sharp(series.kernel)
    if sharp is None:
        reason = message("The convolution kernel is not in the header, or its name is not known here; a sharp one overstates LAA-950.")
        return [Limit("kernel", "unknown", figures, reason)]
    if sharp:
        return [
            Limit("kernel", "out", figures, message("The kernel {kernel!r} is sharp: its noise overstates LAA-950.", kernel=series.kernel))
        ]
    return []


def is_sharp(kernel: str | None) -> bool | None:
    """Whether a kernel enhances edges; None where its name is not known."""
    known = known_kernel(kernel)
    return known[1] == "sharp" if known else None


def _steps(volume: Volume) -> list[Limit]:
    """Values stored in coarse steps."""
    step = volume.series.step_hu
    if step <= COARSE_STEP_HU:
        return []
    reason = message(
        "Values are stored in steps of {step:.1f} HU: shares below or between two densities are uncertain by that much.", step=step
    )
    return [Limit("steps", "out" if step > 4 else "unknown", ("perc15_hu", "laa950_pct", "haa_pct"), reason)]


def _pixel(volume: Volume) -> list[Limit]:
    """Large pixels average like thick slices."""
    pixel = max(volume.spacing[1:])
    if pixel <= COARSE_PIXEL_MM:
        return []
    reason = message(
        "Pixels are {pixel:.2f} mm wide (usual: below 1 mm): densities are averaged and small findings disappear.", pixel=pixel
    )
    return [Limit("pixel_size", "out", ("perc15_hu", "laa950_pct", "haa_pct", "ggo_pct", "consolidation_pct"), reason)]


def noise_hu(volume: Volume, lungs: Lungs) -> float | None:
    """Typical difference of a lung voxel from the mean of its four neighbours, as standard deviation of one voxel, HU.

    Args:
        volume: Full resolution.
        lungs: Its lungs.

    Returns:
        None where there is too little aerated lung to tell.
    """
    fz, fy, fx = lungs.grid.factors
    slices = np.flatnonzero(lungs.area)
    middle = slices[len(slices) // 4 : 3 * len(slices) // 4]
    found = []
    for k in middle[:: max(1, len(middle) // NOISE_SLICES)]:
        lung = np.repeat(np.repeat(lungs.labels[k] > 0, fy, axis=0), fx, axis=1)
        hu = volume.hu[k * fz, : lung.shape[0], : lung.shape[1]].astype(np.float32)
        rest = hu[1:-1, 1:-1] - (hu[:-2, 1:-1] + hu[2:, 1:-1] + hu[1:-1, :-2] + hu[1:-1, 2:]) / 4
        found.append(rest[lung[1:-1, 1:-1] & (hu[1:-1, 1:-1] < AERATED_HU)])
    values = np.concatenate(found) if found else np.empty(0)
    if len(values) < NOISE_VOXELS:
        return None
    return float(1.4826 * np.median(np.abs(values)) / np.sqrt(1.25))


def _noise(volume: Volume, lungs: Lungs) -> list[Limit]:
    """Noise widens the histogram of lung."""
    noise = noise_hu(volume, lungs)
    if noise is None or noise <= NOISY_HU:
        return []
    reason = message(
        "Neighbouring lung voxels differ by a noise of about {noise:.0f} HU (quiet scans: about 10): it overstates LAA-950.", noise=noise
    )
    return [Limit("noise", "out", ("perc15_hu", "laa950_pct"), reason)]


def _cut(lungs: Lungs) -> list[Limit]:
    """Lungs that reach the first or the last slice are cut off there."""
    area = lungs.area
    shares = {"first": float(area[0]) / float(area.max()), "last": float(area[-1]) / float(area.max())}
    ends = [name for name, share in shares.items() if share > CUT_SHARE]
    inner = lungs.labels[:, 1:-1, 1:-1]
    sides = area - per_slice(inner)
    if float(sides.sum()) * lungs.grid.spacing[1] * lungs.grid.spacing[0] > SIDE_CUT_MM2:
        reason = message(
            "The field of view cuts the lungs at its sides: volumes are those of the part shown, and the pleura there is not seen."
        )
        return [Limit("partial_lungs", "out", _FIGURES, reason)]
    if not ends:
        return []
    ends_said = joined((_end(name, 100 * shares[name]) for name in ends), " and ", "，")
    return [
        Limit(
            "partial_lungs",
            "out",
            _FIGURES,
            message("The lungs are cut off: {ends}; volumes are those of the part scanned.", ends=ends_said),
        )
    ]


def _end(name: str, share: float) -> Said:
    """How much of the lungs the first or last slice shows."""
    if name == "first":
        return message("the first slice shows {share:.0f} % of the largest lung area", share=share)
    return message("the last slice shows {share:.0f} % of the largest lung area", share=share)
