"""Layers that stand in for linear ones at a lower precision, and the automatic choice."""

from pathlib import Path

import pytest
import torch
from torch import nn

from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.model.network import MedMPT
from medmpt_backend.model.precision import PackedLinear, choose_precision, convert, cpu_has_bf16, cpu_packs_bf16

CPU = torch.device("cpu")


packs = pytest.mark.skipif(not cpu_packs_bf16(), reason="this CPU takes no bf16 weights in blocks (no AVX-512)")


@packs
@pytest.mark.parametrize("rows", [1, 5, 197])
def test_a_packed_layer_is_the_linear_layer(rows: int) -> None:
    torch.manual_seed(0)
    linear = nn.Linear(48, 80).bfloat16().requires_grad_(False)
    packed, x = PackedLinear(linear), torch.randn(2, rows, 48).bfloat16()
    with torch.inference_mode():
        assert torch.allclose(packed(x), linear(x), atol=0.02, rtol=0.02)
    assert torch.equal(packed.packed.to_dense(), linear.weight)


@packs
def test_a_packed_layer_applies_the_gelu_that_it_was_given() -> None:
    torch.manual_seed(0)
    linear = nn.Linear(48, 80).bfloat16().requires_grad_(False)
    packed, x = PackedLinear(linear, gelu=True), torch.randn(2, 5, 48).bfloat16()
    wanted = nn.functional.gelu(linear(x))
    with torch.inference_mode():
        assert torch.allclose(packed(x), wanted, atol=0.02, rtol=0.02)
    assert torch.allclose(packed(x.requires_grad_(True)), wanted, atol=0.02, rtol=0.02)


@packs
def test_gradients_reach_the_input_of_a_packed_layer() -> None:
    torch.manual_seed(0)
    linear = nn.Linear(16, 8).bfloat16().requires_grad_(False)
    x = torch.randn(3, 16).bfloat16().requires_grad_(True)
    PackedLinear(linear)(x).sum().backward()
    assert x.grad is not None
    assert torch.allclose(x.grad, linear.weight.sum(0).expand(3, 16), atol=0.02)


@packs
def test_bf16_on_a_processor_packs_the_slice_encoder_only(tiny_config: MedMPTConfig) -> None:
    model = convert(MedMPT(tiny_config).eval().requires_grad_(False), "bf16", CPU)
    packed = {name for name, module in model.named_modules() if isinstance(module, PackedLinear)}
    assert {name.rsplit(".", 1)[1] for name in packed} == {"qkv", "proj", "fc1", "fc2"}
    assert all(name.startswith("vision_encoder.blocks.") for name in packed)
    torch.manual_seed(0)
    model = MedMPT(tiny_config).eval().requires_grad_(False)
    image = torch.rand(1, 4, tiny_config.preprocess.channels, 32, 32)
    with torch.inference_mode():
        wanted = model.encode_slices(image)
        found = convert(model, "bf16", CPU).encode_slices(image.bfloat16())
    assert torch.nn.functional.cosine_similarity(found.float(), wanted, dim=-1).min() > 0.999


def test_slice_embeddings_alone_are_the_first_tokens(tiny_config: MedMPTConfig) -> None:
    torch.manual_seed(0)
    encoder = MedMPT(tiny_config).eval().vision_encoder
    image = torch.rand(3, tiny_config.preprocess.channels, 32, 32)
    with torch.inference_mode():
        assert torch.allclose(encoder.cls(image), encoder(image)[:, 0], atol=1e-6)


def test_the_automatic_choice_follows_the_processor() -> None:
    assert choose_precision("auto", CPU) == ("bf16" if cpu_has_bf16() else "fp32")
    flags = Path("/proc/cpuinfo")
    if flags.is_file():  # Linux
        hardware = {"avx512_bf16", "amx_bf16"} & set(flags.read_text(encoding="utf-8").split())
        assert cpu_has_bf16() == bool(hardware)
