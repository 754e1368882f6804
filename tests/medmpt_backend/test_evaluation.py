"""Evaluation: figures and their intervals, what reports claim, every part on a fabricated data set with tiny weights."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, cohen_kappa_score, roc_auc_score

from medmpt_backend.cohort.findings import Side
from medmpt_backend.cohort.reports import write_reports
from medmpt_backend.cohort.truth import MEANS, FindingTruth, Truth
from medmpt_backend.errors import BadInput
from medmpt_backend.evaluation import calibration, classes, findings, localise, medication, outside, severity
from medmpt_backend.evaluation.data import open_studies
from medmpt_backend.evaluation.features import features
from medmpt_backend.evaluation.figures import PartResult, Resampler, figure
from medmpt_backend.evaluation.linear import binary_scores, class_probabilities, fitted_scores
from medmpt_backend.evaluation.suite import PARTS, chosen_parts, run_parts
from medmpt_backend.evaluation.text import claims, matching
from medmpt_backend.evaluation.text import drafts as reports
from medmpt_backend.evaluation.text.context import Context, Edge
from medmpt_backend.evaluation.text.extraction import extract, is_chinese, stated_sides
from medmpt_backend.findings import FINDINGS
from medmpt_backend.inference.appearance import described
from medmpt_backend.inference.training_domain import DOMAIN_FILE, DomainModel
from medmpt_backend.model.config import HeadConfig, MedMPTConfig
from medmpt_backend.train.data.shards import DatasetInfo, ShardWriter, StudyRecord
from medmpt_backend.train.metrics import bleu, caption_metrics
from medmpt_backend.weights.checkpoint import read_weights

LABELS = ("lung_nodule", "emphysema", "consolidation")


def fabricate(folder: Path, config: MedMPTConfig, count: int, seed: int) -> Path:
    """Studies whose image, histogram, report, labs and drugs follow whether there is a nodule on the right."""
    vision, random = config.vision, np.random.default_rng(seed)
    info = DatasetInfo(preprocess=config.preprocess, slices=vision.slices, image=vision.image, synthetic=True, mask_labels=LABELS[:2])
    truths, histograms = [], []
    with ShardWriter(folder, info, per_shard=7) as writer:
        for i in range(count):
            sick, smoker = int(random.random() < 0.5), int(random.random() < 0.4)
            image = torch.from_numpy(random.integers(0, 110, (4, 3, 32, 32)).astype(np.uint8))
            mask = torch.zeros((4, 2, 4, 4), dtype=torch.uint8)
            if sick:
                image[1, :, 4:12, 4:12] += 140
                mask[1, 0, 0:2, 0:2] = 200
            report = ("Right lung nodule ." if sick else "No nodule .") + (" Emphysema ." if smoker else "")
            record = StudyRecord(
                id=f"s{i}",
                split="val" if i % 6 == 5 else "train",
                report=report,
                labels={"lung_nodule": sick, "emphysema": smoker, "consolidation": None if i % 3 else 0},
                classes={"severity": min(3, int(4 * random.random())) if i % 4 else None},
                labs={"crp": 90.0 * sick + random.normal(5, 1), "urea": None},
                drugs=("a", "c") if sick else ("b",),
            )
            writer.add(record, image, mask)
            painted = [{"id": "nodule_solid", "labels": ["lung_nodule"], "side": "right", "size_mm": 5.0 + 2 * (i % 6), "visible": True}]
            truths.append(
                {
                    "id": record.id,
                    "reports": {"en": report, "zh": "右肺结节。" if sick else "未见结节。"},
                    "patient": {"disease": "tumour" if sick else "infection", "severity": 0.2 + 0.6 * sick + 0.02 * (i % 5)},
                    "truth": {"findings": painted if sick else []},
                }
            )
            histograms.append(random.poisson(20, 8) + np.array([0, 0, 0, 12 * sick, 0, 0, 9 * smoker, 0]))
    (folder / "truth.jsonl").write_text("".join(json.dumps(t) + "\n" for t in truths), encoding="utf-8")
    np.savez(folder / "histograms.npz", volume=np.array(histograms), lungs=np.array(histograms))
    return folder


@pytest.fixture(scope="module")
def eval_config(tiny_config: MedMPTConfig) -> MedMPTConfig:
    heads = {**tiny_config.heads, "findings": HeadConfig(kind="multilabel", labels=LABELS, patches=True, thresholds=(0.4, 0.5, 0.6))}
    return tiny_config.model_copy(update={"heads": heads})


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory, eval_config: MedMPTConfig, make_weights: Callable[..., Path]) -> Context:
    folder = tmp_path_factory.mktemp("evaluation")
    weights = make_weights(folder / "weights", eval_config, synthetic=True)
    train, test = fabricate(folder / "train", eval_config, 90, 1), open_studies(fabricate(folder / "test", eval_config, 40, 2))
    taught = open_studies(train, "train")
    inputs = described(taught.data.image(i) for i in taught.rows)
    scans = features(read_weights(weights), taught, folder / "cache", whole=False).scan
    (weights / DOMAIN_FILE).write_bytes(DomainModel.fit(scans, inputs).to_bytes())
    other = make_weights(folder / "weights", eval_config, name="other")
    return Context(
        weights=read_weights(weights),
        compare={"other": read_weights(other)},
        test=test,
        train=taught,
        val=open_studies(train, "val"),
        cache=folder / "cache",
        times=60,
        counted=taught,
        interactions=(Edge("a", "b"), Edge("a", "c")),
    )


def test_weighted_figures_equal_those_of_scikit_learn_on_each_sample() -> None:
    random = np.random.default_rng(0)
    scores, target = random.normal(size=60).round(1), (random.random(60) < 0.4).astype(float)
    scores[0], target[1] = 0.5, np.nan
    known = ~np.isnan(target)
    part = Resampler(60, seed=3, times=20)
    auc, precision = part.auc(scores, target), part.average_precision(random.permutation(60) / 60.0, target)
    assert auc[0] == pytest.approx(roc_auc_score(target[known], scores[known]))
    drawn = np.repeat(np.arange(60), part.weights[7].astype(int))
    drawn = drawn[known[drawn]]
    assert auc[7] == pytest.approx(roc_auc_score(target[drawn], scores[drawn]))
    unique = np.random.default_rng(1).permutation(60) / 60.0
    assert part.average_precision(unique, target)[0] == pytest.approx(average_precision_score(target[known], unique[known]))
    assert precision.shape == (21,)
    shown = figure(auc, 60)
    assert shown.low is not None
    assert shown.high is not None
    assert shown.value is not None
    assert shown.low < shown.value < shown.high
    assert figure(part.auc(scores, np.zeros(60)), 60).value is None
    assert np.array_equal(part.weights, Resampler(60, seed=3, times=20).weights)


def test_kappa_and_accuracy_of_grades() -> None:
    random = np.random.default_rng(4)
    target, found = random.integers(0, 4, 50).astype(float), random.random((50, 4))
    got = classes.measures(Resampler(50, 0, 10), found, target, True)
    assert got["kappa"][0] == pytest.approx(cohen_kappa_score(target, found.argmax(1), weights="quadratic"))
    assert got["accuracy"][0] == pytest.approx((found.argmax(1) == target).mean())


def test_temperature_undoes_overconfidence() -> None:
    random = np.random.default_rng(5)
    logits = random.normal(0, 1.5, (800, 3))
    target = (random.random((800, 3)) < calibration.sigmoid(logits)).astype(float)
    temperature = calibration.fit_temperature(3 * logits, target)
    assert temperature == pytest.approx(3, rel=0.15)
    part = Resampler(800, 0, 5)
    before, after = (calibration.expected_error(part, calibration.sigmoid(x), target)[0] for x in (3 * logits, 3 * logits / temperature))
    assert after < 0.04 < before


def test_linear_baselines_learn() -> None:
    random = np.random.default_rng(6)
    rows = random.normal(size=(400, 6))
    target = (rows[:, 0] + 0.3 * random.normal(size=400) > 0).astype(float)
    assert roc_auc_score(target[300:], binary_scores(rows[:300], target[:300], rows[300:])) > 0.95
    assert class_probabilities(rows[:300], target[:300] * 2, rows[300:], 3)[:, 1].max() == 0
    many = fitted_scores(rows[:300], np.stack([target, 1 - target], 1)[:300], rows[300:])
    assert roc_auc_score(target[300:], many[:, 0]) > 0.95
    assert roc_auc_score(target[300:], many[:, 1]) < 0.05
    assert not binary_scores(rows, np.zeros(400), rows).any()


@pytest.mark.parametrize(
    ("report", "present", "absent"),
    [
        ("Findings: A 7.5 mm solid nodule in the right upper lobe. No pleural effusion, pneumothorax or lymphadenopathy.",
         {"lung_nodule": "right", "solid_nodule": "right"}, {"pleural_effusion", "pneumothorax", "lymphadenopathy"}),
        ("左肺下叶见实变影；双侧胸腔积液。未见气胸、心包积液。", {"consolidation": "left", "pleural_effusion": "both"},
         {"pneumothorax", "pericardial_effusion"}),
        ("右侧胸腔见无肺纹理透亮区，深约20mm。", {"pneumothorax": "right"}, set()),
        ("Left thyroid nodule, 12 mm. Coronary calcification.", {"thyroid_nodule": "left", "coronary_calcification": None}, set()),
        ("Right lower lobe consolidation. Left lower lobe consolidation. Consider pneumothorax.", {"consolidation": "both"}, set()),
    ],
)  # fmt: skip
def test_claims_negations_and_sides_are_read(report: str, present: dict[str, str | None], absent: set[str]) -> None:
    found = extract(report)
    assert found.present == present
    assert found.absent == absent


def test_reports_of_the_cohort_are_read_as_they_were_written() -> None:
    random = np.random.default_rng(8)
    wrong: list[str] = []
    for _ in range(40):
        side: Side = "left" if random.random() < 0.5 else "right"
        truth = _painted([str(k) for k in random.choice(sorted(MEANS), 3, replace=False)], side)
        sides = stated_sides((f.labels, f.side) for f in truth.findings)
        for language, text in write_reports(random, "cap_lobar", truth).items():
            found = extract(text)
            assert is_chinese(text) == (language == "zh")
            coarse = {label for label in sides if label in findings.COARSE}
            if set(found.present) & set(findings.COARSE) != coarse or found.absent & set(sides):
                wrong.append(f"{sorted(coarse)} {sorted(found.present)}: {text}")
            assert all(told in (None, sides[label]) for label, told in found.present.items() if label in sides), text
    assert not wrong, wrong[:3]


def _painted(kinds: list[str], side: Side) -> Truth:
    lobes = ("LLL",) if side == "left" else ("RUL",)
    painted = tuple(
        FindingTruth(id=k, labels=MEANS[k], side=side, lobes=lobes, size_mm=12.0, volume_ml=3, lung_share=0.01, voxels=99, visible=True)
        for k in kinds
    )
    positive = {label for f in painted for label in f.labels}
    return Truth(
        findings=painted,
        labels={label: 1 if label in positive else 0 for label in FINDINGS},
        classes={},
        opacity_share=0.0,
        lung_ml=4000.0,
        contrast=True,
        cardiothoracic_ratio=0.45,
        pulmonary_artery_mm=22.0,
    )


def test_features_are_computed_once(context: Context) -> None:
    again = features(context.weights, context.test, context.cache)
    assert np.array_equal(again.scan, context.found.scan)
    assert context.found.tokens.shape == (40, 4, 32)
    assert context.found.peaks["findings"].shape == (40, 3, 3)
    path = next(context.cache.glob("*-whole.npz"))
    path.write_bytes(b"damaged")
    assert np.allclose(features(context.weights, context.test, context.cache).scan, again.scan, atol=1e-5)
    with pytest.raises(BadInput, match="another model"):
        features(context.weights.model_copy(update={"config": MedMPTConfig.compact()}), context.test, context.cache)


def test_findings_with_baseline_margin_sizes_and_label_efficiency(context: Context) -> None:
    got = findings.run(context)
    assert {"auc/lung_nodule", "auc/macro", "margin_histogram/macro", "sensitivity/emphysema", "nodule_auc/>12mm"} <= set(got.figures)
    assert got.value("auc_histogram/lung_nodule") > 0.8
    margin = got.value("auc/lung_nodule") - got.value("auc_histogram/lung_nodule")
    assert got.value("margin_histogram/lung_nodule") == pytest.approx(margin, abs=2e-4)
    assert any("consolidation" in note for note in got.notes)
    assert got.value("linear_auc/tiny/100%") == got.value("linear_auc/other/100%")  # the same tensors under two names
    assert got.value("linear_margin/over other/10%") == 0
    assert got.figures["linear_auc/tiny/1%"].n == 10


def test_classes_calibration_and_retrieval(context: Context) -> None:
    got = classes.run(context)
    assert {"severity/kappa/model", "severity/auc/histogram", "severity/accuracy/linear other"} <= set(got.figures)
    assert {"ece/before", "ece/after", "temperature"} <= set(calibration.run(context).figures)
    found = matching.run(context)
    assert 0 <= found.value("image_to_report/r@1") <= found.value("image_to_report/r@10") <= 1
    assert any("word for word" in note for note in found.notes)


def test_the_pointing_game_knows_where_the_lesion_is(context: Context) -> None:
    touched = np.zeros((4, 4, 4), bool)
    touched[1, :2, :2] = True
    assert localise.inside(touched, np.array([1, 0, 0]), 2)
    assert not localise.inside(touched, np.array([1, 1, 0]), 2)
    assert not localise.inside(touched, np.array([0, 0, 0]), 2)
    assert localise.inside(touched, np.array([1, 3, 2]), 8)
    got = localise.run(context, gradient_cases=3)
    assert got.value("chance/lung_nodule") == pytest.approx(4 / 64)
    assert got.figures["gradient_hit/mean"].n == 3
    assert got.value("over_chance/mean") == pytest.approx(got.value("hit/mean") - got.value("chance/mean"), abs=2e-4)


def test_reports_are_judged_by_words_and_by_claims(context: Context) -> None:
    got = reports.run(context)
    assert {"bleu4/model", "cider/nearest", "claims_truth_f1/model", "claims_report_side/nearest"} <= set(got.figures)
    names = [r.report or "" for r in context.test.records]
    perfect = PartResult(name="report")
    reports.measure(context, perfect, "copy", names, range(len(names)))
    for name in ("bleu4", "claims_report_f1", "claims_report_side", "rouge_l"):
        assert perfect.value(f"{name}/copy") == pytest.approx(1)
    assert perfect.value("claims_truth_recall/copy") == 1
    assert perfect.value("false_negations/copy") == 0
    swapped = PartResult(name="report")
    reports.measure(context, swapped, "swap", [n.replace("Right", "Left") for n in names], range(len(names)))
    assert swapped.value("claims_report_side/swap") == 0
    assert swapped.value("claims_report_f1/swap") == pytest.approx(1)


def test_bleu_of_the_bootstrap_is_that_of_sacrebleu() -> None:
    drafts = ["right lung nodule , no effusion in both lungs", "left lung clear and no nodule seen at all"]
    wanted = ["right lung nodule with no effusion in both lungs", "left lung is clear and no nodule seen"]
    samples = reports._bleu(Resampler(2, 0, 3), list(zip(drafts, wanted, strict=True)))
    assert [s[0] for s in samples] == pytest.approx(list(bleu(drafts, wanted).values()), abs=1e-6)
    assert caption_metrics(drafts, wanted)["bleu4"] == pytest.approx(samples[3][0], abs=1e-6)


def test_medication_ways_and_interactions(context: Context) -> None:
    got = medication.run(context, steps=60)
    assert got.value("jaccard/logistic regression") > got.value("jaccard/popularity")
    assert got.value("jaccard/logistic regression") > 0.9
    assert {"f1/without labs", "pr_auc/anew with graph", "recall@3/anew without graph", "ddi_rate/model"} <= set(got.figures)
    sick = sum(r.drugs == ("a", "c") for r in context.test.records)
    assert sick
    assert got.value("ddi_rate/as prescribed") == 1  # every pair given together is `a` with `c`
    assert any("2 pairs of the vocabulary" in note for note in got.notes)


def test_severity_needs_magnitude(context: Context) -> None:
    got = severity.run(context, steps=120)
    assert got.value("spearman/ridge") > 0.7
    assert got.value("spearman/magnitude") > 0.7
    assert "spearman/magnitude over official" in got.figures


def test_claims_follow_the_image(context: Context) -> None:
    got = claims.run(context, studies=6)
    assert {
        "findings probabilities/blank",
        "drafted report/another patient",
        "drug probabilities/blank",
        "most similar study/blank",
    } <= set(got.figures)
    assert got.value("findings probabilities/blank") == 1


def test_the_domain_check_is_measured(context: Context, tmp_path: Path) -> None:
    (tmp_path / "broken.nii").write_bytes(b"no scan")
    seen = Context(**{**{k: v for k, v in vars(context).items() if k in Context.__dataclass_fields__}, "scans": tmp_path})
    got = outside.run(seen, corrupted=3, per_setting=0, demos=0)
    assert got.value("auroc/blank") == 1
    assert got.value("flagged/heavy_noise") == 1
    assert got.value("test_studies/flagged") < 0.2
    assert got.cases[0]["study"] == "broken.nii"
    assert str(got.cases[0]["reason"]).startswith("not read")


@pytest.mark.slow
def test_other_settings_of_the_generator_differ_from_the_usual() -> None:
    from medmpt_backend.evaluation.settings import SETTINGS, volumes

    made = {name: next(volumes(name, 3, 1)) for name in SETTINGS}
    assert made["thick_slices"].hu.shape[0] == 9
    grain = {name: np.median(np.abs(np.diff(made[name].hu.astype(int), axis=1))) for name in ("extreme_noise", "no_noise")}
    assert grain["extreme_noise"] > 20 > grain["no_noise"]
    assert np.array_equal(next(volumes("no_noise", 3, 1)).hu, made["no_noise"].hu)


def test_parts_are_chosen_by_name(context: Context) -> None:
    assert chosen_parts("") == tuple(PARTS)
    assert chosen_parts("retrieval, findings") == ("findings", "retrieval")
    with pytest.raises(BadInput, match="no part 'speed'"):
        chosen_parts("speed")
    told: list[str] = []
    run_parts(context, ("retrieval",), lambda result, seconds: told.append(result.name))
    assert told == ["retrieval"]


def test_files_beside_the_shards_are_checked(tmp_path: Path, eval_config: MedMPTConfig) -> None:
    folder = fabricate(tmp_path / "set", eval_config, 6, 3)
    assert len(open_studies(folder, limit=3)) == 3
    assert open_studies(folder, limit=3).digest != open_studies(folder).digest
    lines = (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    (folder / "truth.jsonl").write_text("\n".join(reversed(lines)), encoding="utf-8")
    with pytest.raises(BadInput, match="same order"):
        open_studies(folder)
    (folder / "truth.jsonl").unlink()
    np.savez(folder / "histograms.npz", volume=np.zeros((2, 4)), lungs=np.zeros((2, 4)))
    with pytest.raises(BadInput, match="2 rows"):
        open_studies(folder)
