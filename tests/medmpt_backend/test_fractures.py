"""Vertebral bodies that have lost height: none on a real spine as it is, and one where slices of a body are taken away."""

from dataclasses import replace

import numpy as np
import pytest

from medmpt_backend.imaging.anatomy.grid import block_means
from medmpt_backend.imaging.anatomy.lungs import GRID_MM, Lungs, segment
from medmpt_backend.imaging.asked.fractures import judged, low_bodies
from medmpt_backend.imaging.asked.spine import column
from medmpt_backend.imaging.asked.vertebrae import Body, discs
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.volume import Volume
from tests.medmpt_backend.ct_files import DATA

real = pytest.mark.skipif(not DATA.is_dir(), reason="the public test data is absent (../shared/data)")
Chest = tuple[Volume, Lungs]


@pytest.fixture(scope="module")
def thin() -> Chest:
    volume = load_volume(DATA / "chest_ct/LIDC-IDRI-0003")
    return volume, segment(volume)


def _bodies(*changed: tuple[int, tuple[float, float, float]]) -> list[Body]:
    """Eleven bodies that grow downwards by 3 %, some with the given shares of their heights."""
    shares = dict(changed)
    out = []
    for k in range(11):
        back, middle, front = (float(20 * 1.03**k * share) for share in shares.get(k, (1.0, 1.0, 1.0)))
        out.append(Body(30.0 * k, 6.0, 30.0, (back, middle, front), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)))
    return out


@pytest.mark.parametrize(
    ("share", "kind", "loss"),
    [
        ((1.0, 1.0, 1.0), None, 0.0),
        ((1.0, 0.92, 0.85), None, 0.15),
        ((1.0, 0.85, 0.7), "front", 0.3),
        ((0.97, 0.7, 0.9), "middle", 0.3),
        ((0.6, 0.6, 0.6), "whole", 0.4),
        ((0.1, 0.1, 0.1), "unclear", 0.0),
        ((1.9, 1.9, 1.9), "unclear", 0.0),
    ],
)
@pytest.mark.parametrize("place", [0, 5, 10])
def test_what_gave_way_is_named(share: tuple[float, float, float], kind: str | None, loss: float, place: int) -> None:
    found = judged(_bodies((place, share)))
    assert found[place][0] == kind
    assert found[place][1] == pytest.approx(loss, abs=0.03)
    assert all(other[0] is None for k, other in enumerate(found) if k != place)


def test_two_low_bodies_are_both_named() -> None:
    found = judged(_bodies((4, (1.0, 0.8, 0.6)), (5, (1.0, 0.8, 0.6))))
    assert [kind for kind, _ in found] == [None] * 4 + ["front"] * 2 + [None] * 5


@real
def test_discs_of_a_real_spine_lie_where_they_were_seen(thin: Chest) -> None:
    found = column(*thin)
    assert found is not None
    steps = [disc.step * 0.75 for disc in discs(found)]
    assert steps == pytest.approx([35, 60, 85, 110, 136, 163, 190, 215, 243, 273, 305], abs=3), "looked at, mm along the canal"


@real
def test_a_body_without_a_third_of_its_slices_is_a_candidate_and_none_is_before(thin: Chest) -> None:
    volume, lungs = thin
    whole = low_bodies(volume, lungs)
    assert (whole.validity, whole.low, whole.measured) == ("unknown", (), 8)
    assert whole.slices is not None
    assert whole.slices[0] < 45 < 110 < whole.slices[1]
    gone = np.delete(volume.hu, [86, 88, 90], axis=0)  # of a body from slice 84 to 93
    made = replace(volume, hu=gone)
    labels = np.delete(lungs.labels, [86, 88, 90], axis=0)
    found = low_bodies(made, replace(lungs, grid=block_means(gone, volume.spacing, GRID_MM), labels=labels))
    assert found.low is not None
    assert found.voxels is not None
    (body,) = found.low
    assert 0.22 < body.loss < 0.5
    assert body.first <= body.slice <= body.last
    assert abs(body.slice - 87) <= 6
    assert np.median(made.hu[tuple(found.voxels.T)]) > 100, "the voxels shown are bone"


@real
def test_thick_sections_are_out_of_the_domain() -> None:
    volume = load_volume(DATA / "chest_ct/Lung_Dx-A0002_B40f")
    found = low_bodies(volume, segment(volume))
    assert (found.validity, found.low) == ("out", None)
