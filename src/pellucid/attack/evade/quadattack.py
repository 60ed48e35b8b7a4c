"""QuadAttacK: walk towards the nearest features that would give the wanted order of classes."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.attack.evade._head import Head, head
from pellucid.attack.evade._nonnegative_qp import nonnegative_qp
from pellucid.attack.evade._ordered import Order, comparisons, wanted
from pellucid.attack.evade._ordered_descent import OrderedDescent
from pellucid.box.protocols import WhiteBox
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch, Each, RowNumbers, ScoreAnswer


@dataclass(frozen=True, kw_only=True)
class QuadAttacK(OrderedDescent):
    """Minimise |z - x|^2 + c |f - f*|^2 by Adam, f the features of z and f* the nearest in order.

    A quadratic program finds f*: of all features that the last linear layer puts into the wanted
    order, each class `margin` above the next, those nearest to f.

    Source: Paniagua, Grainger and Wu, NeurIPS 2023, and their code's settings.
    Needs: WhiteBox of a network that ends in a linear layer; an l2 ball; `ordered_topk`, or a goal
        that labels decide, of which it takes the class likeliest at x.
    Cost: steps * searches + 1 queries and gradients a row.
    Differs: the program is solved in its dual, to the end, where the paper's solver stops at 1e-2;
        no derivative goes through it, as |f - f*|^2 has the slope 2 (f - f*); Adam decays no
        weights; lengths are told in the input's own range.
    """

    margin: float = 0.2  # by which f* puts each class above the next, in logits
    head: str | None = None  # name of the last linear layer; None: the last with an output a class

    def __call__(self, box: WhiteBox, goal: Goal, x: Batch, rng: Streams) -> Iterator[Batch]:
        """Yield the iterate of each step of each search."""
        layer = head(box, x, self.head)
        aim = Projection(layer, wanted(goal, layer.logits), self.margin)
        yield from self._descend(box, goal, x, rng, aim)


class Projection:
    """How far features are from those that a linear layer puts in order, told by their logits.

    With rows of G the weights of the class above less those of the class below, f* = f + G' v for
    the v >= 0 that minimises v' G G' v / 2 + (G f - h)' v: G f - h is how far the logits of f are
    above the margin, so the features themselves are never asked for.
    """

    def __init__(self, layer: Head, order: Order, margin: float) -> None:
        """A layer, and the order (n, k) that each row is to have."""
        self._gram = (layer.weight.double() @ layer.weight.double().T).contiguous()
        self._above, self._below = comparisons(order, len(self._gram))
        self._scale, self._margin = layer.scale.double(), margin
        self._free = torch.zeros_like(self._above, dtype=torch.bool)  # of the last program

    def __call__(self, rows: RowNumbers, logits: ScoreAnswer) -> Each:
        """Numbers whose gradients by the logits (m, classes) of these rows are |f - f*|^2's."""
        v = self.multipliers(rows, logits.detach())
        above, below = self._above[rows], self._below[rows]
        weights = torch.zeros_like(logits, dtype=v.dtype)
        weights = weights.scatter_add(1, above, v).scatter_add(1, below, -v)
        return torch.einsum("nc,nc->n", -2 * weights.to(logits), logits)

    def multipliers(self, rows: RowNumbers, logits: ScoreAnswer) -> Tensor:
        """The v (m, classes - 1) of these rows, in float64."""
        above, below = self._above[rows], self._below[rows]
        logits, scale = logits.double(), self._scale[rows, None]
        excess = logits.gather(1, above) - logits.gather(1, below) - self._margin
        # of the layer's own weights; the logits' are `scale` times as large
        v, self._free[rows] = nonnegative_qp(
            self._between(above, below), excess / scale, self._free[rows]
        )
        return v / scale

    def _between(self, above: Tensor, below: Tensor) -> Tensor:
        """G G' of each row."""
        up, down = self._gram[above], self._gram[below]  # (m, comparisons, classes)
        apart = up - down
        size = (*above.shape, above.shape[1])
        return apart.gather(2, above[:, None].expand(size)) - apart.gather(
            2, below[:, None].expand(size)
        )
