"""Structure: what the official parts cannot do and ours can; configuration; findings; tokens."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from medmpt_backend.findings import FINDINGS, to_ct_rate
from medmpt_backend.inference.tokens import ReportTokenizer, clean_report
from medmpt_backend.model.config import LabConfig, MedMPTConfig
from medmpt_backend.model.lab_encoder import LabEncoder
from medmpt_backend.model.medication import MedicationModel, prior_adjacency
from medmpt_backend.model.network import MedMPT
from medmpt_backend.weights.official_layout import rename


def _labs(encoder: str) -> LabEncoder:
    torch.manual_seed(0)
    return LabEncoder(LabConfig(tests=6, width=16, layers=2, heads=2, ff=32, encoder=encoder)).eval()  # type: ignore[arg-type]


def test_the_official_laboratory_encoder_erases_magnitude_and_ours_keeps_it() -> None:
    values, missing = torch.tensor([[1.2, 0.4, 3.0, -0.5, 0.8, 0.9]]), torch.zeros(1, 6)
    official, ours = _labs("official"), _labs("magnitude")
    with torch.no_grad():
        assert official.bio_embedding is not None
        official.bio_embedding.mul_(50)  # as after training: far above eps
        assert (official(values, missing)[:, 0] - official(values * 10, missing)[:, 0]).abs().max() < 1e-4
        assert (ours(values, missing)[:, 0] - ours(values * 10, missing)[:, 0]).abs().max() > 1e-2


def test_only_ours_learns_what_depends_on_magnitude() -> None:
    """Ten times against twice the upper limit: same signs, so the official encoder cannot tell them apart."""
    accuracy = {}
    for encoder in ("official", "magnitude"):
        labs, head = _labs(encoder).train(), torch.nn.Linear(16, 1)
        generator = torch.Generator().manual_seed(1)
        optimizer = torch.optim.AdamW([*labs.parameters(), *head.parameters()], 3e-3)
        missing = torch.zeros(64, 6)
        for _ in range(80):
            values = torch.rand((64, 6), generator=generator) + 0.1
            severe = torch.rand(64, generator=generator) < 0.5
            values[:, 2] = torch.where(severe, 10.0, 2.0) * (0.9 + 0.2 * torch.rand(64, generator=generator))
            logits = head(labs(values, missing)[:, 0])[:, 0]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, severe.float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        accuracy[encoder] = float(((logits > 0) == severe).float().mean())
    assert accuracy["magnitude"] > 0.95
    assert accuracy["official"] < 0.75


@pytest.mark.parametrize("encoder", ["official", "magnitude"])
def test_a_missing_value_does_not_matter(encoder: str) -> None:
    labs, missing = _labs(encoder), torch.tensor([[0, 1, 0, 0, 0, 0]])
    one, two = torch.ones(1, 6), torch.ones(1, 6)
    two[0, 1] = 9.0
    assert torch.allclose(labs(one, missing)[:, 0], labs(two, missing)[:, 0], atol=1e-6)


def _medication(graph: str) -> MedicationModel:
    torch.manual_seed(0)
    config = MedMPTConfig.tiny(official=graph == "official").medication
    assert config is not None
    return MedicationModel((32, 32, 16), config).eval()


@pytest.mark.parametrize(("graph", "patient_dependent"), [("official", False), ("patient", True)])
def test_the_official_graph_is_a_bias_per_drug_and_ours_depends_on_the_patient(graph: str, patient_dependent: bool) -> None:
    model = _medication(graph)
    modalities = [torch.randn(4, w, generator=torch.Generator().manual_seed(w)) for w in (32, 32, 16)]
    before = model(modalities)[0]
    with torch.no_grad():
        model.graph.nodes.add_(torch.randn(model.graph.nodes.shape, generator=torch.Generator().manual_seed(9)))
    shift = model(modalities)[0] - before
    spread = (shift - shift.mean(0)).abs().max()
    assert bool(spread > 1e-4) is patient_dependent


def test_prior_adjacency_is_conditional_on_the_column_drug() -> None:
    together = np.array([[0.0, 6.0], [6.0, 0.0]])
    assert prior_adjacency(together, np.array([20.0, 10.0]), 0.5).tolist() == [[1, 1], [0, 1]]


def test_one_config_describes_everything_and_travels_as_json() -> None:
    for config in (MedMPTConfig.base(), MedMPTConfig.compact(), MedMPTConfig.tiny()):
        assert MedMPTConfig.model_validate_json(config.model_dump_json()) == config
    with pytest.raises(ValidationError, match="not a multiple"):
        MedMPTConfig.tiny(vision={**MedMPTConfig.tiny().vision.model_dump(), "image": 33})


def test_the_official_size_is_the_official_size() -> None:
    with torch.device("meta"):
        model = MedMPT(MedMPTConfig.base().model_copy(update={"labs": None, "medication": None}))
    counts = {n: sum(p.numel() for p in m.parameters()) / 1e6 for n, m in model.named_children()}
    # the official state-dict listing, in millions; the text encoder without its unused pooler
    assert counts["vision_encoder"] == pytest.approx(85.799, abs=1e-3)
    assert counts["vision_fusion"] == pytest.approx(14.571, abs=1e-3)
    assert counts["text_encoder"] == pytest.approx(59.741 - 0.591, abs=2e-3)


def test_official_names_are_known_and_others_are_not() -> None:
    assert rename("module.vision_encoder_q.blocks.3.attn.qkv.bias") == "model.vision_encoder.blocks.3.attn.qkv.bias"
    assert rename("textual_encoder.bert.embeddings.LayerNorm.bias") == "model.text_encoder.embeddings.LayerNorm.bias"
    assert rename("text_encoder_q.bert.embeddings.position_ids") is None
    with pytest.raises(KeyError):
        rename("resnet.conv1.weight")


def test_findings_map_onto_all_ct_rate_labels() -> None:
    assert len({f.ct_rate for f in FINDINGS.values()} - {None}) == 18
    assert to_ct_rate({"ground_glass": 0.4, "lung_opacity": 0.7, "cavity": 0.9}) == {"Lung opacity": 0.7}


def test_reports_are_cleaned_and_tokens_return(tokenizer_dir: object) -> None:
    assert clean_report("与 2019-01-01 片对比, 右肺结节:5mm,, 无变化") == "右肺结节：5mm，无变化"
    tokenizer = ReportTokenizer.load(tokenizer_dir, 0, 101, 102)  # type: ignore[arg-type]
    batch = tokenizer.encode(["right lung nodule.", "肺结节。"], 10)
    assert batch.ids[0, 0] == 101
    assert batch.mask.sum(1).tolist() == [6, 6]
    assert tokenizer.decode(batch.ids[0].tolist()) == "right lung nodule."
    assert tokenizer.decode(batch.ids[1].tolist()) == "肺结节。"
    assert tokenizer.encode(["right " * 50], 10).ids.shape == (1, 10)
