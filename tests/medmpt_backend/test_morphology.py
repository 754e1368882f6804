"""The fast forms of labelling and morphology give the same voxels as scipy's."""

import numpy as np
import pytest
from scipy import ndimage

from medmpt_backend.imaging.anatomy import balls, grid, lungs, outside
from medmpt_backend.imaging.anatomy.runs import parts_of

SHAPES = ((1, 1, 1), (3, 4, 5), (9, 20, 21), (20, 33, 17))
PLANAR = np.zeros((3, 3, 3), dtype=bool)
PLANAR[1] = ndimage.generate_binary_structure(2, 1)
SQUARE = np.ones((1, 3, 3), dtype=bool)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("planar", [True, False])
def test_parts_by_runs_are_the_labels_of_scipy(shape: tuple[int, int, int], share: float, planar: bool) -> None:
    rng = np.random.default_rng(1)
    mask = rng.random(shape) < share
    labels, count = ndimage.label(mask, structure=PLANAR if planar else None)
    parts = parts_of(mask, planar=planar)
    assert parts.count == count
    np.testing.assert_array_equal(parts.every(1), labels)
    np.testing.assert_array_equal(parts.every(3), labels[:, ::3, ::3])
    np.testing.assert_array_equal(parts.sizes[1:], np.bincount(labels.ravel(), minlength=count + 1)[1:])
    keep = rng.random(count + 1) < 0.5
    keep[0] = False
    np.testing.assert_array_equal(parts.where(keep), keep[labels])
    edges = {int(i) for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]) for i in np.unique(edge)} - {0}
    assert set(np.flatnonzero(parts.at_edge).tolist()) == edges


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.5, 0.7, 0.8), (8.0, 3.0, 3.0), (1e3, 1.0, 1.0)])
@pytest.mark.parametrize("shape", SHAPES)
def test_balls_reach_what_a_distance_transform_reaches(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> None:
    rng = np.random.default_rng(2)
    for share in (0.01, 0.3):
        mask = rng.random(shape) < share
        for radius in (0.6, 3.0, 12.0):
            away = ndimage.distance_transform_edt(~mask, sampling=spacing) if mask.any() else np.full(shape, np.inf)
            np.testing.assert_array_equal(balls.within(mask, radius, spacing), away <= radius + 1e-7)


@pytest.mark.parametrize("shape", SHAPES)
def test_square_erosion_and_spreading_are_those_of_scipy(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(3)
    for share in (0.5, 0.97, 1.0):
        mask, allowed = rng.random(shape) < share, rng.random(shape) < 0.6
        for by in (1, 3, 4, 5):
            np.testing.assert_array_equal(balls.shrunk(mask, by), ndimage.binary_erosion(mask, SQUARE, iterations=by))
            seed = mask & allowed
            np.testing.assert_array_equal(
                balls.spread(seed, by, allowed), ndimage.binary_dilation(seed, SQUARE, iterations=by, mask=allowed)
            )


def test_a_voxel_takes_the_side_of_the_nearest_one_that_has_one() -> None:
    rng = np.random.default_rng(4)
    spacing = (2.5, 2.9, 2.9)
    sides = np.zeros((14, 34, 34), dtype=np.uint8)  # the corner lies beyond the last shell: found by the tree
    sides[4:6, 3:8, 3:8], sides[7:10, 10:18, 11:16] = lungs.RIGHT, lungs.LEFT
    wanted = rng.random(sides.shape) < 0.5
    found = balls.to_nearest(sides, wanted, spacing)
    known = np.argwhere(sides > 0) * spacing
    for place in np.argwhere(wanted & (sides == 0)):
        away = np.sqrt(((known - place * spacing) ** 2).sum(axis=1))
        assert found[tuple(place)] in sides[sides > 0][away < away.min() + 1e-6]
    np.testing.assert_array_equal(found[~wanted], sides[~wanted])


def test_sums_and_shares_of_blocks_are_plain_means() -> None:
    rng = np.random.default_rng(5)
    mask = rng.random((17, 19, 23)) < 0.4
    blocks = mask[:16, :18, :21].reshape(8, 2, 6, 3, 7, 3).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(grid.fraction(mask, (2, 3, 3), (8, 6, 7)), blocks, atol=1e-6)
    np.testing.assert_array_equal(grid.over_slices(mask), mask.sum(axis=0))
    ranked = ndimage.percentile_filter(mask.astype(np.uint8), 10, size=3)
    np.testing.assert_array_equal(grid.mostly(mask, 0.9, planar=False), ranked == 1)


def test_the_outline_of_a_slice_is_convex_and_tight() -> None:
    yy, xx = np.mgrid[:40, :50]
    ellipse = ((yy - 20) / 14) ** 2 + ((xx - 25) / 21) ** 2 < 1
    np.testing.assert_array_equal(outside.convex(ellipse), ellipse)
    ring = ellipse & ~(((yy - 20) / 10) ** 2 + ((xx - 25) / 17) ** 2 < 1) & (xx != 25)
    np.testing.assert_array_equal(outside.convex(ring), outside.convex(outside.convex(ring)))
    assert outside.convex(ring)[20, 25]
    assert not outside.convex(np.eye(9, dtype=bool)).any()
