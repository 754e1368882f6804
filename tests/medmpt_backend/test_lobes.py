"""Lobes by fissures: the painted lobes of a synthetic chest are found; without fissures, or too coarse, there are none."""

from dataclasses import replace

import numpy as np
import pytest

from medmpt_backend.cohort.anatomy import LLL, LUL, RLL, RML, RUL
from medmpt_backend.cohort.demo import generate
from medmpt_backend.cohort.thorax import Scan, SyntheticStudy
from medmpt_backend.imaging.anatomy.grid import Grid
from medmpt_backend.imaging.anatomy.lungs import RIGHT, Lungs, segment
from medmpt_backend.imaging.asked.lobes import LOBES, lobes_of
from medmpt_backend.imaging.volume import SeriesInfo, Volume

Chest = tuple[SyntheticStudy, Lungs]


@pytest.fixture(scope="module")
def chest() -> Chest:
    study = generate("copd", 3, Scan(shape=(108, 160, 160), spacing=(3.0, 2.2, 2.2), z_top=140.0))
    return study, segment(Volume(study.hu, study.spacing, SeriesInfo(uid_hash="t", contrast="no")))


def test_painted_lobes_are_found_and_named(chest: Chest) -> None:
    study, lungs = chest
    found = lobes_of(lungs)
    assert found.validity == "unknown", "experimental: it stays out of the draft"
    assert found.mask is not None
    assert set(found.litres) == set(LOBES) - {"right upper and middle"}
    for number, painted in enumerate((RUL, RML, RLL, LUL, LLL), start=1):
        own, true = found.mask == number, (study.lobes == painted) & (lungs.labels > 0)
        assert 2 * np.count_nonzero(own & true) / (np.count_nonzero(own) + np.count_nonzero(true)) > 0.85, painted
    assert found.missing() == []
    assert sum(found.litres.values()) * 1000 == pytest.approx(lungs.millilitres(1) + lungs.millilitres(2))


def test_lungs_without_fissures_are_left_in_thirds(chest: Chest) -> None:
    _, lungs = chest
    plain = np.where(lungs.labels > 0, np.random.default_rng(0).normal(-850, 25, lungs.labels.shape), lungs.grid.hu).astype(np.int16)
    found = lobes_of(replace(lungs, grid=Grid(plain, lungs.grid.factors, lungs.grid.spacing)))
    assert (found.validity, found.litres) == ("out", {})
    assert "thirds" in found.because


def test_a_lung_without_fissures_is_named(chest: Chest) -> None:
    _, lungs = chest
    plain = np.where(lungs.labels == RIGHT, np.random.default_rng(0).normal(-850, 25, lungs.labels.shape), lungs.grid.hu).astype(np.int16)
    found = lobes_of(replace(lungs, grid=Grid(plain, lungs.grid.factors, lungs.grid.spacing)))
    assert set(found.litres) == {"left upper", "left lower"}
    assert [text for text in found.missing() if "right lung" in text] == found.missing() != []


def test_sections_too_thick_for_fissures_are_out_of_the_domain(chest: Chest) -> None:
    _, lungs = chest
    found = lobes_of(replace(lungs, grid=Grid(lungs.grid.hu, lungs.grid.factors, (8.0, 2.2, 2.2))))
    assert (found.validity, found.litres) == ("out", {})
