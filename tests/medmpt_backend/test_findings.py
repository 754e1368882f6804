"""Fluid, air, dense tissue and calcium painted into a real chest come back as painted, and are absent where nothing was painted."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from medmpt_backend.imaging.anatomy.grid import refine
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs, segment
from medmpt_backend.imaging.findings.groups import Findings
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.quantify import quantify
from medmpt_backend.imaging.volume import Volume
from tests.medmpt_backend.ct_files import DATA

SERIES = "Lung_Dx-A0002_B40f"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the public test data is absent (../shared/data)")


@pytest.fixture(scope="module")
def chest() -> tuple[Volume, Lungs]:
    volume = load_volume(DATA / "chest_ct" / SERIES)
    return volume, segment(volume)


def _lung(volume: Volume, lungs: Lungs, side: int) -> NDArray[np.bool_]:
    return refine(lungs.labels == side, lungs.grid.factors, volume.hu.shape)


def _painted(chest: tuple[Volume, Lungs], side: int, ml: float, hu: int, *, front: bool) -> tuple[Volume, float]:
    """The lowest (or highest, lying on the back) millilitres of one lung replaced by a density with noise."""
    volume, lungs = chest
    lung = _lung(volume, lungs, side)
    rows = np.broadcast_to(np.arange(lung.shape[1])[None, :, None], lung.shape)
    count = int(ml * 1000 / np.prod(volume.spacing))
    order = np.sort(rows[lung])
    chosen = lung & (rows <= order[count] if front else rows >= order[-count])
    out = volume.hu.copy()
    out[chosen] = np.maximum(hu + np.random.default_rng(0).normal(0, 15, int(chosen.sum())), -1024).astype(np.int16)
    if front:
        out[lung & (rows == order[count] + 1)] = -300
    return replace(volume, hu=out), float(chosen.sum() * np.prod(volume.spacing)) / 1000


def _findings(volume: Volume) -> Findings:
    return quantify(volume).findings


def test_nothing_painted_nothing_found(chest: tuple[Volume, Lungs]) -> None:
    found = _findings(chest[0])
    assert (found.effusion.left_ml, found.effusion.right_ml) == (0, 0)
    assert (found.pneumothorax.left_ml, found.pneumothorax.right_ml) == (0, 0)
    assert found.airway.carina is not None
    assert found.airway.carina.index in (9, 10)
    assert found.vessels.pa_mm is None
    assert found.vessels.because
    assert found.calcium.coronary.agatston is None, "8 mm slices allow no score"


@pytest.mark.parametrize(("side", "ml"), [(LEFT, 150), (RIGHT, 400), (LEFT, 900)])
def test_painted_fluid_is_measured_on_its_side(chest: tuple[Volume, Lungs], side: int, ml: float) -> None:
    volume, truth = _painted(chest, side, ml, 12, front=False)
    found = _findings(volume).effusion
    own, other = (found.left_ml, found.right_ml) if side == LEFT else (found.right_ml, found.left_ml)
    assert own == pytest.approx(truth, rel=0.3)
    assert other == 0
    assert found.validity == "in", "painted truth on six scans, see docs/imaging.md"
    assert found.because


def test_painted_air_is_measured_on_its_side(chest: tuple[Volume, Lungs]) -> None:
    volume, truth = _painted(chest, LEFT, 154, -1000, front=True)
    found = _findings(volume).pneumothorax
    assert found.left_ml == pytest.approx(truth, rel=0.3)
    assert found.right_ml == 0


def test_contrast_hides_calcium_and_outweighs_the_header() -> None:
    volume = load_volume(DATA / "chest_ct/LIDC-IDRI-0001")
    found = quantify(replace(volume, series=replace(volume.series, contrast="no")))
    assert found.series.contrast == "yes"
    assert any("vessels are enhanced" in warning for warning in found.warnings)
    assert found.findings.calcium.validity == "out"
    assert found.findings.calcium.coronary.grade is None
