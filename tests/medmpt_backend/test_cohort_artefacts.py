"""Artefacts are off by default, leave the truth in place, and do what their names say."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from medmpt_backend.cohort import findings as f
from medmpt_backend.cohort.anatomy import Canvas, Habitus
from medmpt_backend.cohort.artefacts import METAL_HU
from medmpt_backend.cohort.thorax import Scan, finish, start

SCAN = Scan(shape=(40, 96, 96), spacing=(7.0, 3.7, 3.7), z_top=120.0)


@pytest.fixture(scope="module")
def healthy() -> Canvas:
    return start(np.random.default_rng(3), SCAN, Habitus())


def _scan(canvas: Canvas, scan: Scan) -> NDArray[np.int16]:
    return finish(np.random.default_rng(1), canvas, scan, ()).hu


def test_low_dose_is_noisiest_from_shoulder_to_shoulder(healthy: Canvas) -> None:
    added = _scan(healthy, replace(SCAN, low_dose=True)).astype(float) - _scan(healthy, SCAN)
    inside = healthy.depth > 0
    shoulders, chest = np.broadcast_to(healthy.grid.z > 75, inside.shape), np.broadcast_to(np.abs(healthy.grid.z) < 40, inside.shape)
    assert added[inside & shoulders].std() > 1.3 * added[inside & chest].std() > 0


def test_breathing_blurs_the_dome_more_than_the_apex(healthy: Canvas) -> None:
    change = np.abs(_scan(healthy, replace(SCAN, motion_mm=12)).astype(float) - _scan(healthy, SCAN))
    z = np.broadcast_to(healthy.grid.z, change.shape)
    assert change[z < -60].mean() > 2 * change[z > 40].mean()


def test_streaks_start_at_metal_and_only_there(healthy: Canvas) -> None:
    canvas = copy.deepcopy(healthy)
    found = f.medical_material(np.random.default_rng(1), canvas, kind="pacemaker")
    change = np.abs(_scan(canvas, replace(SCAN, metal=True)).astype(int) - _scan(canvas, SCAN))
    touched = np.flatnonzero(change.max(axis=(1, 2)) > 20)
    assert len(touched) > 0
    assert set(touched) <= set(np.flatnonzero((canvas.hu > 0.6 * METAL_HU).any(axis=(1, 2))))
    assert set(touched) <= set(np.flatnonzero(found.mask.any(axis=(1, 2))))
    assert np.array_equal(_scan(healthy, replace(SCAN, metal=True)), _scan(healthy, SCAN))
