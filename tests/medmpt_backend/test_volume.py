"""The volume itself: its hash and its slices."""

from dataclasses import replace

import numpy as np
import pytest

from medmpt_backend.imaging.volume import SeriesInfo, Volume
from tests.medmpt_backend.ct_files import noise_body


def test_the_hash_follows_voxels_and_spacing_only() -> None:
    volume = Volume(noise_body(), (2.0, 0.9, 0.7), SeriesInfo(uid_hash="a"))
    assert volume.content_hash == replace(volume, series=SeriesInfo(uid_hash="b"), warnings=("x",)).content_hash
    other = volume.hu.copy()
    other[3, 4, 5] += 1
    assert volume.content_hash != replace(volume, hu=other).content_hash
    assert volume.content_hash != replace(volume, spacing=(2.0, 0.9, 0.8)).content_hash


def test_slices_are_counted_from_the_head() -> None:
    volume = Volume(noise_body(), (2.0, 0.9, 0.7), SeriesInfo(uid_hash="a"))
    assert np.array_equal(volume.axial_slice(3), volume.hu[3])
    for index in (-1, 12):
        with pytest.raises(IndexError, match=f"slice {index} of 12"):
            volume.axial_slice(index)
