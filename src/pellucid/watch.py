"""The best of what was asked, row by row."""

import torch
from torch import Tensor

from pellucid.ball import Ball
from pellucid.goals import Goal
from pellucid.rows import Rows
from pellucid.shapes import Answer, Batch, Counts, Verdicts
from pellucid.spec import Spec


class Best:
    """Watches questions and answers, and keeps the nearest success of each row.

    In a ball with a radius a row is closed at its first success.
    """

    def __init__(self, x: Batch, goal: Goal, ball: Ball, spec: Spec, closed: Tensor) -> None:
        """Watch over the rows x; `closed` (rows) is written to as rows are done."""
        self._x, self._goal, self._ball, self._spec = x, goal, ball, spec
        self._limit, self._closed = ball.limit(x), closed
        self.points = x.clone()
        self.distance = x.new_full((len(x),), torch.inf)
        self.found: list[tuple[Counts, Counts, Tensor]] = []  # rows, their queries, distances

    @property
    def success(self) -> Verdicts:
        """Which rows have a success."""
        return self.distance.isfinite()

    def __call__(self, asked: Rows, answer: Answer, who: Counts, number: Counts) -> None:
        """See what was asked (m, *shape), of which row, as which of its queries."""
        if self._goal.needs_scores and not answer.is_floating_point():
            return
        met = self._goal[who](answer).nonzero()[:, 0]
        if not len(met):
            return
        assert isinstance(asked, Tensor)  # a ball is drawn around plain tensors only
        z, who, number = asked[met], who[met], number[met]
        distance = self._ball.distance(z, self._x[who])
        better = (distance < self.distance[who]) & (distance <= self._limit[who])
        better &= self._spec.inside(z)
        if not bool(better.any()):
            return
        z, who, number, distance = z[better], who[better], number[better], distance[better]
        self.distance.scatter_reduce_(0, who, distance, "amin")
        nearest = (distance == self.distance[who]).nonzero()[:, 0]
        # one writer a row: of equally near points the first asked
        first = torch.full((len(self._x),), len(who))
        first = first.scatter_reduce_(0, who[nearest], nearest, "amin")
        rows = (first < len(who)).nonzero()[:, 0]
        first = first[rows]
        self.points[rows] = z[first]
        if self._ball.radius is not None:
            self._closed[rows] = True
        self.found.append((rows, number[first], distance[first]))
