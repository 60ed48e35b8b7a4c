"""Gradients of what a box answered, where it may have answered nobody."""

import torch

from pellucid.shapes import Batch, Each


def slope(value: Each, at: Batch, *, again: bool = False) -> Batch:
    """The gradient of each row's value by its input, for rows that were asked about apart.

    When none of these rows can pay while others can, there is no answer to differentiate: zero.
    With `again`, the same answer can be differentiated once more.
    """
    if not value.requires_grad:
        return torch.zeros_like(at)
    return torch.autograd.grad(value.sum(), at, retain_graph=again)[0]
