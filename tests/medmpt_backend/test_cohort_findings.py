"""Every painter leaves a mask that agrees with the voxels it changed, its side and its lobe."""

import copy
from collections.abc import Callable

import numpy as np
import pytest

from medmpt_backend.cohort import findings as f
from medmpt_backend.cohort.anatomy import LLL, LUL, RLL, RML, RUL, Canvas, Habitus
from medmpt_backend.cohort.thorax import Scan, start

SCAN = Scan(shape=(60, 128, 128), spacing=(5.0, 2.8, 2.8))
BOTH = (RUL, RML, RLL, LUL, LLL)
Job = Callable[[np.random.Generator, Canvas], f.PaintedFinding]

JOBS: dict[str, tuple[Job, str, float]] = {
    # painter, side, and the sign of the HU change inside the mask
    "solid nodule": (lambda r, c: f.solid_nodule(r, c, lobe=RUL, diameter_mm=16), "right", 1),
    "spiculated mass": (lambda r, c: f.solid_nodule(r, c, lobe=LUL, diameter_mm=42, spiculated=True), "left", 1),
    "ground-glass nodule": (lambda r, c: f.ground_glass_nodule(r, c, lobe=LUL, diameter_mm=20), "left", 1),
    "part-solid nodule": (lambda r, c: f.part_solid_nodule(r, c, lobe=RLL, diameter_mm=24, solid_mm=10), "right", 1),
    "granuloma": (lambda r, c: f.calcified_granuloma(r, c, lobe=RLL, diameter_mm=12), "right", 1),
    "halo": (lambda r, c: f.halo_nodule(r, c, lobe=LLL, diameter_mm=20), "left", 1),
    "centrilobular": (lambda r, c: f.diffuse_nodules(r, c, pattern="centrilobular"), "both", 1),
    "perilymphatic": (lambda r, c: f.diffuse_nodules(r, c, pattern="perilymphatic"), "both", 1),
    "miliary": (lambda r, c: f.diffuse_nodules(r, c, pattern="miliary"), "both", 1),
    "ground glass": (lambda r, c: f.ground_glass(r, c, lobes=(RLL, LLL)), "both", 1),
    "crazy paving": (lambda r, c: f.crazy_paving(r, c, lobes=BOTH), "both", 1),
    "consolidation": (lambda r, c: f.consolidation(r, c, lobe=LLL), "left", 1),
    "patchy consolidation": (lambda r, c: f.consolidation(r, c, lobe=RLL, amount=0.3, patchy=True), "right", 1),
    "atelectasis": (lambda r, c: f.atelectasis(r, c, side="left"), "left", 1),
    "septal thickening": (lambda r, c: f.septal_thickening(r, c), "both", 1),
    "bands": (lambda r, c: f.fibrotic_bands(r, c, lobe=RUL), "right", 1),
    "peribronchial": (lambda r, c: f.peribronchial_thickening(r, c, lobes=BOTH), "both", 1),
    "tree in bud": (lambda r, c: f.tree_in_bud(r, c, lobes=(RLL,)), "right", 1),
    "mosaic": (lambda r, c: f.mosaic_attenuation(r, c), "both", -1),
    "centrilobular emphysema": (lambda r, c: f.emphysema(r, c), "both", -1),
    "paraseptal emphysema": (lambda r, c: f.emphysema(r, c, kind="paraseptal", amount=0.1), "both", -1),
    "panlobular emphysema": (lambda r, c: f.emphysema(r, c, kind="panlobular", amount=0.4), "both", -1),
    "bullae": (lambda r, c: f.bullae(r, c, lobe=RUL), "right", -1),
    "cysts": (lambda r, c: f.cysts(r, c), "both", -1),
    "effusion": (lambda r, c: f.pleural_effusion(r, c, side="left", depth_mm=40), "left", 1),
    "loculated effusion": (lambda r, c: f.loculated_effusion(r, c, side="right"), "right", 1),
    "pneumothorax": (lambda r, c: f.pneumothorax(r, c, side="left"), "left", -1),
    "pleural thickening": (lambda r, c: f.pleural_thickening(r, c, side="right", thickness_mm=8), "right", 1),
    "pericardial effusion": (lambda r, c: f.pericardial_effusion(r, c), "both", 0),
    "coronary calcification": (lambda r, c: f.coronary_calcification(r, c), "both", 1),
    "hernia": (lambda r, c: f.hiatal_hernia(r, c), "both", 0),
    "pacemaker": (lambda r, c: f.medical_material(r, c, kind="pacemaker"), "both", 1),
    "thyroid": (lambda r, c: f.thyroid_nodule(r, c, side="right"), "right", -1),
    "adrenal": (lambda r, c: f.adrenal_mass(r, c, side="left"), "left", 0),
    "fracture": (lambda r, c: f.rib_fracture(r, c, side="right"), "right", -1),
    "lytic rib": (lambda r, c: f.bone_metastasis(r, c, site="rib"), "left", -1),
    "sclerotic rib": (lambda r, c: f.bone_metastasis(r, c, site="rib", lytic=False), "left", 1),
    "hamartoma": (lambda r, c: f.calcified_granuloma(r, c, lobe=RUL, diameter_mm=22, pattern="popcorn"), "right", 1),
    "laminated": (lambda r, c: f.calcified_granuloma(r, c, lobe=LLL, diameter_mm=18, pattern="laminated"), "left", 1),
    "mucus": (lambda r, c: f.mucus_plugs(r, c, lobes=(RLL,)), "right", 1),
    "pulmonary artery": (lambda r, c: f.enlarged_pulmonary_artery(r, c, diameter_mm=38), "both", 1),
    "metastasis": (lambda r, c: f.bone_metastasis(r, c), "both", -1),
}


@pytest.fixture(scope="module")
def healthy() -> Canvas:
    return start(np.random.default_rng(3), SCAN, Habitus())


@pytest.mark.parametrize("name", sorted(JOBS))
def test_mask_side_and_density_agree(name: str, healthy: Canvas) -> None:
    job, side, sign = JOBS[name]
    canvas = copy.deepcopy(healthy)
    found = job(np.random.default_rng(11), canvas)
    assert found.mask.any()
    if side != "both":
        assert found.side == side
    change = (canvas.hu - healthy.hu)[found.mask]
    assert np.abs(change).max() > 30
    if sign:
        assert np.sign(np.mean(change)) == sign
    changed = np.abs(canvas.hu - healthy.hu) > 60
    reach = found.mask.sum() + 0.25 * healthy.lungs.sum()
    assert changed.sum() < reach, "a painter changes its finding, not the whole study"


def test_uip_is_probable_uip_plus_honeycombing(healthy: Canvas) -> None:
    probable = {p.id for p in f.fibrosis(np.random.default_rng(1), copy.deepcopy(healthy), honeycombing=False)}
    uip = {p.id for p in f.fibrosis(np.random.default_rng(1), copy.deepcopy(healthy), honeycombing=True)}
    assert probable == {"reticulation", "traction_bronchiectasis"}
    assert uip - probable == {"honeycombing"}


def test_nsip_spares_the_subpleural_band_where_uip_is_worst(healthy: Canvas) -> None:
    def share_at_wall(painted: tuple[f.PaintedFinding, ...]) -> float:
        zone = next(p for p in painted if p.id == "reticulation").mask
        return float(np.mean(healthy.depth[zone] < 6))

    nsip = f.nsip(np.random.default_rng(2), copy.deepcopy(healthy))
    assert {p.id for p in nsip} == {"ground_glass", "reticulation", "traction_bronchiectasis"}
    assert share_at_wall(nsip) < 0.5 * share_at_wall(f.fibrosis(np.random.default_rng(2), copy.deepcopy(healthy)))


def test_the_right_ventricle_is_wider_by_its_ratio_and_needs_contrast(healthy: Canvas) -> None:
    with pytest.raises(ValueError, match="not assessable"):
        f.enlarged_right_ventricle(np.random.default_rng(1), copy.deepcopy(healthy))
    volumes = []
    for ratio in (1.0, 1.6):
        canvas = start(np.random.default_rng(3), SCAN, Habitus(contrast=True))
        found = f.enlarged_right_ventricle(np.random.default_rng(1), canvas, ratio=ratio)
        assert np.median(canvas.hu[found.mask]) > 330
        volumes.append(int(found.mask.sum()))
    assert volumes[1] > 1.2 * volumes[0]


def test_the_artery_of_the_habitus_is_marked_where_the_contrast_is() -> None:
    canvas = start(np.random.default_rng(3), SCAN, Habitus(contrast=True, pa_radius=19))
    before = canvas.hu.copy()
    found = f.mark_pulmonary_artery(canvas)
    assert np.array_equal(before, canvas.hu)
    assert found.size_mm == 38
    assert np.median(canvas.hu[found.mask]) > 370


def test_an_embolus_needs_contrast(healthy: Canvas) -> None:
    with pytest.raises(ValueError, match="not assessable"):
        f.pulmonary_embolus(np.random.default_rng(1), copy.deepcopy(healthy), side="right")
    canvas = start(np.random.default_rng(3), SCAN, Habitus(contrast=True))
    found = f.pulmonary_embolus(np.random.default_rng(1), canvas, side="right")
    assert np.median(canvas.hu[found.mask]) < 200
