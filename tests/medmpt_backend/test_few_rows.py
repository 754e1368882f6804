import pytest
import torch

from medmpt_backend.model.few_rows import FEW_ROWS, LONG_ROW, ThinLinear


@pytest.mark.parametrize("rows", [1, 2, FEW_ROWS, FEW_ROWS + 1])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("inputs", [48, LONG_ROW])
def test_the_same_as_a_linear_layer(rows: int, bias: bool, inputs: int) -> None:
    torch.manual_seed(0)
    layer = ThinLinear(inputs, 96, bias=bias)
    x = torch.randn(rows, 1, inputs)
    with torch.inference_mode():
        assert layer(x).is_contiguous()
        assert torch.allclose(layer(x), torch.nn.functional.linear(x, layer.weight, layer.bias), atol=1e-5)


def test_gradients_flow() -> None:
    layer = ThinLinear(8, 4)
    layer(torch.randn(2, 8)).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.abs().sum() > 0
