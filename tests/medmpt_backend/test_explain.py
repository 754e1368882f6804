"""Explanations point at what decides, and stop pointing there when the deciding weights are randomised.

Sanity checks after Adebayo et al., NeurIPS 2018, "Sanity checks for saliency maps".
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.inference.decoding import replay
from medmpt_backend.inference.engine import MedMPTEngine
from medmpt_backend.inference.explain import (
    ground_words,
    lab_attributions,
    modality_attributions,
    patch_maps,
    rollout,
    slice_relevance,
    weighted_rollout,
)
from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.model.network import MedMPT


def _randomise(*parts: nn.Module, seed: int = 11) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in parts:
            for parameter in part.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * parameter.std().nan_to_num(0.1).clamp_min(0.05))


def _correlation(a: Tensor, b: Tensor) -> float:
    ranks = [x.flatten().argsort().argsort().float() for x in (a, b)]
    return float(torch.corrcoef(torch.stack(ranks))[0, 1])


@pytest.fixture(scope="module")
def trained() -> MedMPT:
    """A model that learned to see a bright patch in one slice: 48 px, 3 x 3 patches."""
    vision = MedMPTConfig.tiny().vision.model_dump() | {"image": 48, "stem": "official"}
    config = MedMPTConfig.tiny(vision=vision)
    torch.manual_seed(0)
    model = MedMPT(config).train()
    generator = torch.Generator().manual_seed(0)
    parameters = [*model.vision_encoder.parameters(), *model.vision_fusion.parameters(), *model.heads.parameters()]
    optimizer = torch.optim.AdamW([p for p in parameters if p.requires_grad], 2e-3)
    for _ in range(60):
        image, where = _pictures(16, generator)
        logits = model.head_logits("findings", model.fuse(model.encode_slices(image))[0])[:, 0]
        loss = nn.functional.binary_cross_entropy_with_logits(logits, (where >= 0).float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.2
    return model.eval().requires_grad_(False)


def _pictures(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """`(count, 4, 3, 48, 48)` noise; half have a bright patch at one place of one slice. Place = slice * 9 + patch, -1 for none."""
    image = torch.rand((count, 4, 3, 48, 48), generator=generator) * 0.4 - 0.9
    where = torch.randint(0, 36, (count,), generator=generator)
    where[::2] = -1
    for picture, place in zip(image, where.tolist(), strict=True):
        if place >= 0:
            row, column = divmod(place % 9, 3)
            picture[place // 9, :, row * 16 : row * 16 + 16, column * 16 : column * 16 + 16] = 1.0
    return image, where


def test_slice_relevance_finds_the_slice_and_forgets_it_when_randomised(trained: MedMPT) -> None:
    image, where = _pictures(40, torch.Generator().manual_seed(5))
    sick = where >= 0
    encoded = trained.encode_slices(image)
    found = torch.tensor([int(slice_relevance(trained, s, "findings")[0].argmax()) for s in encoded])
    hits = float((found[sick] == where[sick] // 9).float().mean())
    shares = []
    for seed in range(8):  # a random head speaks for the odd slice or against it by chance
        random = MedMPT(trained.config).eval().requires_grad_(False)
        random.load_state_dict(trained.state_dict())
        _randomise(random.heads, random.vision_fusion, seed=seed)
        lost = torch.tensor([int(slice_relevance(random, s, "findings")[0].argmax()) for s in encoded])
        shares.append(float((lost[sick] == where[sick] // 9).float().mean()))
    assert hits > 0.8
    assert np.mean(shares) < hits - 0.2


def test_gradient_weighted_maps_find_the_patch_and_change_with_random_weights(trained: MedMPT) -> None:
    image, where = _pictures(24, torch.Generator().manual_seed(6))
    hits, correlations = [], []
    random = MedMPT(trained.config).eval().requires_grad_(False)
    random.load_state_dict(trained.state_dict())
    _randomise(random.vision_encoder.blocks, random.heads)
    for picture, place in zip(image, where.tolist(), strict=True):
        if place < 0:
            continue
        maps = patch_maps(trained, picture, "findings", 0, "gradient")
        assert maps.shape == (4, 3, 3)
        assert float(maps.min()) >= 0
        hits.append(int(maps[place // 9].flatten().argmax()) == place % 9)
        correlations.append(_correlation(maps, patch_maps(random, picture, "findings", 0, "gradient")))
    assert np.mean(hits) > 0.5  # chance is 1 in 9
    assert abs(float(np.mean(correlations))) < 0.6


def test_rollout_is_a_distribution_and_changes_with_random_attention(trained: MedMPT) -> None:
    layers = [torch.rand(2, 3, 5, 5).softmax(-1) for _ in range(3)]
    assert torch.allclose(rollout(layers).sum(-1), torch.ones(2, 5), atol=1e-5)
    image, _ = _pictures(2, torch.Generator().manual_seed(7))
    random = MedMPT(trained.config).eval().requires_grad_(False)
    random.load_state_dict(trained.state_dict())
    _randomise(random.vision_encoder.blocks)
    maps = [patch_maps(m, image[1], "findings", 0, "rollout") for m in (trained, random)]
    assert abs(_correlation(*maps)) < 0.9


def test_weighted_rollout_without_gradient_is_the_identity() -> None:
    probs = torch.rand(1, 2, 3, 3, requires_grad=True)
    probs.grad = torch.zeros_like(probs)
    assert torch.equal(weighted_rollout([probs])[0], torch.eye(3))


def test_engine_explains_a_label_on_slices_of_the_volume(tiny_engine: MedMPTEngine, make_volume: Callable[..., Volume]) -> None:
    volume = make_volume(slices=9)
    for method in ("gradient", "rollout"):
        found = tiny_engine.explain(volume, "emphysema", method=method)
        assert found.heatmaps.shape == (4, 2, 2)
        assert found.heatmaps.min() >= 0
        assert found.heatmaps.max() <= 1
        assert all(0 <= s < 9 for s in found.key_slices)
        assert found.validity.weights == "tiny"
    with pytest.raises(BadInput, match="no label"):
        tiny_engine.explain(volume, "unicorn")
    with pytest.raises(BadInput, match="unknown method"):
        tiny_engine.explain(volume, "emphysema", method="magic")


def test_words_are_grounded_in_the_slice_that_their_cross_attention_prefers() -> None:
    torch.manual_seed(0)
    model = MedMPT(MedMPTConfig.tiny()).eval()
    assert model.text_decoder is not None
    memory = torch.randn(1, 4, 32)
    with torch.no_grad():
        for layer in model.text_decoder.bert.encoder:
            for name in ("query", "key"):
                layer.crossattention.get_parameter(f"self.{name}.weight").copy_(torch.eye(32) * 4)
        _, sharp = replay(model.text_decoder, memory, [101, 5, 6, 7])
        _randomise(*(layer.crossattention for layer in model.text_decoder.bert.encoder))
        _, random = replay(model.text_decoder, memory, [101, 5, 6, 7])
    assert sharp.shape == (3, 4)
    assert (sharp - random).abs().max() > 0.05


def test_drafted_sentences_name_their_inputs(tiny_engine: MedMPTEngine, small_volume: Volume) -> None:
    draft = tiny_engine.draft_findings(small_volume)
    grounded = ground_words(draft)
    assert [g.text for g in grounded] == [s.text for s in draft.sentences]
    for g in grounded:
        assert [w for _, w in g.inputs] == sorted((w for _, w in g.inputs), reverse=True)


def test_integrated_gradients_add_up_and_leave_missing_values_out() -> None:
    torch.manual_seed(1)
    model = MedMPT(MedMPTConfig.tiny()).eval().requires_grad_(False)
    assert model.labs is not None
    assert model.medication is not None
    values, missing = torch.tensor([[2.0, 0.0, -0.5, 0.9, 0.4, 1.5]]), torch.tensor([[False, True, False, False, False, False]])
    scan, text = torch.randn(1, 32), torch.randn(1, 32)
    found = lab_attributions(model, values, missing, (scan, text), drug=2, steps=200)

    def logit(v: Tensor) -> float:
        assert model.labs is not None
        assert model.medication is not None
        return float(model.medication([scan, text, model.labs(v, missing)[:, 0]])[0][0, 2])

    middle = torch.where(missing, values, torch.full_like(values, 0.5))
    assert float(found.sum()) == pytest.approx(logit(values) - logit(middle), abs=0.02)
    assert float(found[1]) == 0
    _randomise(model.labs)
    assert abs(_correlation(found, lab_attributions(model, values, missing, (scan, text), drug=2))) < 0.95
    shares = modality_attributions(model, (scan, text, model.labs(values, missing)[:, 0]), drug=2, steps=200)
    assert shares.shape == (3,)
