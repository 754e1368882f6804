"""A linear layer that is fast for the few rows of one decoding step."""

import torch
from torch import Tensor, nn

# Up to this many rows `W x` beats `x W'` on a processor: measured 2.7 times at two rows, 1.2 at eight (AVX2, float32, two threads).
FEW_ROWS = 8
# From this many inputs on, two matrix-vector products beat one product with two columns: 1.4 times at 3072 (AVX2, float32).
LONG_ROW = 2048
# With AVX-512 they do not: measured on Zen 4, where they run in one thread, they take twice the time of the one product in two.
SPLIT_LONG_ROWS = torch.backends.cpu.get_cpu_capability() != "AVX512"


class ThinLinear(nn.Linear):
    """`nn.Linear` that computes `W x` when a processor multiplies only a few rows; same weights, same result to rounding."""

    def forward(self, x: Tensor) -> Tensor:
        """`(..., in)` to `(..., out)`."""
        rows = x.numel() // self.in_features
        if x.device.type != "cpu" or not 1 < rows <= FEW_ROWS or x.dtype != torch.float32 or torch.is_grad_enabled():
            return super().forward(x)
        if SPLIT_LONG_ROWS and rows == 2 and self.in_features >= LONG_ROW and self.bias is not None:
            pair = x.reshape(2, self.in_features)
            out = x.new_empty(2, self.out_features)
            for row in range(2):
                torch.addmv(self.bias, self.weight, pair[row], out=out[row])
            return out.view(*x.shape[:-1], self.out_features)
        columns = x.reshape(rows, self.in_features).t()
        product = self.weight @ columns if self.bias is None else torch.addmm(self.bias[:, None], self.weight, columns)
        # Contiguous rows: what follows (norm, fused attention) is slow on a transposed view or copies it each time.
        return product.t().contiguous().view(*x.shape[:-1], self.out_features)
