"""Metal and pericardial fluid: painted into real scans they are found and named, real clips are, and full veins are no metal."""

from dataclasses import replace

import numpy as np
import pytest

from medmpt_backend.imaging.anatomy.balls import within
from medmpt_backend.imaging.anatomy.grid import block_means, refine
from medmpt_backend.imaging.anatomy.lungs import GRID_MM, LEFT, Lungs, segment
from medmpt_backend.imaging.asked.bullae import bullae
from medmpt_backend.imaging.asked.look import look_for_metal, look_for_pericardial_fluid
from medmpt_backend.imaging.asked.pericardium import behind, heart_of
from medmpt_backend.imaging.findings.mediastinum import between_lungs
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.volume import Volume
from tests.medmpt_backend.ct_files import DATA

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the public test data is absent (../shared/data)")
Chest = tuple[Volume, Lungs]


@pytest.fixture(scope="module")
def thick() -> Chest:
    volume = load_volume(DATA / "chest_ct/Lung_Dx-A0002_B40f")
    return volume, segment(volume)


@pytest.fixture(scope="module")
def enhanced() -> Chest:
    volume = load_volume(DATA / "chest_ct/LIDC-IDRI-0001")
    return volume, segment(volume)


def test_without_metal_none_is_found_and_a_painted_housing_is_named_with_its_side(thick: Chest) -> None:
    volume, lungs = thick
    assert look_for_metal(volume, lungs).pieces == ()
    hu = volume.hu.copy()
    skin = int(np.flatnonzero(hu[6, :, 345] > -200)[0])
    hu[4:9, skin + 12 : skin + 26, 315:376] = 3071  # 40 x 9 x 40 mm under the skin of the left
    found = look_for_metal(replace(volume, hu=hu), lungs)
    (piece,) = found.inside
    assert (piece.kind, piece.place, piece.side) == ("housing", "chest wall", "left")
    assert piece.ml == pytest.approx(5 * 14 * 61 * np.prod(volume.spacing) / 1000, rel=0.1)
    assert piece.first <= piece.slice <= piece.last
    assert found.validity == "unknown", "experimental: it stays out of the draft"


def test_a_line_of_metal_to_the_heart_is_a_lead(thick: Chest) -> None:
    volume, lungs = thick
    hu = volume.hu.copy()
    for z in range(5, 18):
        hu[z, 210 + z : 213 + z, 250 + 2 * z : 253 + 2 * z] = 3071
    (piece,) = look_for_metal(replace(volume, hu=hu), lungs).inside
    assert (piece.kind, piece.place) == ("lead", "between the lungs")
    assert piece.long_mm > 90


def test_values_that_end_below_metal_are_out_of_the_domain(thick: Chest) -> None:
    volume, lungs = thick
    found = look_for_metal(replace(volume, hu=np.minimum(volume.hu, 700).astype(np.int16)), lungs)
    assert (found.validity, found.pieces) == ("out", ())
    assert "700 HU" in (found.because or "")


def test_real_clips_are_found_and_veins_full_of_contrast_medium_are_not_metal(enhanced: Chest) -> None:
    found = look_for_metal(*enhanced)
    (clip,) = found.pieces
    assert (clip.kind, clip.place, clip.side) == ("small piece", "below the lungs", "right")
    assert clip.slice in range(101, 105), "seen in the gallbladder's bed, with streaks"
    assert found.veins, "the veins of the right arm hold undiluted contrast medium"


def test_painted_fluid_around_the_heart_is_measured_and_none_without_it(enhanced: Chest, thick: Chest) -> None:
    volume, lungs = enhanced
    assert look_for_pericardial_fluid(volume, lungs).ml == 0
    grid, between = lungs.grid, between_lungs(lungs)
    heart = heart_of(grid.hu.astype(np.float32), lungs, between, behind(lungs, between, True), 60)
    assert heart is not None
    shell = within(heart, 12.0, grid.spacing) & ~heart & (grid.hu < 20) & heart.any(axis=(1, 2))[:, None, None]
    hu = volume.hu.copy()
    hu[refine(shell, grid.factors, hu.shape)] = 5
    labels = np.where(shell, 0, lungs.labels).astype(np.uint8)
    found = look_for_pericardial_fluid(replace(volume, hu=hu), replace(lungs, grid=block_means(hu, volume.spacing, GRID_MM), labels=labels))
    assert found.ml == pytest.approx(float(shell.sum()) * grid.voxel_ml, rel=0.35)
    assert found.hu == pytest.approx(5, abs=6)
    assert found.mask is not None
    assert found.slice is not None
    assert look_for_pericardial_fluid(*thick).validity == "out", "sections of 8 mm"


def test_a_painted_bulla_is_found_with_its_side_and_none_without_it(enhanced: Chest, thick: Chest) -> None:
    volume, lungs = enhanced
    assert bullae(volume, lungs).bullae == ()
    z, y, x = (int(n) for n in np.argwhere(lungs.labels == LEFT).mean(axis=0) * lungs.grid.factors)
    grid = np.meshgrid(*[np.arange(n) - at for n, at in zip(volume.hu.shape, (z, y, x), strict=True)], indexing="ij", sparse=True)
    room = sum((axis * step) ** 2 for axis, step in zip(grid, volume.spacing, strict=True)) <= 10.0**2
    painted = replace(volume, hu=np.where(room, np.int16(-990), volume.hu))
    found = bullae(painted, segment(painted))
    assert found.bullae is not None
    (bulla,) = found.bullae
    assert (bulla.side, found.validity) == ("left", "unknown")
    assert abs(bulla.slice - z) <= 2
    assert bulla.ml == pytest.approx(4.19, rel=0.3)
    assert bullae(*thick).bullae is None, "slices of 8 mm"
