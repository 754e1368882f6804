"""Real chests of other habits: one white lung, mirrored, a mattress that lines close off, a field that cuts the lungs."""

from dataclasses import replace

import numpy as np
import pytest

from medmpt_backend.errors import OutOfDomain
from medmpt_backend.imaging.anatomy.chest_domain import absent_side, require_chest
from medmpt_backend.imaging.anatomy.grid import refine
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs, segment
from medmpt_backend.imaging.anatomy.orientation import arch_mm, liver_difference, lung_frame
from medmpt_backend.imaging.anatomy.outside import convex
from medmpt_backend.imaging.anatomy.spine import find_spine
from medmpt_backend.imaging.draft.write import measured_draft
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.measure import measure
from medmpt_backend.imaging.quantify import quantify
from medmpt_backend.imaging.validity import limits_of, noise_hu
from medmpt_backend.imaging.volume import Volume
from tests.medmpt_backend.ct_files import DATA

CHESTS = DATA / "chest_ct"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the public test data is absent (../shared/data)")


@pytest.fixture(scope="module")
def volume() -> Volume:
    """30 slices; every second row and column."""
    full = load_volume(CHESTS / "Lung_Dx-A0002_B40f")
    return _of(full, full.hu[:, ::2, ::2], (full.spacing[0], full.spacing[1] * 2, full.spacing[2] * 2))


@pytest.fixture(scope="module")
def lungs(volume: Volume) -> Lungs:
    return segment(volume)


def _of(volume: Volume, hu: np.ndarray, spacing: tuple[float, float, float] | None = None) -> Volume:
    return replace(volume, hu=np.ascontiguousarray(hu), spacing=spacing or volume.spacing)


def _ml(lungs: Lungs) -> float:
    return lungs.millilitres(RIGHT) + lungs.millilitres(LEFT)


@pytest.mark.parametrize(("side", "name"), [(RIGHT, "right"), (LEFT, "left")])
def test_a_white_lung_is_accepted_and_nothing_is_said_of_its_side(volume: Volume, lungs: Lungs, side: int, name: str) -> None:
    lung = refine(lungs.labels == side, lungs.grid.factors, volume.hu.shape)
    found = quantify(_of(volume, np.where(lung, 15, volume.hu).astype(np.int16)))
    assert found.lungs.total_l == pytest.approx(lungs.millilitres(3 - side) / 1000, rel=0.03)
    assert any(f"The {name} side of the chest holds" in warning for warning in found.warnings)
    effusion = found.findings.effusion
    assert effusion.validity == "unknown"
    assert (effusion.right_ml if side == RIGHT else effusion.left_ml) is None
    assert found.findings.consolidation.validity == "unknown"
    draft = measured_draft(found)
    assert any(sentence.section == "impression" and f"No aerated lung on the {name}" in sentence.en for sentence in draft)
    assert not any(sentence.section == "findings" and "luid" in sentence.en and "not told apart" not in sentence.en for sentence in draft)


def test_half_a_thorax_is_no_white_lung(volume: Volume) -> None:
    width = volume.hu.shape[2]
    for half in (volume.hu[:, :, : width // 2], volume.hu[:, :, width // 2 :]):
        part = _of(volume, half)
        with pytest.raises(OutOfDomain, match="only one was found"):
            require_chest(part, segment(part))


def test_mirrored_and_swapped_chests_are_refused_where_the_heart_lies_in_the_middle(volume: Volume, lungs: Lungs) -> None:
    assert (arch_mm(lungs) or 0) > 15
    assert (liver_difference(lungs) or 0) > 0.2
    assert require_chest(volume, lungs) == ()
    for turned, reason in ((volume.hu[:, :, ::-1], "left and right are swapped"), (volume.hu[:, ::-1], "front and back are swapped")):
        other = _of(volume, turned)
        with pytest.raises(OutOfDomain, match=reason):
            require_chest(other, segment(other))


def test_the_spine_is_found_from_either_lung_alone(lungs: Lungs) -> None:
    middle = lung_frame(lungs).middle_x
    for side in (RIGHT, LEFT):
        spine = find_spine(lungs.grid, lungs.labels == side)
        assert spine is not None
        assert abs(spine.x - middle) * lungs.grid.spacing[2] < 15
    assert find_spine(lungs.grid, np.zeros_like(lungs.inside)) is None
    assert absent_side(lungs) is None


def test_a_mattress_that_lines_close_off_is_no_lung(volume: Volume, lungs: Lungs) -> None:
    hu = volume.hu.copy()
    hu[:, 2:4], hu[:, -4:-2], hu[:, :, 2:4], hu[:, :, -4:-2] = 1000, 1000, 1000, 1000
    assert _ml(segment(_of(volume, hu))) == pytest.approx(_ml(lungs), rel=0.01)


def test_a_field_that_cuts_the_lungs_keeps_what_it_shows(volume: Volume, lungs: Lungs) -> None:
    columns = np.flatnonzero((lungs.labels > 0).any(axis=(0, 1))) * lungs.grid.factors[2]
    cut = round(8 / volume.spacing[2])
    part = _of(volume, volume.hu[:, :, columns[0] + cut : columns[-1] - cut])
    found = segment(part)
    assert 0.8 * _ml(lungs) < _ml(found) < 0.995 * _ml(lungs)
    assert any("cuts the lungs at its sides" in limit.reason for limit in limits_of(part, found, -850))
    assert not any(limit.cause == "partial_lungs" for limit in limits_of(volume, lungs, -850))


def test_the_convex_outline_holds_what_lies_between() -> None:
    plane = np.zeros((9, 9), dtype=bool)
    assert not convex(plane).any()
    plane[1, 1:8] = plane[7, 4] = True
    out = convex(plane)
    assert out[3, 4]
    assert not out[7, 1]


def test_clicks_all_over_a_mass_at_the_wall_give_one_volume() -> None:
    full = load_volume(CHESTS / "Lung_Dx-A0001_L")
    lungs = segment(full)
    found = {measure(full, point, lungs).volume_mm3 for point in ((326, 350, 13), (316, 336, 22))}
    assert len(found) == 1
    assert 40_000 < found.pop() < 70_000


def test_noise_is_named_where_it_is_added(volume: Volume, lungs: Lungs) -> None:
    quiet = noise_hu(volume, lungs)
    noisy = _of(volume, np.clip(volume.hu + np.random.default_rng(0).normal(0, 40, volume.hu.shape), -1024, 3071).astype(np.int16))
    loud = noise_hu(noisy, lungs)
    assert quiet is not None
    assert loud is not None
    assert quiet < 25 < loud < 50
    assert "noise" in {limit.cause for limit in limits_of(noisy, lungs, -850)}
    assert "noise" not in {limit.cause for limit in limits_of(volume, lungs, -850)}
