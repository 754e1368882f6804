"""One seed gives one study: in another process, and whatever the number of threads."""

import os
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from medmpt_backend.cohort.patients.patient import draw_habitus, draw_patient, draw_scan, paint_patient
from medmpt_backend.cohort.thorax import finish, start

ROOT = Path(__file__).resolve().parents[2]
SHAPE = (48, 160, 160)
# Fibrosis (the finest textures), and tree-in-bud with bronchiectasis (trees).
CASES = ((5, "ipf"), (6, "ntm"))


def checksums() -> list[int]:
    """CRC of the voxels of every case, masks included."""
    out = []
    for seed, disease in CASES:
        rng = np.random.default_rng(seed)
        patient = draw_patient(rng, disease)
        habitus = draw_habitus(rng, patient)
        scan = draw_scan(rng, SHAPE, habitus)
        canvas = start(rng, scan, habitus)
        study = finish(rng, canvas, scan, paint_patient(rng, canvas, patient))
        assert study.hu.dtype == np.int16
        out.append(zlib.crc32(b"".join([study.hu.tobytes(), *(f.mask.tobytes() for f in study.truth)])))
    return out


@pytest.fixture(scope="module")
def here() -> list[int]:
    return checksums()


@pytest.mark.parametrize("threads", ["1", "2"])
def test_another_process_makes_the_same_voxels(threads: str, here: list[int]) -> None:
    env = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)}
    code = "from tests.medmpt_backend.test_cohort_reproducible import checksums; print(*checksums())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert len(set(here)) == len(CASES)
    assert [int(v) for v in done.stdout.split()] == here
