"""Figures of quantitative CT on chests whose truth is known, and what limits them."""

import gzip
from dataclasses import replace

import numpy as np
import pytest

from medmpt_backend.cohort.demo import generate
from medmpt_backend.cohort.thorax import Scan, SyntheticStudy
from medmpt_backend.imaging.anatomy.lungs import Lungs, segment
from medmpt_backend.imaging.commands import QuantifyOut
from medmpt_backend.imaging.densitometry import Histogram, histograms, region_codes
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.quantify import Quantification, quantify
from medmpt_backend.imaging.validity import is_sharp
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from tests.medmpt_backend.ct_files import DATA

SMALL = Scan(shape=(84, 150, 150), spacing=(4.0, 2.4, 2.4), z_top=140.0)
GOOD = SeriesInfo(uid_hash="0", thickness_mm=1.0, kernel="STANDARD", contrast="no", synthetic=True)


def _volume(study: SyntheticStudy) -> Volume:
    return Volume(study.hu, study.spacing, GOOD)


@pytest.fixture(scope="module")
def copd() -> tuple[SyntheticStudy, Volume, Lungs]:
    study = generate("copd", 1, SMALL)
    volume = _volume(study)
    return study, volume, segment(volume)


def test_volume_and_density_agree_with_the_painted_lungs(copd: tuple[SyntheticStudy, Volume, Lungs]) -> None:
    study, volume, lungs = copd
    found = quantify(volume, lungs)
    painted = study.lobes > 0
    litres = painted.sum() * np.prod(study.spacing) / 1e6
    assert found.lungs.total_l == pytest.approx(litres, rel=0.05)
    assert found.lungs.total_l == pytest.approx(found.lungs.left_l + found.lungs.right_l)
    assert found.lungs.right_l > found.lungs.left_l
    assert found.lungs.laa950_pct == pytest.approx(100 * np.mean(study.hu[painted] < -950), abs=1.5)
    assert found.lungs.median_hu == pytest.approx(np.median(study.hu[painted]), abs=8)
    assert found.lungs.perc15_hu < found.lungs.median_hu
    assert sum(region.volume_l for region in found.regions) == pytest.approx(found.lungs.total_l)
    assert [(r.side, r.third) for r in found.regions][:4] == [
        ("right", "upper"),
        ("right", "middle"),
        ("right", "lower"),
        ("left", "upper"),
    ]
    upper = [r.laa950_pct for r in found.regions if r.third == "upper"]
    lower = [r.laa950_pct for r in found.regions if r.third == "lower"]
    assert min(v for v in upper if v is not None) > max(v for v in lower if v is not None), "emphysema was painted in the upper lobes"


def test_key_slices_lie_where_the_disease_is() -> None:
    study = generate("viral", 2, SMALL)
    found = quantify(_volume(study))
    truth = next(f for f in study.truth if f.id == "ground_glass")
    areas = np.count_nonzero(truth.mask, axis=(1, 2))
    key = found.key_slices["most_ground_glass"]
    assert areas[key.index] > 0.7 * areas.max()
    assert key.position_mm == pytest.approx(key.index * study.spacing[0])
    assert found.lungs.ggo_pct > 5
    assert quantify(_volume(generate("normal", 1, SMALL))).lungs.ggo_pct < 1


def test_muscle_of_the_shoulder_is_no_dense_lung() -> None:
    study = generate("pneumonia", 11)
    found = quantify(_volume(study))
    seen = np.count_nonzero(next(f for f in study.truth if f.id == "consolidation").mask, axis=(1, 2))
    assert found.findings.consolidation.slice is None or seen[found.findings.consolidation.slice] > 0
    assert "most_consolidation" not in found.key_slices or seen[found.key_slices["most_consolidation"].index] > 0


def test_laa_is_strict_and_haa_includes_its_ends() -> None:
    counts = np.zeros(4096, dtype=np.int64)
    for hu in (-951, -950, -601, -600, -250, -249):
        counts[hu + 1024] += 1
    part = Histogram(counts, 1.0)
    assert part.percent(-1024, -951) == pytest.approx(100 / 6)
    assert part.percent(-600, -250) == pytest.approx(200 / 6)
    assert part.mean == pytest.approx((-951 - 950 - 601 - 600 - 250 - 249) / 6)
    assert part.percentile(15) == -951


def test_every_lung_voxel_is_counted_once(copd: tuple[SyntheticStudy, Volume, Lungs]) -> None:
    _, volume, lungs = copd
    found, low_share = histograms(volume, lungs, region_codes(lungs))
    voxels = np.count_nonzero(lungs.labels) * int(np.prod(lungs.grid.factors))
    assert sum(part.total for part in found) == voxels
    assert np.nanmax(low_share) <= 100


def _causes(found: Quantification) -> dict[str, str]:
    return {limit.cause: limit.validity for limit in found.limits}


def test_what_limits_the_figures_is_named(copd: tuple[SyntheticStudy, Volume, Lungs]) -> None:
    _, volume, lungs = copd
    volume = replace(volume, spacing=(volume.spacing[0], 0.8, 0.8))
    base = quantify(volume, lungs)
    assert base.status == "ok"
    assert base.validity("laa950_pct") == "in"
    contrast = quantify(replace(volume, series=replace(GOOD, contrast="yes")), lungs)
    assert contrast.status == "partial"
    assert _causes(contrast) == {"contrast": "out"}
    assert contrast.validity("laa950_pct") == "out"
    assert contrast.validity("total_l") == "in"
    assert any("contrast agent was given" in warning for warning in contrast.warnings)
    unknown = quantify(replace(volume, series=replace(GOOD, contrast="unknown", kernel=None, thickness_mm=5.0)), lungs)
    assert _causes(unknown) == {"contrast": "unknown", "kernel": "unknown", "slice_thickness": "out"}
    cut = int(np.flatnonzero(lungs.labels.any(axis=(1, 2)))[0]) + 4
    chopped = replace(volume, hu=np.ascontiguousarray(copd[1].hu[cut:]), spacing=copd[1].spacing)
    assert _causes(quantify(chopped))["partial_lungs"] == "out"


@pytest.mark.parametrize(
    ("kernel", "sharp"),
    [
        ("STANDARD", False),
        ("LUNG", True),
        ("B31f", False),
        ("B70f", True),
        ("Br40d\\3", False),
        ("I50f/2", True),
        ("FC08", False),
        ("FC51", True),
        ("B", False),
        ("YC", True),
        ("odd", None),
        (None, None),
    ],
)
def test_kernels(kernel: str | None, sharp: bool | None) -> None:
    assert is_sharp(kernel) is sharp


def test_ct64_agrees_with_its_mask() -> None:
    if not DATA.is_dir():
        pytest.skip("the public test data is absent (../shared/data)")
    volume = load_volume(DATA / "chest_ct/ct64_dicom")
    lungs = segment(volume)
    raw = (DATA / "chest_ct/wholeLung-64.nrrd").read_bytes()
    mask = np.frombuffer(gzip.decompress(raw[raw.index(b"\n\n") + 2 :]), "<u2").reshape(79, 64, 64)[::-1] > 0
    found = quantify(volume, lungs)
    assert found.lungs.total_l == pytest.approx(4.55, rel=0.03)
    assert found.lungs.laa950_pct == pytest.approx(19.7, abs=1.5)
    assert found.lungs.median_hu == pytest.approx(-919, abs=5)
    ours = lungs.labels > 0
    assert 2 * np.count_nonzero(ours & mask) / (np.count_nonzero(ours) + np.count_nonzero(mask)) > 0.97


def test_lidc_volume_and_contrast_through_the_command() -> None:
    if not DATA.is_dir():
        pytest.skip("the public test data is absent (../shared/data)")
    out = QuantifyOut.of(quantify(load_volume(DATA / "chest_ct/LIDC-IDRI-0001")))
    assert out.status == "partial"
    assert out.lungs.total_l == pytest.approx(3.75, rel=0.06)
    assert next(limit for limit in out.limits if limit.cause == "contrast").validity == "out"
    shown = out.model_dump(mode="json")
    assert set(shown["lungs"]) == {
        "total_l", "left_l", "right_l", "mean_hu", "median_hu", "perc15_hu", "laa950_pct", "haa_pct", "ggo_pct", "consolidation_pct"
    }  # fmt: skip
    assert set(shown["regions"][0]) == {"side", "third", "volume_l", "mean_hu", "laa950_pct", "ggo_pct", "consolidation_pct"}
    assert set(shown["key_slices"]["carina"]) == {"index", "position_mm"}
    assert {"uid_hash", "slices", "spacing_mm", "thickness_mm", "kernel", "contrast", "manufacturer"} <= set(shown["series"])
    assert shown["series"]["slices"] == 133
