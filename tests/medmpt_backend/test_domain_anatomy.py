"""What is a chest and what is not, asked of the anatomy."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from medmpt_backend.cohort.demo import RECIPES, generate
from medmpt_backend.cohort.thorax import Scan
from medmpt_backend.errors import OutOfDomain
from medmpt_backend.imaging.anatomy.chest_domain import require_chest
from medmpt_backend.imaging.anatomy.lungs import segment
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from tests.medmpt_backend.ct_files import DATA

SMALL = Scan(shape=(84, 112, 112), spacing=(4.0, 3.2, 3.2), z_top=140.0)
Turn = Callable[[NDArray[np.int16]], NDArray[np.int16]]


def _volume(hu: NDArray[np.int16], spacing: tuple[float, float, float]) -> Volume:
    return Volume(np.ascontiguousarray(hu), spacing, SeriesInfo(uid_hash="0", synthetic=True))


def _judge(volume: Volume) -> None:
    require_chest(volume, segment(volume))


@pytest.fixture(scope="module")
def chest() -> Volume:
    study = generate("normal", 1, SMALL)
    return _volume(study.hu, study.spacing)


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_synthetic_chests_pass(recipe: str) -> None:
    study = generate(recipe, 2, SMALL)
    _judge(_volume(study.hu, study.spacing))


CUTS: dict[str, tuple[Turn, str]] = {
    "upside down": (lambda hu: hu[::-1], "upside down"),
    "front and back": (lambda hu: hu[:, ::-1], "front and back are swapped"),
    "left and right": (lambda hu: hu[:, :, ::-1], "left and right are swapped"),
    "half a thorax": (lambda hu: hu[:, :, : hu.shape[2] // 2], "only one was found"),
    "other half": (lambda hu: hu[:, :, hu.shape[2] // 2 :], "only one was found"),
    "upper part": (lambda hu: hu[: hu.shape[0] // 2], "upper part of a thorax"),
    "abdomen with lung bases": (lambda hu: hu[int(hu.shape[0] * 0.6) :], "abdomen with lung bases"),
}


@pytest.mark.parametrize("name", sorted(CUTS))
def test_cut_and_turned_chests_are_refused(chest: Volume, name: str) -> None:
    turn, reason = CUTS[name]
    with pytest.raises(OutOfDomain, match=reason):
        _judge(replace(chest, hu=np.ascontiguousarray(turn(chest.hu))))


def _tissue(shape: tuple[int, int, int] = (80, 96, 96)) -> NDArray[np.int16]:
    """A cylinder of water in air."""
    y, x = np.mgrid[: shape[1], : shape[2]] - np.array(shape[1:])[:, None, None] / 2
    hu = np.full(shape, -1000, dtype=np.int16)
    hu[:, (y**2 + x**2) < (0.45 * shape[1]) ** 2] = 0
    return hu


def _head() -> NDArray[np.int16]:
    hu = _tissue()
    for centre in ((40, 25, 38), (40, 25, 58), (30, 20, 48), (52, 60, 20), (52, 60, 76)):
        hu[centre[0] - 6 : centre[0] + 6, centre[1] - 5 : centre[1] + 5, centre[2] - 5 : centre[2] + 5] = -990
    return hu


def _two_cavities() -> NDArray[np.int16]:
    hu = _tissue()
    hu[10:70, 30:66, 14:40] = -1000
    hu[10:70, 30:66, 56:82] = -1000
    return hu


def _two_sponges() -> NDArray[np.int16]:
    hu = _two_cavities()
    hu[10:70, 30:66, 14:40] = hu[10:70, 30:66, 56:82] = -850
    hu[10:70:6, 30:66:6, 14:82] = np.maximum(hu[10:70:6, 30:66:6, 14:82], 0)
    return hu


@pytest.mark.parametrize(
    ("hu", "reason"),
    [
        (_tissue(), "no lungs were found"),
        (_head(), "no lungs were found"),
        (_two_cavities(), "plain air"),
        (_two_sponges(), "no trachea"),
        (np.full((60, 80, 80), -1000, dtype=np.int16), "no lungs were found"),
        (np.random.default_rng(0).normal(-300, 500, (60, 80, 80)).astype(np.int16), "noise, not a chest"),
        (np.random.default_rng(0).integers(-1024, 1500, (60, 80, 80)).astype(np.int16), "noise, not a chest"),
    ],
    ids=["water", "head with sinuses", "air phantom", "sponge phantom", "empty", "normal noise", "uniform noise"],
)
def test_what_is_no_chest_is_refused(hu: NDArray[np.int16], reason: str) -> None:
    with pytest.raises(OutOfDomain, match=reason):
        _judge(_volume(hu, (3.0, 3.2, 3.2)))


@pytest.fixture(scope="module", params=["ct64_dicom", "LIDC-IDRI-0001"])
def real(request: pytest.FixtureRequest) -> Volume:
    path: Path = DATA / "chest_ct" / str(request.param)
    if not path.is_dir():
        pytest.skip("the public test data is absent (../shared/data)")
    volume = load_volume(path)
    if volume.hu.shape[1] < 512:
        return volume
    return replace(
        volume, hu=np.ascontiguousarray(volume.hu[:, ::3, ::3]), spacing=(volume.spacing[0], volume.spacing[1] * 3, volume.spacing[2] * 3)
    )


def test_real_chests_pass_and_their_cuts_do_not(real: Volume) -> None:
    _judge(real)
    for turn, reason in CUTS.values():
        with pytest.raises(OutOfDomain, match=reason):
            _judge(replace(real, hu=np.ascontiguousarray(turn(real.hu))))


def test_a_real_abdomen_is_refused() -> None:
    path = DATA / "negatives/abdomen_ct.nii.gz"
    if not path.is_file():
        pytest.skip("the public test data is absent (../shared/data)")
    with pytest.raises(OutOfDomain, match="not a chest: no lungs were found"):
        _judge(load_volume(path))
