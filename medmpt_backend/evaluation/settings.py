"""Studies of the cohort's own generator under settings that its training data do not hold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.cohort.anatomy import Canvas
from medmpt_backend.cohort.patients.patient import draw_habitus, draw_patient, draw_scan, paint_patient
from medmpt_backend.cohort.studies import TRAINING_SHAPE
from medmpt_backend.cohort.thorax import Scan, finish, start
from medmpt_backend.imaging.volume import SeriesInfo, Volume


def _same(_: Canvas) -> None:
    """The painted thorax stays as it is."""


def _dense(canvas: Canvas) -> None:
    """Contrast far beyond what is given: everything denser than unenhanced blood twice as dense."""
    canvas.hu[canvas.hu > 90] *= 2.2


@dataclass(frozen=True)
class Setting:
    """A way to scan that the training data do not hold.

    Attributes:
        meaning: In words.
        scan: Changes the drawn scan.
        paint: Changes the painted thorax.
    """

    meaning: str
    scan: Callable[[Scan], Scan] = lambda scan: scan
    paint: Callable[[Canvas], None] = _same


def _thick(scan: Scan) -> Scan:
    depth = 9
    return replace(scan, shape=(depth, *scan.shape[1:]), spacing=(scan.spacing[0] * scan.shape[0] / depth, *scan.spacing[1:]))


def _wide(scan: Scan) -> Scan:
    z, y, x = scan.spacing
    return replace(scan, spacing=(z, 1.7 * y, 1.7 * x))


SETTINGS: dict[str, Setting] = {
    "thick_slices": Setting("nine slices for the whole thorax", _thick),
    "extreme_noise": Setting("noise of 150 HU", lambda scan: replace(scan, noise_hu=150.0)),
    "no_noise": Setting("no noise at all", lambda scan: replace(scan, noise_hu=0.0)),
    "wide_field": Setting("a field of view 1.7 times as wide as drawn", _wide),
    "upper_abdomen": Setting("scan starts 170 mm lower", lambda scan: replace(scan, z_top=scan.z_top - 170)),
    "extreme_contrast": Setting("everything above 90 HU 2.2 times as dense", paint=_dense),
}


def volumes(name: str, seed: int, count: int) -> Iterator[Volume]:
    """Studies under one setting.

    Args:
        name: Of `SETTINGS`.
        seed: Seed; patients are others than those of the cohort.
        count: How many.
    """
    setting = SETTINGS[name]
    made, attempt = 0, 0
    while made < count:
        rng = np.random.default_rng([seed, 77, attempt])
        attempt += 1
        try:
            hu, spacing = _one(rng, setting)
        except ValueError:  # a painter found no room for a lesion: the next patient
            if attempt > 20 * count:
                raise
            continue
        made += 1
        yield Volume(hu, spacing, SeriesInfo(f"{attempt:016x}", synthetic=True))


def _one(rng: np.random.Generator, setting: Setting) -> tuple[NDArray[np.int16], tuple[float, float, float]]:
    patient = draw_patient(rng)
    habitus = draw_habitus(rng, patient)
    scan = setting.scan(draw_scan(rng, TRAINING_SHAPE, habitus, low_dose=patient.screening))
    canvas = start(rng, scan, habitus)
    painted = paint_patient(rng, canvas, patient)
    setting.paint(canvas)
    made = finish(rng, canvas, scan, painted)
    return made.hu, made.spacing
