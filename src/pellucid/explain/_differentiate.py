"""Gradients of a target by the input, some probes at a time."""

import torch
from torch import Tensor

from pellucid.box.protocols import GradBox
from pellucid.errors import UserError
from pellucid.explain.targets import Target
from pellucid.shapes import Draws

ROWS_AT_ONCE = 128  # rows a pass: their graph is kept until they have gone backwards


def differentiate(box: GradBox, z: Draws, target: Target) -> Draws:
    """The gradient of the target at each of the probes z (k, n, *shape).

    Costs a query and a gradient for each probe of each row.
    """
    gradients = []
    for probes in z.split(max(1, ROWS_AT_ONCE // z.shape[1])):
        leaf = probes.detach().requires_grad_()
        gradients += torch.autograd.grad(total_at(box, leaf, target), leaf)
    return torch.cat(gradients)


def total_at(box: GradBox, z: Tensor, target: Target) -> Tensor:
    """The target at z (*probes, n, *shape), added up, with its graph.

    Raises:
        UserError: the target has no gradient.
    """
    with torch.enable_grad():
        total = target(box.logits(z)).sum()
    if not total.requires_grad:
        raise UserError(
            "The target has no gradient by the input: let its function be one that torch can "
            "differentiate, of outputs that the model computes from the input."
        )
    return total
