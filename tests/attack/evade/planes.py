"""Linear models, where the least radius that works is known."""

import itertools
from dataclasses import dataclass

import torch
from tests.subjects import vector_box
from torch import Tensor, nn

from pellucid.box.torch_box import TorchBox

MARGIN = 0.5
DUAL = {"linf": 1, "l2": 2}  # the norm of the weights that decides in a ball of each norm


def draws(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def affine(weights, biases, **facts):
    """A box of a model whose logits are weights x + biases."""
    classes, d = weights.shape
    model = nn.Linear(d, classes, dtype=weights.dtype)
    with torch.no_grad():
        model.weight.copy_(weights)
        model.bias.copy_(biases)
    return vector_box(model, d=d, classes=classes, pad=1, **facts)


@dataclass(frozen=True)
class Plane:
    """Two classes, the second where w . x + b > 0, and rows with a margin of MARGIN."""

    w: Tensor
    box: TorchBox
    x: Tensor
    y: Tensor

    def radius(self, norm):
        """The least that moves a row across."""
        return MARGIN / float(torch.linalg.vector_norm(self.w, DUAL[norm]))


def plane(rows=10, d=12):
    """A plane with as many rows on either side."""
    w, b, x = draws(d, seed=1), 0.3, draws(rows, d, seed=2)
    side = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(rows // 2)
    x = x + ((MARGIN * side - (x @ w + b)) / (w @ w))[:, None] * w
    box = affine(torch.stack([0 * w, w]), torch.tensor([0.0, b]))
    return Plane(w, box, x, (side > 0).long())


def clipped(radius, d=8, rows=40):
    """A box with bounds, rows in it, and which of them a corner of the clipped cube moves over."""
    w, b = draws(d, seed=3), -0.1
    x = torch.rand(rows, d, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    y = (x @ w + b > 0).long()
    low, high = (x - radius).clamp(0, 1), (x + radius).clamp(0, 1)
    choices = itertools.product([True, False], repeat=d)
    corners = torch.stack([torch.where(torch.tensor(choice), high, low) for choice in choices])
    over = ((corners @ w + b > 0) != (y == 1)).any(0)
    assert 0 < int(over.sum()) < len(x)
    box = affine(torch.stack([0 * w, w]), torch.tensor([0.0, b]), low=0.0, high=1.0)
    return box, x, y, over
