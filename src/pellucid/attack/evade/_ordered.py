"""Classes in a wanted order: what attacks on the K best classes ask of a goal."""

import torch
from jaxtyping import Int
from torch import Tensor

from pellucid.attack.evade._winners import winners
from pellucid.goals import Goal, ordered_topk
from pellucid.shapes import ScoreAnswer

Order = Int[Tensor, "n k"]  # the classes that are to be the best, from the first down
Ends = Int[Tensor, "n m"]  # a class for each of m comparisons


def wanted(goal: Goal, scores: ScoreAnswer) -> Order:
    """The order that the goal names or, of a goal on labels, the likeliest class that meets it."""
    if isinstance(goal, ordered_topk):
        return goal.t
    does = winners(goal, scores.shape[-1])
    return scores.masked_fill(~does, -torch.inf).argmax(-1, keepdim=True)


def comparisons(order: Order, classes: int) -> tuple[Ends, Ends]:
    """The classes (above, below) that must be one above the other: classes - 1 pairs a row.

    Each class of the order is above the next, and the last of them above all classes outside.
    """
    outside = torch.ones(len(order), classes, dtype=torch.bool).scatter(1, order, False)
    rest = outside.nonzero()[:, 1].reshape(len(order), -1)
    last = order[:, -1:].expand_as(rest)
    return torch.cat([order[:, :-1], last], 1), torch.cat([order[:, 1:], rest], 1)
