"""Studies of the cohort: truth, reports, shards."""

import json
from pathlib import Path

import numpy as np
import pytest

from medmpt_backend.cohort.patients.patient import draw_patient, eligible
from medmpt_backend.cohort.screening import doubling_days, grown_mm, lung_rads, stage
from medmpt_backend.cohort.shards import BINS, MASK_STRIDE, Task, histogram, make, write
from medmpt_backend.cohort.studies import CohortStudy, generate, generate_followup, split_of, study_id
from medmpt_backend.cohort.truth import MASK_LABELS, MEANS, FindingTruth
from medmpt_backend.findings import COARSE, FINDINGS, finding
from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.train.data.shards import ShardDataset

SHAPE = (24, 64, 64)


@pytest.fixture(scope="module")
def studies() -> list[CohortStudy]:
    return [generate(7, i, SHAPE, d) for i, d in enumerate(("covid", "cap_lobar", "lung_cancer_advanced", "normal", "screening", "copd"))]


def test_every_painter_means_a_known_finding_and_its_coarse_label() -> None:
    for painter, labels in MEANS.items():
        assert set(labels) <= set(FINDINGS), painter
        parents = {f.ct_rate for f in map(finding, labels)} - {None}
        assert parents <= {finding(label).ct_rate for label in labels if label in COARSE}, painter
    assert MASK_LABELS[:18] == COARSE
    assert len(COARSE) == 18


def test_a_study_depends_on_seed_and_index_alone(studies: list[CohortStudy]) -> None:
    again = generate(7, 1, SHAPE, "cap_lobar")
    assert np.array_equal(again.study.hu, studies[1].study.hu)
    assert again.truth == studies[1].truth
    assert again.reports == studies[1].reports
    assert not np.array_equal(generate(8, 1, SHAPE, "cap_lobar").study.hu, again.study.hu)


def test_labels_follow_the_masks(studies: list[CohortStudy]) -> None:
    for study in studies:
        truth = study.truth
        for painted, found in zip(study.study.truth, truth.findings, strict=True):
            assert found.voxels == painted.mask.sum() > 0
            assert all(truth.labels[label] == 1 for label in found.labels) or not found.visible
        positive = {label for f in truth.findings for label in f.labels} | {"enlarged_pulmonary_artery"}
        assert all(value != 1 or label in positive for label, value in truth.labels.items())
        assert (truth.labels["pulmonary_embolus"] is None) == (not truth.contrast)


def test_classes(studies: list[CohortStudy]) -> None:
    by_disease = {s.patient.disease: s.truth.classes for s in studies}
    assert by_disease["covid"]["covid"] == 1
    assert by_disease["cap_lobar"]["covid"] == 0
    assert by_disease["normal"]["covid"] is None
    assert by_disease["lung_cancer_advanced"]["screening"] == 1
    assert by_disease["screening"]["screening"] == 0
    assert by_disease["covid"]["extent"] in (1, 2, 3)
    assert by_disease["copd"]["extent"] is None


def test_reports_are_short_and_have_both_sections(studies: list[CohortStudy]) -> None:
    for study in studies:
        assert study.reports["zh"].startswith("影像所见：")
        assert "印象：" in study.reports["zh"]
        assert len(study.reports["zh"]) < 220
        assert study.reports["en"].startswith("Findings: ")
        assert " Impression: " in study.reports["en"]
        assert len(study.reports["en"].split()) < 100
        assert "None" not in study.reports["en"]
        assert "{" not in study.reports["en"]


def test_pneumonias_overlap_so_that_no_single_sign_gives_the_virus_away() -> None:
    painted = [{f.id for f in generate(11, i, SHAPE, "viral").truth.findings} for i in range(12)]
    assert 6 <= sum("nodules_centrilobular" in found for found in painted) < 12
    assert all("ground_glass" in found for found in painted)


def test_screening_participants_are_eligible() -> None:
    patients = [draw_patient(np.random.default_rng(i), "screening") for i in range(60)]
    assert all(p.screening and eligible(p.age, p.pack_years, p.quit_years) for p in patients)


def test_splits_are_by_patient_and_near_their_shares() -> None:
    splits = [split_of(study_id(1, i)) for i in range(2000)]
    assert 0.05 < splits.count("val") / 2000 < 0.1
    assert 0.05 < splits.count("test") / 2000 < 0.1


def test_histogram_counts_every_voxel() -> None:
    bins = histogram(np.array([-2000, -1024, 0, 1499, 3000], np.int16))
    assert bins.sum() == 5
    assert bins[0] == 2
    assert bins[-1] == 2
    assert len(bins) == BINS


def test_shards_are_the_same_for_any_number_of_workers(tmp_path: Path) -> None:
    config = MedMPTConfig.tiny()
    tasks = [Task(5, i, config, SHAPE) for i in range(3)]
    assert write(tasks, tmp_path / "one", 1, lambda _: None) == 3
    assert write(tasks, tmp_path / "two", 2, lambda _: None) == 3
    for name in ("index.jsonl", "truth.jsonl", "shard-00000.safetensors", "histograms.npz"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    data = ShardDataset(tmp_path / "one", None)
    truths = [json.loads(line) for line in (tmp_path / "one" / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    grid = config.vision.image // MASK_STRIDE
    for i, truth in enumerate(truths):
        mask = data.mask(i)
        assert mask is not None
        assert mask.shape == (config.vision.slices, len(MASK_LABELS), grid, grid)
        touched = {MASK_LABELS[c] for c in range(len(MASK_LABELS)) if mask[:, c].any()}
        assert touched == {label for f in truth["truth"]["findings"] for label in f["labels"]} & set(MASK_LABELS)
        record = data.records[i]
        assert record.report in truth["reports"].values()
        assert record.report not in record.wordings
        assert set(truth["reports"].values()) <= {record.report, *record.wordings}
        assert len(set(record.wordings)) == len(record.wordings) > 2


def test_masks_lie_where_the_images_are_foot_first() -> None:
    made = make(Task(7, 1, MedMPTConfig.tiny(), SHAPE))
    study = generate(7, 1, SHAPE)
    for channel, label in enumerate(MASK_LABELS):
        masks = [p.mask for p, f in zip(study.study.truth, study.truth.findings, strict=True) if label in f.labels]
        if masks:
            z = np.argwhere(np.any(masks, axis=0))[:, 0].mean() / SHAPE[0]
            share = made.mask[:, channel].astype(float).sum((1, 2))
            assert 1 - (share * (np.arange(len(share)) + 0.5)).sum() / share.sum() / len(share) == pytest.approx(z, abs=0.13)


def _nodule(painter: str, size: float, **more: object) -> FindingTruth:
    base = {"id": painter, "labels": MEANS[painter], "side": "right", "lobes": ("RUL",), "size_mm": size, "volume_ml": 1.0}
    return FindingTruth.model_validate({**base, "lung_share": 0.0, "voxels": 50, "visible": True, **more})


@pytest.mark.parametrize(
    ("nodules", "category"),
    [
        ([], "1"),
        ([("granuloma_calcified", 12.0, {})], "1"),
        ([("nodule_solid", 5.0, {})], "2"),
        ([("nodule_solid", 6.5, {})], "3"),
        ([("nodule_solid", 14.0, {})], "4A"),
        ([("nodule_solid", 15.0, {})], "4B"),
        ([("nodule_solid", 9.0, {"spiculated": True})], "4X"),
        ([("nodule_perifissural", 8.0, {})], "2"),
        ([("nodule_ground_glass", 20.0, {}), ("nodule_solid", 4.0, {})], "2"),
        ([("nodule_part_solid", 12.0, {"solid_mm": 5.0})], "3"),
        ([("nodule_part_solid", 14.0, {"solid_mm": 7.0})], "4A"),
        ([("nodule_part_solid", 20.0, {"solid_mm": 9.0})], "4B"),
        ([("nodule_solid", 7.5, {"before_mm": 5.0})], "4A"),
        ([("nodule_solid", 9.0, {"before_mm": 7.0})], "4B"),
        ([("nodule_solid", 9.0, {"before_mm": 9.0})], "3"),
        ([("nodule_solid", 9.0, {"visible": False})], "1"),
    ],
)
def test_lung_rads(nodules: list[tuple[str, float, dict[str, object]]], category: str) -> None:
    assert lung_rads(tuple(_nodule(painter, size, **more) for painter, size, more in nodules)) == category


def test_stage_follows_size_nodes_and_spread() -> None:
    tumour = _nodule("nodule_solid", 25.0, malignant=True)
    node, bone = _nodule("lymphadenopathy", 18.0, malignant=True), _nodule("bone_metastasis", 16.0, malignant=True)
    assert stage((_nodule("nodule_solid", 8.0),)) is None
    assert [stage(f) for f in ((tumour,), (_nodule("mass", 55.0, malignant=True),), (tumour, node), (tumour, node, bone))] == [
        "I", "II", "III", "IV",
    ]  # fmt: skip


def test_doubling_times_follow_the_type() -> None:
    rng = np.random.default_rng(1)
    means = [np.mean([doubling_days(rng, kind, True) or 0 for _ in range(3000)]) for kind in ("nodule_ground_glass", "nodule_part_solid")]
    assert means == pytest.approx([813, 457], rel=0.06)
    assert doubling_days(rng, "nodule_solid", False) is None
    assert grown_mm(10, 300, 100) == pytest.approx(20)


def test_a_follow_up_is_the_same_patient_with_a_grown_tumour() -> None:
    first = generate(9, 3, SHAPE, "lung_cancer_early")
    later = generate_followup(9, 3, 12, SHAPE, "lung_cancer_early")
    assert later.id == f"{first.id}-f12"
    assert later.split == first.split
    assert np.array_equal(later.study.lobes, first.study.lobes)
    assert [f.id for f in later.study.truth if f.id not in ("mass", "nodule_solid")] == [
        f.id for f in first.study.truth if f.id not in ("mass", "nodule_solid")
    ]
    assert later.truth.prior is not None
    (change,) = (c for c in later.truth.prior.changes if c.doubling_days)
    assert change.to_mm == pytest.approx(grown_mm(change.from_mm, 12 * 30.44, change.doubling_days), abs=0.3)
    tumour = next(i for i, f in enumerate(first.study.truth) if f.malignant)
    before, after = first.study.truth[tumour].mask, later.study.truth[tumour].mask
    assert after[before].all()
    assert after.sum() > before.sum()
    assert f"{round(change.to_mm)} mm" in later.reports["en"]
