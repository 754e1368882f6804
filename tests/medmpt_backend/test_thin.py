import pytest
import torch

from medmpt_backend.thin import FEW_ROWS, ThinLinear


@pytest.mark.parametrize("rows", [1, 2, FEW_ROWS, FEW_ROWS + 1])
@pytest.mark.parametrize("bias", [True, False])
def test_the_same_as_a_linear_layer(rows: int, bias: bool) -> None:
    torch.manual_seed(0)
    layer = ThinLinear(48, 96, bias=bias)
    x = torch.randn(rows, 1, 48)
    with torch.inference_mode():
        assert torch.allclose(layer(x), torch.nn.functional.linear(x, layer.weight, layer.bias), atol=1e-5)


def test_gradients_flow() -> None:
    layer = ThinLinear(8, 4)
    layer(torch.randn(2, 8)).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.abs().sum() > 0
