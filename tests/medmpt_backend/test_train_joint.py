"""Joint training of the compact form: local branch, vocabulary, drug edges, calibration, early stopping. Tiny model, seconds."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from medmpt_backend.inference.engine import MedMPTEngine
from medmpt_backend.inference.tokens import ReportTokenizer
from medmpt_backend.model.config import HeadConfig, MedMPTConfig
from medmpt_backend.model.finding_memory import FIGURES, ZONES, zones
from medmpt_backend.model.network import MedMPT
from medmpt_backend.train.calibrate import SURE, HeadOutput, best_threshold, fit_temperature, tells_apart
from medmpt_backend.train.data.batches import BatchSource
from medmpt_backend.train.data.shards import DatasetInfo, ShardDataset, ShardWriter, StudyRecord
from medmpt_backend.train.data.vocabulary import learn_vocabulary, report_texts
from medmpt_backend.train.heads import refit
from medmpt_backend.train.run import RunPlan, evaluate, export, train
from medmpt_backend.train.settings import TrainSettings
from medmpt_backend.weights.checkpoint import load_model, read_weights

SICK, WELL = "Findings: right lung nodule, 12.5 mm. Impression: nodule.", "影像所见：双肺清晰。未见胸腔积液。"


@pytest.fixture(scope="module")
def config(tiny_config: MedMPTConfig) -> MedMPTConfig:
    whole = tiny_config.model_dump()
    whole["preprocess"] |= {"slab": "halves", "resize": "antialias"}
    whole["vision"] |= {"stem": "residual", "local_width": 16}
    whole["text"] |= {"vocab": 200, "pad": 0, "unk": 1, "cls": 2, "sep": 3, "max_length": 32, "memory": "evidence"}
    whole["medication"] |= {"relations": ("interaction",)}
    whole["heads"] = {
        "findings": HeadConfig(kind="multilabel", labels=("lung_nodule",), patches=True, spots=("lung_nodule",)).model_dump(),
        "severity": HeadConfig(kind="multiclass", labels=("a", "b", "c", "d")).model_dump(),
    }
    return MedMPTConfig.model_validate(whole)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, config: MedMPTConfig) -> Path:
    folder = tmp_path_factory.mktemp("joint") / "set"
    info = DatasetInfo(preprocess=config.preprocess, slices=4, image=32, synthetic=True, mask_labels=("lung_nodule",), cells=4)
    random = np.random.default_rng(0)
    with ShardWriter(folder, info) as writer:
        for i in range(40):
            sick = i % 2
            image = torch.from_numpy(random.integers(0, 120, (4, 6, 32, 32)).astype(np.uint8))
            mask = torch.zeros((4, 1, 4, 4), dtype=torch.uint8)
            if sick:
                image[1, :, 8:16, :8] += 120
                mask[1, 0, 1, 0] = 30
            record = StudyRecord(
                id=f"s{i}",
                split="val" if i >= 20 else "train",
                report=SICK if sick else WELL,
                wordings=("影像所见：右肺结节。",) if sick else (),
                labels={"lung_nodule": 1 if sick else 0},
                classes={"severity": i % 4 if i % 3 else None},
                labs={"crp": 50.0 * sick, "urea": None},
                drugs=("a", "c") if sick else ("b",),
            )
            writer.add(record, image, mask)
    return folder


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("edges") / "edges.npz"
    matrix = np.eye(5, dtype=np.float32)[None].copy()
    matrix[0, 0, 4] = matrix[0, 4, 0] = 1
    np.savez(file, edges=matrix, drugs=np.array(["a", "b", "c", "d", "e"]), relations=np.array(["interaction"]))
    return file


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory, data: Path, config: MedMPTConfig, edges: Path) -> RunPlan:
    out = tmp_path_factory.mktemp("run")
    assert learn_vocabulary(report_texts(data), out / "vocabulary", 200) <= 200
    settings = TrainSettings(
        task="joint",
        steps=60,
        batch=10,
        lr=3e-3,
        augment=False,
        mask_gain=10,
        mask_weight=5,
        evaluate_every=20,
        patience=3,
        checkpoint_every=99,
    )
    return RunPlan(data, out, settings, config=config, tokenizer=out / "vocabulary", edges=edges)


def test_one_look_teaches_every_part_and_calibration_travels(plan: RunPlan, tmp_path: Path) -> None:
    trainer, outcome = train(plan)
    assert set(outcome.losses) == {"findings", "patches", "severity", "lm", "itc", "medication"}
    metrics = evaluate(trainer, plan)
    assert metrics["findings/auc"] == 1
    assert 0 <= metrics["severity/accuracy"] <= 1
    looked = [line for line in (plan.out / "validation.jsonl").read_text().splitlines() if line]
    assert len(looked) == 3
    folder = export(trainer, plan, tmp_path / "weights", "mine", "test")
    weights = read_weights(folder)
    assert weights.provenance.laterality_verified
    assert set(weights.provenance.tasks) == {"encode", "findings", "severity", "report", "embed_text", "similarity", "medication"}
    head = weights.config.heads["findings"]
    assert head.calibrated
    assert len(head.thresholds) == 1
    assert head.reliable == (True,)
    prior = load_model(weights).medication.graph.prior  # type: ignore[union-attr]
    assert prior[1, 0, 4] == prior[1, 4, 0] == 1  # the knowledge graph's edge
    assert prior[0, 0, 2] == prior[0, 2, 0] == 1  # always given together in training
    assert prior[0, 0, 1] == 0
    engine = MedMPTEngine.open(folder, tmp_path)
    hu = np.full((8, 32, 32), -1000, np.int16)
    hu[4:6, 8:16, :8] = 300  # inputs run from the foot: the second of four
    volume = Volume(hu, (5.0, 1.0, 1.0), SeriesInfo("0" * 16, synthetic=True))
    scores = engine.encode(volume).patches["findings"]
    assert scores.shape == (4, 1, 4, 4)
    assert np.unravel_index(scores[:, 0].argmax(), (4, 4, 4)) == (1, 1, 0)


def test_early_stopping_returns_to_the_lowest_validation_loss(plan: RunPlan, tmp_path: Path) -> None:
    worse = plan.settings.model_copy(update={"lr": 0.5, "steps": 12, "evaluate_every": 1, "patience": 2})
    trainer, outcome = train(RunPlan(**{**vars(plan), "settings": worse, "out": tmp_path / "run"}))
    assert outcome.step < 12
    assert not outcome.interrupted
    best = torch.load(tmp_path / "run/best.pt", weights_only=True)
    assert all(torch.equal(a, b) for a, b in zip(trainer.task.state_dict().values(), best.values(), strict=True))


@pytest.mark.parametrize("damage", ["names", "file"])
def test_edges_of_other_drugs_are_refused(plan: RunPlan, tmp_path: Path, damage: str) -> None:
    file = tmp_path / "edges.npz"
    if damage == "file":
        file.write_bytes(b"no archive")
    else:
        np.savez(file, edges=np.eye(2, dtype=np.float32)[None], drugs=np.array(["x", "y"]), relations=np.array(["interaction"]))
    with pytest.raises(BadInput, match="edges"):
        train(RunPlan(**{**vars(plan), "edges": file, "out": tmp_path / "run"}))


def test_learned_vocabulary_writes_both_languages_and_decimals_back(plan: RunPlan) -> None:
    assert plan.tokenizer is not None
    tokenizer = ReportTokenizer.load(plan.tokenizer, 0, 2, 3)
    for text in (SICK, WELL):
        ids = tokenizer.encode([text], 64).ids[0].tolist()
        assert 1 not in ids
        assert tokenizer.decode(ids).replace(" ", "") == text.replace(" ", "")
    assert "12.5" in tokenizer.decode(tokenizer.encode([SICK], 64).ids[0].tolist())


def test_temperature_softens_what_is_too_sure() -> None:
    target = torch.tensor([[1.0], [0.0]] * 50)
    sure = torch.where(torch.arange(100)[:, None] % 5 == 0, -1.0, 1.0) * (target * 2 - 1) * 8  # wrong in one of five, certain always
    assert fit_temperature(HeadOutput(sure, target)) > 2
    assert best_threshold(np.linspace(0, 1, 20), np.arange(20) >= 12) == pytest.approx(11.5 / 19)
    assert best_threshold(np.linspace(0, 1, 20), np.arange(20) >= 18) == 0.5  # too few to say
    stray = np.array([0.0] * 9 + [0.001] + [0.9] * 10)
    assert best_threshold(stray, np.arange(20) >= 9) == SURE  # one positive that scores next to nothing
    assert tells_apart(np.linspace(0, 1, 20), np.arange(20) >= 12)
    assert not tells_apart(np.linspace(0, 1, 20), np.arange(20) % 2 == 0)
    assert not tells_apart(np.linspace(0, 1, 20), np.arange(20) >= 18)


def test_heads_are_fitted_to_their_end_on_a_frozen_encoder(plan: RunPlan, tmp_path: Path) -> None:
    trainer, _ = train(plan)
    folder = export(trainer, plan, tmp_path / "weights", "mine", "test")
    losses = refit(folder, plan.data, tmp_path / "weights", "fitted")
    assert set(losses) == {"report", "match", "findings", "severity", "medication"}
    assert losses["medication"][1] <= losses["medication"][0]
    together = [losses[name] for name in ("report", "match", "findings", "severity")]  # judged by their sum
    assert sum(after for _, after in together) < sum(before for before, _ in together)
    before, after = (load_model(read_weights(tmp_path / "weights" / name)) for name in ("mine", "fitted"))
    assert after.patch_mix["findings"].shape == (3, 1, 1)
    assert after.config.heads["findings"].evidence == "all"
    parts = ("vision_encoder.", "local.", "spots.", "patch_heads.", "spot_heads.", "vision_proj_slice.")
    frozen = {k for k, v in before.state_dict().items() if k.startswith(parts) and not v.is_meta}
    assert any(k.startswith("vision_encoder.") for k in frozen)
    assert all(torch.equal(before.state_dict()[k], after.state_dict()[k]) for k in frozen)
    again = MedMPTEngine.open(tmp_path / "weights/fitted", tmp_path)
    assert again.provenance.tasks == read_weights(folder).provenance.tasks


def test_parts_about_findings_train_the_cells_alone_and_the_rest_is_fitted_above(plan: RunPlan, tmp_path: Path) -> None:
    settings = TrainSettings(
        task="findings",
        steps=30,
        batch=4,
        lr=3e-3,
        mask_balance=0.5,
        mask_gain=10,
        crop_slices=2,
        crop_patches=1,
        evaluate_every=10,
        patience=9,
    )
    parts = replace(plan, settings=settings, out=tmp_path / "run")
    trainer, outcome = train(parts)
    logged = [json.loads(line)["patches"] for line in (tmp_path / "run/losses.jsonl").read_text().splitlines()]
    assert np.mean(logged[-5:]) < np.mean(logged[:5])
    assert set(outcome.losses) == {"patches"}
    assert evaluate(trainer, parts) == {}
    folder = export(trainer, parts, tmp_path / "weights", "parts", "test")
    missing = read_weights(folder).provenance.missing
    assert any(name.startswith("heads.") for name in missing)
    assert not any(name.startswith(("vision_encoder.", "local.", "patch_heads.")) for name in missing)
    slices = load_model(read_weights(folder)).encode_slices(torch.rand(1, 4, 6, 32, 32))  # without the summary, which is not trained yet
    assert slices.isfinite().all()
    assert any(name.startswith("spots.") for name in missing)
    with pytest.raises(BadInput, match="never trained"):
        refit(folder, plan.data, tmp_path / "weights", "none")
    spots = replace(
        parts, settings=settings.model_copy(update={"spots": True}), weights=folder, config=None, tokenizer=None, out=tmp_path / "spots"
    )
    trainer, _ = train(spots)
    logged = [json.loads(line)["patches"] for line in (tmp_path / "spots/losses.jsonl").read_text().splitlines()]
    assert np.mean(logged[-5:]) < np.mean(logged[:5])
    seen = export(trainer, spots, tmp_path / "weights", "spots", "test")
    before, after = (load_model(read_weights(f)).state_dict() for f in (folder, seen))
    assert all(torch.equal(v, after[k]) for k, v in before.items() if k.startswith(("vision_encoder.", "local.", "patch_heads.")))
    refit(seen, plan.data, tmp_path / "weights", "whole", keep=tmp_path / "kept")
    kept = sorted(tmp_path.glob("kept/*.safetensors"))
    assert len(kept) == 2
    refit(seen, plan.data, tmp_path / "weights", "again", keep=tmp_path / "kept")
    first, second = (load_model(read_weights(tmp_path / "weights" / name)).state_dict() for name in ("whole", "again"))
    assert all(torch.equal(v, second[k]) for k, v in first.items() if not v.is_meta)
    kept[0].write_bytes(b"damaged")
    with pytest.raises(BadInput, match="delete it"):
        refit(seen, plan.data, tmp_path / "weights", "again", keep=tmp_path / "kept")
    assert {"findings", "severity", "report", "medication"} <= set(read_weights(tmp_path / "weights/whole").provenance.tasks)
    with pytest.raises(BadInput, match="never trained"):
        refit(_random_weights(plan, tmp_path), plan.data, tmp_path / "weights", "none")


def test_the_branch_for_spots_starts_as_the_trained_one_and_scores_its_labels_alone(config: MedMPTConfig) -> None:
    two = HeadConfig(kind="multilabel", labels=("mass", "lung_nodule"), patches=True, spots=("lung_nodule",))
    torch.manual_seed(0)
    model = MedMPT(config.model_copy(update={"heads": {"findings": two}})).eval()
    image = torch.rand(1, 4, 6, 32, 32)
    with torch.no_grad():
        shared = model.patch_logits("findings", model.look(image, spots=False)[1])  # type: ignore[arg-type]
        model.begin_spots()
        same = model.patch_logits("findings", model.look(image)[1])  # type: ignore[arg-type]
        assert torch.allclose(same, shared, atol=1e-5)
        scorer = model.spot_heads["findings"]
        assert isinstance(scorer, torch.nn.Linear)
        scorer.bias.add_(1)
        moved = model.patch_logits("findings", model.look(image)[1])  # type: ignore[arg-type]
    assert torch.allclose(moved[:, :, 1], shared[:, :, 1] + 1, atol=1e-5)
    assert torch.equal(moved[:, :, 0], same[:, :, 0])


def test_what_the_decoder_is_told_says_where_and_its_attention_goes_to_slices(plan: RunPlan, tmp_path: Path) -> None:
    trainer, _ = train(plan)
    engine = MedMPTEngine.open(export(trainer, plan, tmp_path / "weights", "mine", "test"), tmp_path, precision="fp32")
    hu = np.full((8, 32, 32), -1000, np.int16)
    hu[4:6, 8:16, :8] = 300
    encoding = engine.encode(Volume(hu, (5.0, 1.0, 1.0), SeriesInfo("0" * 16, synthetic=True)))
    where = zones(torch.from_numpy(encoding.patches["findings"])[None])[0, 0]
    assert where.shape == (FIGURES - 1,)
    assert int(where[:ZONES].argmax()) == 0  # lowest third, the patient's right
    draft = engine.draft_findings(encoding)
    assert draft.cross.shape[1] == 4
    assert np.allclose(draft.cross.sum(1), 1, atol=1e-4)
    other = engine.model.memory(torch.zeros(1, 4, 32), torch.ones(1, 1, FIGURES))
    assert other.shape == (1, 5, 32)


def _random_weights(plan: RunPlan, tmp_path: Path) -> Path:
    """Weights of a pretraining step: the local branch was never trained."""
    pretraining = replace(plan, settings=TrainSettings(task="pretrain", steps=1, batch=2), out=tmp_path / "pre")
    trainer, _ = train(pretraining)
    return export(trainer, pretraining, tmp_path / "weights", "pre", "test")


def test_a_part_lies_about_a_finding_and_a_part_of_everything_is_the_whole(plan: RunPlan, config: MedMPTConfig) -> None:
    settings = TrainSettings(task="findings", crop_slices=2, crop_patches=1, augment=False)
    source = BatchSource(ShardDataset(plan.data, "train"), config, settings, None)
    sick = [i for i, record in enumerate(source.data.records) if record.labels["lung_nodule"] == 1]
    made = source.collate_parts([(epoch, i) for epoch in range(5) for i in sick])
    assert made.view.shape == (5 * len(sick), 2, 6, 16, 16)
    assert made.patches is not None
    assert made.origin is not None
    held = (made.patches > 0).flatten(1).any(1)
    assert held.float().mean() > 0.7  # three in four by design, and some by chance
    assert torch.equal(made.origin[held], torch.zeros_like(made.origin[held]))  # the lesion lies in the first patch
    whole = source.collate_parts([(0, 0)], whole=True)
    assert whole.view.shape == (1, 2, 6, 32, 32)
    torch.manual_seed(0)
    model = MedMPT(config).eval()
    image = torch.rand(1, 4, 6, 32, 32)
    for given in (None, 3):
        (tokens, cells), (again, same) = model.look(image), model.look(image, given, torch.zeros(1, 2).long())
        assert cells is not None
        assert same is not None
        assert torch.allclose(tokens, again, atol=1e-5)
        assert torch.allclose(cells, same, atol=1e-5)
