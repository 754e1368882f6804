"""Lesions of known size and density: measured from one click, or refused with the reason."""

import numpy as np
import pytest
from numpy.typing import NDArray

from medmpt_backend.errors import BadInput, NothingFound, OutOfDomain
from medmpt_backend.imaging.anatomy.lungs import Lungs, segment
from medmpt_backend.imaging.commands import ct_measure, parse_point
from medmpt_backend.imaging.diameters import longest
from medmpt_backend.imaging.lesion import Region
from medmpt_backend.imaging.lesion_shape import SOLID_HU
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.measure import Lesion, measure
from medmpt_backend.imaging.outline.shares import volume_mm3
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from tests.medmpt_backend.ct_files import DATA, add_ball, chest_of_two_balloons

SPACING = (1.5, 1.0, 1.0)
CENTRE = (30, 75, 41)


def _measured(hu: NDArray[np.int16], at: tuple[int, int, int] = (41, 75, 30)) -> Lesion:
    return measure(Volume(hu, SPACING, SeriesInfo(uid_hash="0")), at)


@pytest.mark.parametrize("radius", [4.0, 9.0])
def test_a_ball_has_its_diameter_and_volume(radius: float) -> None:
    hu = chest_of_two_balloons()
    add_ball(hu, CENTRE, radius, 40)
    found = _measured(hu)
    assert found.type == "solid"
    assert found.long_mm == pytest.approx(2 * radius, abs=1.5)
    assert found.short_mm == pytest.approx(2 * radius, abs=1.5)
    assert found.mean_mm == pytest.approx((found.long_mm + found.short_mm) / 2)
    assert found.volume_mm3 == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.25)
    assert found.solid_mm == found.long_mm
    assert found.side == "right"
    assert found.lobe_or_third == "middle"
    assert found.box.z[0] <= 30 <= found.box.z[1]
    assert abs(found.slice - 30) <= 1


@pytest.mark.parametrize(("value", "kind"), [(40, "solid"), (-600, "ground_glass"), (500, "calcified")])
def test_density_types(value: int, kind: str) -> None:
    hu = chest_of_two_balloons()
    add_ball(hu, CENTRE, 7, value)
    found = _measured(hu)
    assert found.type == kind
    assert found.long_mm == pytest.approx(14, abs=2)
    assert (found.solid_mm == 0) == (kind == "ground_glass")


@pytest.mark.parametrize("at", [(41, 75, 30), (49, 75, 30)], ids=["in the core", "in the halo"])
def test_part_solid(at: tuple[int, int, int]) -> None:
    hu = chest_of_two_balloons()
    add_ball(hu, CENTRE, 10, -600)
    add_ball(hu, CENTRE, 4, 30)
    found = _measured(hu, at)
    assert found.type == "part_solid"
    assert found.long_mm == pytest.approx(20, abs=2.5)
    assert found.solid_mm == pytest.approx(8, abs=1.5)


def test_it_stops_at_the_pleura() -> None:
    hu = chest_of_two_balloons()
    add_ball(hu, (30, 75, 17), 8, 40)
    found = _measured(hu, (19, 75, 30))
    assert 11 < found.long_mm < 19
    assert found.volume_mm3 < 4 / 3 * np.pi * 8**3


def test_it_stops_at_vessels() -> None:
    hu = chest_of_two_balloons()
    add_ball(hu, CENTRE, 7, 40)
    hu[29:31, 74:77, 41:60] = 40
    hu[29:31, 50:75, 40:43] = 40
    found = _measured(hu)
    assert found.long_mm == pytest.approx(14, abs=3)


@pytest.mark.parametrize("shift", [(3, 3, 0), (-3, -3, -1)])
def test_the_click_may_wander(shift: tuple[int, int, int]) -> None:
    hu = chest_of_two_balloons()
    add_ball(hu, CENTRE, 6, 40)
    base = _measured(hu)
    moved = _measured(hu, (41 + shift[0], 75 + shift[1], 30 + shift[2]))
    assert (moved.long_mm, moved.volume_mm3) == (base.long_mm, base.volume_mm3)


def test_clicks_on_nothing_on_the_wall_and_in_a_vessel() -> None:
    hu = chest_of_two_balloons()
    hu[29:32, 45:105, 40:43] = 60
    with pytest.raises(NothingFound, match="nothing denser than lung"):
        _measured(hu, (30, 75, 20))
    with pytest.raises(OutOfDomain, match="not inside a lung"):
        _measured(hu, (75, 130, 30))
    with pytest.raises(OutOfDomain, match="not inside a lung"):
        _measured(hu, (1, 1, 1))
    with pytest.raises(OutOfDomain, match="vessel"):
        _measured(hu, (41, 75, 30))
    with pytest.raises(BadInput, match="outside the volume: x 0 to 149"):
        _measured(hu, (150, 0, 0))


def test_a_click_where_no_lung_was_found_is_refused() -> None:
    with pytest.raises(OutOfDomain, match="not inside a lung"):
        _measured(np.full((20, 60, 60), 40, dtype=np.int16), (30, 30, 10))


def test_points_are_parsed() -> None:
    assert parse_point("316, 367,42") == (316, 367, 42)
    for text in ("1,2", "a,b,c", "1,2,-3", ""):
        with pytest.raises(BadInput, match="give three whole numbers"):
            parse_point(text)


def test_diameters_of_a_slanted_bar() -> None:
    mask = np.zeros((1, 60, 60), dtype=bool)
    for k in range(40):
        mask[0, 10 + k * 3 // 4 : 14 + k * 3 // 4, 10 + k] = True
    axes = longest(mask, (0.5, 0.5))
    assert axes is not None
    assert axes.long_mm == pytest.approx(0.5 * np.hypot(39, 32) + 0.5, abs=0.6)
    assert axes.short_mm < 3
    assert longest(np.zeros((2, 4, 4), dtype=bool), (1.0, 1.0)) is None


@pytest.fixture(scope="module")
def lidc() -> tuple[Volume, Lungs]:
    if not DATA.is_dir():
        pytest.skip("the public test data is absent (../shared/data)")
    volume = load_volume(DATA / "chest_ct/LIDC-IDRI-0001")
    return volume, segment(volume)


@pytest.mark.parametrize("shift", [(0, 0, 0), (3, -3, 3), (-3, 3, -3)])
def test_a_real_nodule_from_one_click(lidc: tuple[Volume, Lungs], shift: tuple[int, int, int]) -> None:
    volume, lungs = lidc
    found = measure(volume, (316 + shift[0], 367 + shift[1], 42 + shift[2]), lungs)
    assert 32.0 * 0.85 <= found.long_mm <= 33.7 * 1.15
    assert 4500 < found.volume_mm3 < 9000, "the four readers outline 6.1 to 7.9 ml"
    assert found.type == "solid"
    assert found.side == "left"


def test_the_command_gives_the_contract(lidc: tuple[Volume, Lungs]) -> None:
    shown = ct_measure(DATA / "chest_ct/LIDC-IDRI-0001", "316,367,42").model_dump(mode="json")
    assert shown["status"] == "ok"
    assert {"long_mm", "short_mm", "mean_mm", "volume_mm3", "type", "solid_mm", "mean_hu", "box", "lobe_or_third", "side"} <= set(
        shown["lesion"]
    )
    assert set(shown["lesion"]["box"]) == {"x", "y", "z"}


def test_ground_glass_that_touches_a_solid_lesion_is_a_lesion_of_its_own_from_every_click() -> None:
    hu = chest_of_two_balloons()
    add_ball(hu, (34, 75, 41), 10, -620)
    add_ball(hu, (24, 75, 41), 6, 30)
    glass = [_measured(hu, at) for at in ((41, 75, 34), (38, 78, 36), (45, 72, 33))]
    solid = [_measured(hu, at) for at in ((41, 75, 24), (43, 75, 23))]
    assert {round(lesion.volume_mm3) for lesion in solid} == {round(solid[0].volume_mm3)}
    assert max(lesion.volume_mm3 for lesion in glass) <= 1.05 * min(lesion.volume_mm3 for lesion in glass)
    assert glass[0].box.z[1] > solid[0].box.z[1]


@pytest.mark.parametrize("radius", [2.5, 3.5])
def test_a_small_solid_lesion_on_thick_slices_is_measured_by_the_share_of_each_voxel(radius: float) -> None:
    fine = np.full((120, 120, 120), -850.0)
    z, y, x = (np.arange(n) * 0.4 - 24 for n in fine.shape)
    fine[z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2 <= radius**2] = 40
    small = fine[:114].reshape(19, 6, 60, 2, 60, 2).mean(axis=(1, 3, 5)).astype(np.int16)  # slices of 2.4 mm
    mask = small > -400
    region = Region(mask, small, (0, 0, 0), SOLID_HU, False, np.zeros_like(mask))
    true = 4 / 3 * np.pi * radius**3
    assert volume_mm3(region, (2.4, 0.8, 0.8)) == pytest.approx(true, rel=0.1)


def test_a_cavity_counts_with_its_lesion_from_its_wall_and_from_its_air() -> None:
    hu = chest_of_two_balloons()
    add_ball(hu, (30, 75, 41), 9, 30)
    whole = _measured(hu, (41, 75, 30)).volume_mm3
    add_ball(hu, (30, 75, 41), 6, -990)
    found = [_measured(hu, at) for at in ((41, 75, 30), (41, 75, 23), (48, 75, 30))]
    assert {round(lesion.volume_mm3) for lesion in found} == {round(whole)}
    assert found[0].type == "solid"
    assert any("a cavity" in warning for warning in found[0].warnings)
