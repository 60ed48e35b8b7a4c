"""Probabilities whose slopes survive where the softmax saturates."""

import torch
from torch import Tensor

from pellucid.shapes import ScoreAnswer


def probabilities(logits: ScoreAnswer) -> ScoreAnswer:
    """The softmax in float64, (*, classes), with a gradient by the logits that is not rounded away.

    Near certainty the gradient of a plain softmax is a difference of numbers next to one: in
    float32 it is zero once the first class leads by 17, and float64 only moves that to 37. Here all
    other classes are written as odds against the first, so nothing cancels, and each row's gradient
    by the logits is scaled to size one before it is cast back. Its direction, which is all that
    steps inside a ball go by, is right at any lead up to 700.
    """
    logits = logits.to(torch.float64, copy=True)
    if logits.requires_grad:
        logits.register_hook(_of_size_one)
    first = logits.detach().argmax(-1, keepdim=True)
    behind = logits - logits.gather(-1, first)
    odds = behind.exp().scatter(-1, first, 1.0)  # the first's own, exactly, and without a slope
    return odds / odds.sum(-1, keepdim=True)


def _of_size_one(gradient: Tensor) -> Tensor:
    """Each row over its largest entry; zero where all of it is."""
    top = gradient.abs().amax(-1, keepdim=True)
    return gradient / torch.where(top > 0, top, 1)
