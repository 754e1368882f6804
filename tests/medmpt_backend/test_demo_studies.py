import numpy as np
import pytest

from medmpt_backend.cohort.anatomy import LOBES
from medmpt_backend.cohort.demo import RECIPES, generate
from medmpt_backend.cohort.thorax import Scan
from medmpt_backend.errors import BadInput

SMALL = Scan(shape=(48, 96, 96), spacing=(6.0, 3.7, 3.7))


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_the_seed_decides_every_voxel(recipe: str) -> None:
    one, two, other = generate(recipe, 3, SMALL), generate(recipe, 3, SMALL), generate(recipe, 4, SMALL)
    assert one.hu.dtype == np.int16
    assert np.array_equal(one.hu, two.hu)
    assert not np.array_equal(one.hu, other.hu)


def test_a_healthy_thorax_has_human_proportions() -> None:
    study = generate("normal", 1, SMALL)
    lungs = study.lobes > 0
    litres = lungs.sum() * np.prod(study.spacing) / 1e6
    assert 3.5 < litres < 6.5
    assert -900 < study.hu[lungs].mean() < -760
    assert set(np.unique(study.lobes)) == {0, *LOBES}
    right = (study.lobes > 0) & (study.lobes <= 3)
    assert np.argwhere(right)[:, 2].mean() < study.hu.shape[2] / 2, "the patient's right lung lies on the left of the picture"


def test_truth_agrees_with_the_masks() -> None:
    study = generate("pneumonia", 5, SMALL)
    by_id = {f.id: f for f in study.truth}
    assert set(by_id) == {"ground_glass", "consolidation", "pleural_effusion"}
    assert all(f.side == "right" for f in study.truth)
    assert by_id["consolidation"].lobes == ("RLL",)
    dense = study.hu[by_id["consolidation"].mask]
    hazy = study.hu[by_id["ground_glass"].mask & ~by_id["consolidation"].mask & ~by_id["pleural_effusion"].mask]
    assert np.median(dense) > -60
    assert -720 < np.median(hazy) < -400
    assert abs(np.median(study.hu[by_id["pleural_effusion"].mask])) < 25


def test_an_unknown_recipe_is_named() -> None:
    with pytest.raises(BadInput, match="'zebra'"):
        generate("zebra", 1)
