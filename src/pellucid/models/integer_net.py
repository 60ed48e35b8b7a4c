"""A classifier in whole numbers: a row's answer is the same bits in any batch."""

import torch
from torch import nn

from pellucid.shapes import Batch, ScoreAnswer

GRID = 16  # inputs are rounded to multiples of 1/16
HIDDEN = 16


class IntegerNet(nn.Module):
    """Rounding to a grid, a linear layer, ReLU, a linear layer; all weights are whole numbers.

    Floating-point sums depend on their order, and kernels choose it by batch size; sums of whole
    numbers that stay below 2^24 are exact in float32 and depend on nothing. They stay below it
    while 256 d |x - 1/2| < 2^24 / 2^ceil(log2(classes)) for rows of d values: with ten classes up
    to |x| of 63 for d = 64 and 4.7 for d = 784. float64 has room for far more.
    No two logits of a row are ever equal. The rounding passes gradients through unchanged, so
    that gradients are whole multiples of a power of two, and exact as well.
    """

    def __init__(
        self, shape: tuple[int, ...] = (1, 8, 8), classes: int = 10, seed: int = 0
    ) -> None:
        """Draw the weights from a generator of their own.

        Args:
            shape: The shape of one row; any.
            classes: How many logits come out.
            seed: Decides the weights, and nothing else does.
        """
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        size = torch.Size(shape).numel()
        self.flatten = nn.Flatten()
        self.linear1 = _linear(torch.randint(-1, 2, (HIDDEN, size), generator=rng))
        self.relu = nn.ReLU()
        # As many +1 as -1 for every class: none wins everywhere.
        order = torch.rand((classes, HIDDEN), generator=rng).argsort(dim=1)
        self.linear2 = _linear(1 - 2 * (order % 2))
        ties = 2 ** (classes - 1).bit_length()  # the power of two that gives each class a fraction
        self.register_buffer("ties", torch.arange(classes) / ties)

    def forward(self, x: Batch) -> ScoreAnswer:
        """Logits (n, classes) in multiples of a power of two, of rows (n, *shape)."""
        scaled = GRID * self.flatten(x)
        # Adding 0 keeps the rounded value exact and lends it the gradient of what was rounded.
        whole = scaled.detach().round() + (scaled - scaled.detach())
        centred = whole - GRID // 2
        return (self.linear2(self.relu(self.linear1(centred))) + self.ties) / GRID


def _linear(weight: torch.Tensor) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
    linear.weight = nn.Parameter(weight.to(torch.get_default_dtype()))
    return linear
