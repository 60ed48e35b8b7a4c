"""Guided backpropagation: the gradient by way of what excites, never of what inhibits."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import Node

from pellucid.box.protocols import WhiteBox
from pellucid.errors import UserError
from pellucid.explain._differentiate import total_at
from pellucid.explain.attribution import Attribution
from pellucid.explain.targets import Target
from pellucid.shapes import Batch

RECTIFIER = "ReluBackward0"  # torch's name for the derivative of ReLU, layer or function


@dataclass(frozen=True, kw_only=True)
class GuidedBackprop:
    """Go backwards through each ReLU only where both its input and the gradient are positive.

    Source: Springenberg et al., ICLR 2015 workshop, section 4.
    Needs: WhiteBox with ReLU, as layers or as functions; explains logits.
    Cost: one query and one gradient a row.
    Differs: in nothing.
    """

    def __call__(self, box: WhiteBox, x: Batch, target: Target) -> Iterator[Attribution]:
        """Yield the guided gradient."""
        leaf = x.detach().requires_grad_()
        total = total_at(box, leaf, target)
        rectifiers = [node for node in _nodes(total) if node.name() == RECTIFIER]
        if not rectifiers:
            raise UserError(
                "This network has no ReLU on the way from the input to the target, so there is "
                "nothing to guide: choose another explainer."
            )
        for node in rectifiers:
            node.register_prehook(_excite)  # gone with the graph
        (gradient,) = torch.autograd.grad(total, leaf)
        yield Attribution(values=gradient)


def _excite(gradients: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """What is positive of the gradients that come to a ReLU."""
    return tuple(gradient.clamp_min(0) for gradient in gradients)


def _nodes(total: Tensor) -> list[Node]:
    """Every step of the graph behind a number, once."""
    seen: set[Node] = set()
    ahead = [total.grad_fn]
    while ahead:
        node = ahead.pop()
        if node is not None and node not in seen:
            seen.add(node)
            ahead += [before for before, _ in node.next_functions]
    return list(seen)
