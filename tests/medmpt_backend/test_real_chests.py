"""Real chests hold still: every kernel and frame is accepted, the carina stays, and any click in a lesion gives the same lesion."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from medmpt_backend.errors import OutOfDomain
from medmpt_backend.imaging.anatomy.lungs import segment
from medmpt_backend.imaging.candidates import Candidate, candidates
from medmpt_backend.imaging.compare import _pair, _reasons, compare_lesions, days_between, no_days
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.measure import measure
from medmpt_backend.imaging.outline.beside import masses
from medmpt_backend.imaging.quantify import quantify
from medmpt_backend.imaging.volume import Volume
from tests.medmpt_backend.ct_files import DATA

CHESTS = DATA / "chest_ct"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the public test data is absent (../shared/data)")


@pytest.fixture(scope="module")
def thick() -> Volume:
    return load_volume(CHESTS / "Lung_Dx-A0002_B40f")


@pytest.mark.parametrize(("soft", "sharp", "carina"), [("A0002_B40f", "A0002_B70f", (9, 10)), ("A0001_B", "A0001_L", (24, 25))])
def test_two_kernels_of_one_study_agree(soft: str, sharp: str, carina: tuple[int, int]) -> None:
    one, other = (quantify(load_volume(CHESTS / f"Lung_Dx-{name}")) for name in (soft, sharp))
    assert one.lungs.total_l == pytest.approx(other.lungs.total_l, rel=0.02)
    for found in (one, other):
        assert carina[0] <= found.key_slices["carina"].index <= carina[1]


@pytest.mark.parametrize("value", [-1024, 0, 3071])
def test_a_frame_of_any_value_changes_nothing(thick: Volume, value: int) -> None:
    base = quantify(thick)
    framed = quantify(replace(thick, hu=np.pad(thick.hu, ((0, 0), (60, 40), (30, 70)), constant_values=value)))
    assert framed.lungs.total_l == pytest.approx(base.lungs.total_l, rel=0.01)
    assert framed.key_slices["carina"] == base.key_slices["carina"]


def test_parts_of_it_are_refused(thick: Volume) -> None:
    for part, reason in ((thick.hu[:13], "upper part"), (thick.hu[15:], "lung bases"), (thick.hu[::-1], "upside down")):
        with pytest.raises(OutOfDomain, match=reason):
            quantify(replace(thick, hu=np.ascontiguousarray(part)))


def test_any_click_inside_gives_the_same_lesion() -> None:
    volume = load_volume(CHESTS / "LIDC-IDRI-0003")
    lungs = segment(volume)
    for (x, y, z), (least, most) in {(308, 198, 56): (11.9, 14.8), (221, 219, 55): (14.3, 15.6)}.items():
        found = [measure(volume, (x + dx, y + dy, z), lungs) for dx, dy in ((0, 0), (2, 0), (-1, 2))]
        assert len({lesion.volume_mm3 for lesion in found}) == 1
        assert 0.9 * least <= found[0].long_mm <= 1.1 * most
    glass = [
        measure(volume, at, lungs).volume_mm3 for at in ((368, 345, 74), (371, 344, 70), (367, 350, 71))
    ]  # the second is a vessel in it
    assert max(glass) <= 1.05 * min(glass)
    assert 0.85 * 4276 <= glass[0] <= 1.15 * 4276, "its reader's volume"


def test_a_mass_that_joins_the_mediastinum_is_measured_from_every_box(thick: Volume) -> None:
    lungs = segment(thick)
    with (CHESTS / "Lung_Dx_boxes.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["series"] == "Lung_Dx-A0002_B40f"]
    for row in rows:
        x, y = (int(row["xmin"]) + int(row["xmax"])) // 2, (int(row["ymin"]) + int(row["ymax"])) // 2
        found = measure(thick, (x, y, int(row["slice_from_head"])), lungs)
        assert 55_000 < found.volume_mm3 < 185_000
        assert found.side == "right"
        assert found.type == "solid"
        assert any("lower bound" in warning for warning in found.warnings), "its inner edge cannot be told from the mediastinum"


@pytest.mark.parametrize(
    ("scan", "points"),
    [
        ("Lung_Dx-A0001_B", {(268, 285, 36): "heart", (324, 232, 42): "heart", (261, 240, 30): "mediastinum", (191, 246, 48): "liver"}),
        (
            "LIDC-IDRI-0001",
            {(261, 269, 62): "chamber of the heart", (289, 265, 46): "contrast medium|mediastinum", (165, 206, 78): "liver"},
        ),
    ],
)
def test_organs_beside_the_lungs_are_refused_by_name(scan: str, points: dict[tuple[int, int, int], str]) -> None:
    volume = load_volume(CHESTS / scan)
    lungs = segment(volume)
    for point, name in points.items():
        with pytest.raises(OutOfDomain, match=name):
            measure(volume, point, lungs)


def test_fat_beside_the_heart_is_no_lesion(thick: Volume) -> None:
    with pytest.raises(OutOfDomain, match="fat beside the heart"):
        measure(thick, (198, 112, 14))


def test_no_scan_without_such_a_mass_has_one() -> None:
    for scan in ("Lung_Dx-A0001_B", "LIDC-IDRI-0003", "ct64_dicom"):
        assert masses(segment(load_volume(CHESTS / scan))) is None


def test_a_ball_painted_into_a_real_lung_is_a_candidate(thick: Volume) -> None:
    hu = thick.hu.copy()
    z, y, x = np.ogrid[: hu.shape[0], : hu.shape[1], : hu.shape[2]]
    middle = (9, 230, 380)
    far = ((z - middle[0]) * 8) ** 2 + ((y - middle[1]) * 0.646) ** 2 + ((x - middle[2]) * 0.646) ** 2
    assert float(np.median(hu[9, 220:240, 370:390])) < -700, "aerated lung"
    hu[far < 9.5**2] = 40
    found = candidates(replace(thick, hu=hu), most=3)
    assert any(abs(c.at[0] - 380) < 12 and abs(c.at[1] - 230) < 12 and abs(c.at[2] - 9) <= 1 for c in found)


def _candidate(volume_mm3: float) -> Candidate:
    return Candidate((1, 2, 3), 10.0, volume_mm3, "solid", "left", "upper", 1.0)


def test_growth_doubling_time_and_what_cannot_be_compared(thick: Volume) -> None:
    doubled = _pair(_candidate(1000), _candidate(500), 90)
    assert (doubled.status, doubled.growth_pct, doubled.doubling_days) == ("grown", 100, pytest.approx(90))
    assert _pair(_candidate(1200), _candidate(1000), 90).status == "stable"
    assert _pair(_candidate(500), _candidate(1000), 90).doubling_days is None
    assert (_pair(_candidate(1), None, None).status, _pair(None, _candidate(1), None).status) == ("new", "gone")
    assert _reasons(thick, thick, 0.05) == []
    sharp = replace(thick, series=replace(thick.series, kernel="B70f", thickness_mm=1.0), spacing=(1.0, *thick.spacing[1:]))
    assert len(_reasons(thick, sharp, 0.3)) == 3


def test_days_come_from_the_headers_dates_and_are_missed_aloud(thick: Volume) -> None:
    def on(day: int | None) -> Volume:
        return replace(thick, series=replace(thick.series, day=day))

    assert thick.series.day is not None, "the header of a public scan has a date"
    assert days_between(on(738_000), on(737_910)) == 90
    assert days_between(on(None), on(737_910)) is None
    assert days_between(on(737_910), on(738_000)) is None
    assert "one scan" in no_days(on(None), on(1))
    assert "both scans" in no_days(on(None), on(None))
    assert "same study date" in no_days(on(5), on(5))
    assert "order" in no_days(on(4), on(5))


def test_another_day_is_laid_on_the_first_and_lesions_are_paired(thick: Volume) -> None:
    """Turned by 4 degrees, shifted, two slices later, breathed in less: the same places, another size, one new, one gone."""
    angle, shift, late = np.deg2rad(4.0), np.array((10.0, -14.0)), 1
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (np.array(thick.hu.shape[1:]) - 1) / 2
    offset = middle - matrix @ (middle + shift)
    hu = np.stack([ndimage.affine_transform(plane.astype(np.float32), matrix, offset, order=1, cval=-1024) for plane in thick.hu[late:]])
    current = replace(thick, hu=hu.astype(np.int16), spacing=(thick.spacing[0] * 0.96, *thick.spacing[1:]))

    def lesion(at: tuple[float, float, float], mm: float, side: str) -> Candidate:
        z, y, x = at
        return Candidate((round(x), round(y), round(z)), mm, mm**3 * 0.52, "solid", side, "middle", 1.0)  # type: ignore[arg-type]

    def there(at: tuple[float, float, float]) -> tuple[float, float, float]:
        y, x = np.linalg.solve(matrix, np.array(at[1:]) - offset)
        return at[0] - late, float(y), float(x)

    grown, stable, gone, new = (12.0, 210.0, 380.0), (18.0, 330.0, 140.0), (20.0, 340.0, 380.0), (8.0, 200.0, 130.0)
    before = lesion(grown, 22, "left"), lesion(stable, 24, "right"), lesion(gone, 22, "left")
    now = lesion(there(stable), 25, "right"), lesion(there(grown), 28, "left"), lesion(there(new), 22, "right")
    found = compare_lesions((current, thick), (segment(current), segment(thick)), (now, before), 100)
    assert found.comparable
    assert found.apart_mm < 3
    told = {p.status: p for p in found.pairs}
    assert [p.status for p in found.pairs] == ["stable", "grown", "new", "gone"]
    assert told["grown"].prior == before[0]
    assert told["grown"].doubling_days == pytest.approx(100 / (3 * np.log2(28 / 22)), rel=0.01)
    small = compare_lesions((current, thick), (segment(current), segment(thick)), ((lesion(there(grown), 9, "left"),), before[:1]), 100)
    assert "too few slices" in (small.pairs[0].because or "")
    assert small.pairs[0].doubling_days is None


def test_ground_glass_grows_by_its_diameter() -> None:
    glass = replace(_candidate(500), type="ground_glass")
    assert _pair(replace(glass, volume_mm3=640), glass, 90).status == "stable", "+28 % of volume, 0.8 mm"
    assert _pair(replace(glass, long_mm=12.5), glass, 90).status == "grown"
    assert _pair(replace(glass, volume_mm3=1000), glass, 90).status == "grown", "2.6 mm"
