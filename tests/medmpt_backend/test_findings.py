"""Fluid, air, dense tissue and calcium painted into a real chest come back as painted, and are absent where nothing was painted."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from medmpt_backend.imaging.anatomy.grid import refine
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs, segment
from medmpt_backend.imaging.findings.assemble import _no_score
from medmpt_backend.imaging.findings.calcium import plaques
from medmpt_backend.imaging.findings.great_vessels import great_vessels
from medmpt_backend.imaging.findings.groups import Coronary, Findings
from medmpt_backend.imaging.findings.mediastinum import between_lungs
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
    hu, form = (found.left_hu, found.left_form) if side == LEFT else (found.right_hu, found.right_form)
    assert hu == pytest.approx(12, abs=8)
    assert form == "free"
    assert found.validity == "in", "painted truth on six scans, see docs/imaging.md"
    assert found.because


def test_fluid_walled_off_in_front_is_loculated(chest: tuple[Volume, Lungs]) -> None:
    volume, lungs = chest
    lung = _lung(volume, lungs, LEFT)
    z, y, x = np.ogrid[: lung.shape[0], : lung.shape[1], : lung.shape[2]]
    edge = int(np.flatnonzero(lung[12, 200])[-1])
    dz, dy, dx = volume.spacing
    ball = lung & (((z - 12) * dz) ** 2 + ((y - 200) * dy) ** 2 + ((x - edge) * dx) ** 2 < 40**2)
    hu = volume.hu.copy()
    hu[ball] = 12
    found = _findings(replace(volume, hu=hu)).effusion
    assert found.left_ml == pytest.approx(float(ball.sum()) * dz * dy * dx / 1000, rel=0.4)
    assert (found.left_form, found.right_ml) == ("loculated", 0)


def test_the_real_mass_at_the_hilum_is_seen(chest: tuple[Volume, Lungs]) -> None:
    found = _findings(chest[0])
    assert 15 < (found.consolidation.ml or 0) < 80, "right lower mass of the data set's readers"
    assert found.consolidation.slice in range(12, 18)


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


def test_painted_plaques_are_scored_as_a_reader_marks_them(chest: tuple[Volume, Lungs]) -> None:
    volume, lungs = chest
    between = between_lungs(lungs)
    base = plaques(volume, lungs, between)
    assert base.agatston == 0, "a scan without calcium of the heart"
    assert base.noise_hu == pytest.approx(12, abs=3)
    hu = volume.hu.copy()
    # Fat beside the left ventricle, the right coronary's groove, and the wall of the descending aorta.
    painted = {(14, 190, 300): 350, (15, 200, 205): 700, (15, 287, 282): 500}
    for (z, y, x), value in painted.items():
        hu[z, y : y + 4, x : x + 4] = value
    found = plaques(replace(volume, hu=hu), lungs, between)
    area = 16 * volume.spacing[1] * volume.spacing[2]
    assert found.agatston == pytest.approx((3 + 4) * area * volume.spacing[0] / 3, rel=0.05)
    assert found.millilitres("aorta") - base.millilitres("aorta") == pytest.approx(area * volume.spacing[0] / 1000, rel=0.05)
    assert found.widest("heart") in (14, 15)


def test_a_bright_streak_in_the_heart_is_no_plaque(chest: tuple[Volume, Lungs]) -> None:
    volume, lungs = chest
    hu = volume.hu.copy()
    hu[16, 200:216, 240:256] = 190
    assert plaques(replace(volume, hu=hu), lungs, between_lungs(lungs)).agatston == 0


def test_a_score_needs_a_scan_that_is_fit_for_one(chest: tuple[Volume, Lungs]) -> None:
    volume, _ = chest
    found = _findings(volume).calcium
    assert (found.validity, found.coronary) == ("unknown", Coronary(None, "none"))
    assert "8.0 mm" in (found.because or "")
    assert volume.series.kvp == 120
    fit = replace(volume, spacing=(2.5, *volume.spacing[1:]), series=replace(volume.series, thickness_mm=2.5))
    assert _no_score(fit, 12.0) == []
    assert len(_no_score(replace(fit, series=replace(fit.series, kvp=100.0, kernel=None)), 30.0)) == 3


def test_great_vessels_are_as_wide_on_both_kernels_and_grow_as_painted() -> None:
    soft, sharp = (load_volume(DATA / "chest_ct" / name) for name in ("Lung_Dx-A0001_B", "Lung_Dx-A0001_L"))
    lungs = segment(soft)
    found, other = great_vessels(soft, lungs, enhanced=False), great_vessels(sharp, segment(sharp), enhanced=False)
    assert found is not None
    assert other is not None
    assert (found.aorta_mm, found.pa_mm) == (pytest.approx(other.aorta_mm, abs=2), pytest.approx(other.pa_mm, abs=2))
    hu = soft.hu.copy()
    y, x = np.ogrid[: hu.shape[1], : hu.shape[2]]
    for disc in found.trunk:
        wide = disc.radius + 4
        hu[disc.z][np.hypot((y - disc.y) * soft.spacing[1], (x - disc.x) * soft.spacing[2] - 4) <= wide] = 45
    wider = great_vessels(replace(soft, hu=hu), lungs, enhanced=False)
    assert wider is not None
    assert 3 < wider.pa_mm - found.pa_mm < 9, "painted 8 mm wider to the left"
    assert wider.aorta_mm == pytest.approx(found.aorta_mm, abs=1)
