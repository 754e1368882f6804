"""Slices, windows and orientation; bit equality with the released arrays stands in test_parity."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from medmpt_backend.inference.preprocess import apply_windows, official_indices, prepare, resize_u8, slab_ranges, window_u8
from medmpt_backend.model.config import OFFICIAL_WINDOWS, PreprocessConfig


@given(st.integers(1, 700), st.integers(1, 64))
def test_official_choice_has_the_wanted_length_and_rises(count: int, wanted: int) -> None:
    chosen = official_indices(count, wanted)
    assert len(chosen) == wanted
    assert chosen == sorted(chosen)
    assert chosen[0] >= 0
    assert chosen[-1] < count


@given(st.integers(1, 700), st.integers(1, 64))
def test_slabs_cover_every_slice_evenly(count: int, wanted: int) -> None:
    ranges = slab_ranges(count, wanted)
    assert len(ranges) == wanted
    if count >= wanted:
        assert [i for a, b in ranges for i in range(a, b)] == list(range(count))
        sizes = {b - a for a, b in ranges}
        assert max(sizes) - min(sizes) <= 1
    else:
        assert {a for a, _ in ranges} == set(range(count))


def test_no_slices_are_refused() -> None:
    with pytest.raises(BadInput):
        official_indices(0, 4)


def test_look_up_tables_equal_the_computed_window() -> None:
    hu = np.random.default_rng(0).integers(-32768, 32767, (5, 7, 9)).astype(np.int16)
    for channel, (width, level) in zip(apply_windows(hu, OFFICIAL_WINDOWS), OFFICIAL_WINDOWS, strict=True):
        assert np.array_equal(channel, window_u8(hu.astype(np.float64), width, level))


@pytest.mark.parametrize("count", [3, 8, 50])
def test_official_input_equals_window_then_sample(make_volume: Callable[..., Volume], count: int) -> None:
    volume = make_volume(slices=count)
    made = prepare(volume, PreprocessConfig(sampling="official"), 8, 16)
    foot_first = apply_windows(volume.hu[::-1].astype(np.float64), OFFICIAL_WINDOWS)
    expected = resize_u8(torch.from_numpy(foot_first.copy()), 16).transpose(0, 1)[official_indices(count, 8)]
    assert torch.equal(made.image, expected)
    assert [count - 1 - a for a, _ in made.slices] == official_indices(count, 8)


def test_a_small_nodule_between_official_samples_reaches_the_slab_input() -> None:
    hu = np.full((300, 32, 32), -900, np.int16)
    hu[4:6, 14:18, 14:18] = 50  # the official choice never sees the last slices at the head
    volume = Volume(hu, (1.0, 0.7, 0.7), SeriesInfo("0" * 16))
    empty = Volume(np.full_like(hu, -900), volume.spacing, volume.series)
    difference = {}
    for name, config in (("official", PreprocessConfig(sampling="official")), ("slab", PreprocessConfig(slab="max"))):
        seen, without = prepare(volume, config, 32, 32), prepare(empty, config, 32, 32)
        changed = (seen.image != without.image).flatten(1).any(1)
        difference[name] = int(changed.sum())
        assert all(a <= 5 and b > 4 for (a, b), c in zip(seen.slices, changed.tolist(), strict=True) if c)
    assert difference == {"official": 0, "slab": 1}


@pytest.mark.parametrize("threads", [1, 2])
def test_resizing_does_not_depend_on_threads_or_on_what_is_resized_together(threads: int) -> None:
    image = torch.randint(0, 256, (2, 3, 512, 300), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        together = resize_u8(image, 224)
        torch.set_num_threads(threads)
        apart = torch.stack([resize_u8(study, 224) for study in image])
    finally:
        torch.set_num_threads(before)
    assert torch.equal(together, apart)


def test_mean_and_max_double_the_channels_and_resampling_keeps_positions(make_volume: Callable[..., Volume]) -> None:
    volume = make_volume(slices=40)
    assert prepare(volume, PreprocessConfig(slab="mean_max"), 4, 16).image.shape == (4, 6, 16, 16)
    resampled = prepare(volume, PreprocessConfig(sampling="official", resample_mm=5.0), 4, 16)
    assert resampled.image.shape == (4, 3, 16, 16)
    assert all(0 <= a < b <= 40 for a, b in resampled.slices)
    assert resampled.centres[0] > resampled.centres[-1]
