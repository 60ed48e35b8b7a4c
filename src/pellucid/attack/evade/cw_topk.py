"""CW-K: the loss of Carlini and Wagner, for the K best classes and their order."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from pellucid.attack.evade._ordered import Order, wanted
from pellucid.attack.evade._ordered_descent import OrderedDescent
from pellucid.box.protocols import GradBox
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch, Each, RowNumbers, ScoreAnswer


@dataclass(frozen=True, kw_only=True)
class CWTopK(OrderedDescent):
    """Minimise |z - x|^2 + c times the mean lead of classes that should be below others, by Adam.

    Source: Zhang and Wu, CVPR Workshops 2020, as QuadAttacK's code compares it.
    Needs: GradBox; an l2 ball; `ordered_topk`, or a goal that labels decide, of which it takes the
        class likeliest at x.
    Cost: steps * searches + 1 queries and one gradient less a row.
    Differs: Adam decays no weights; lengths are told in the input's own range.
    """

    def __call__(self, box: GradBox, goal: Goal, x: Batch, rng: Streams) -> Iterator[Batch]:
        """Yield the iterate of each step of each search."""
        order = wanted(goal, box.scores(x))

        def pull(rows: RowNumbers, logits: ScoreAnswer) -> Each:
            return hinges(order[rows], logits)

        yield from self._descend(box, goal, x, rng, pull)


def hinges(order: Order, logits: ScoreAnswer) -> Each:
    """For each k, the lead of the best class outside the first k over the worst among them.

    The mean over k; a lead below zero is none.
    """
    total = torch.zeros_like(logits[:, 0])
    worst, rest = torch.full_like(total, torch.inf), logits
    for place in order.unbind(1):
        worst = torch.minimum(worst, logits.gather(1, place[:, None])[:, 0])
        rest = rest.scatter(1, place[:, None], -torch.inf)
        total = total + (rest.amax(1) - worst).clamp_min(0)
    return total / order.shape[1]
