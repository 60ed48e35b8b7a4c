"""SimBA: one direction of a basis after another, down or up, kept if the model doubts more."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.attack.evade._picture import cosines, planes
from pellucid.ball import Ball
from pellucid.box.protocols import ScoreBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch, Counts

L2 = Ball("l2")


@dataclass(frozen=True, kw_only=True)
class SimBA:
    """Step down or else up along random directions of a basis, wherever the goal's loss rises.

    Source: Guo, Gardner, You, Wilson and Weinberger, ICML 2019, algorithm 1; SimBA-DCT with waves.
    Needs: ScoreBox.
    Cost: one query a row about x, then one a row and step, and another where the first was no gain.
    Differs: a step that the bounds undo is not asked about; a ball with a radius keeps points
        inside; when all directions are used up, they are drawn anew.
    """

    ball: Ball = L2  # the norm to measure in; a radius keeps points inside
    steps: int = 10_000  # directions
    epsilon: float = 0.2  # length of a step, in the user's units
    waves: int | None = None  # the lowest cosine waves each way; None: single values

    def __post_init__(self) -> None:
        if not self.epsilon > 0 or (self.waves is not None and self.waves < 1):
            raise UserError("SimBA takes steps of a positive length along at least one wave.")

    def __call__(self, box: ScoreBox, goal: Goal, x: Batch, rng: Streams) -> Iterator[Batch]:
        """Yield the point of each row so far; rows that are done leave the work."""
        basis = self._basis(x)
        size = planes(x.shape[1:])[0] * len(basis[0]) * len(basis[1])
        whole, rows, z, order = x, torch.arange(len(x)), x, torch.zeros(len(x), 1).long()
        loss = goal.loss(box.scores(x))
        for step in range(self.steps):
            if step % size == 0:
                order = rng[rows].uniform(1, (size,))[0].argsort(1)
            move = self.epsilon * self._directions(order[:, step % size], basis, x)
            waiting, more = torch.ones(len(x), dtype=torch.bool), loss.isfinite()
            for tried in (z - move, z + move):
                tried = box.spec.clamp(self.ball.project(tried, x))
                asked = (waiting & more & (tried != z).flatten(1).any(1)).nonzero()[:, 0]
                if not len(asked):
                    continue
                scores, about = box[asked].scores(tried[asked]), goal[asked]
                met, got = about(scores), about.loss(scores)
                better = (got > loss[asked]) | met
                taken = asked[better]
                z = z.index_copy(0, taken, tried[taken])
                loss = loss.index_copy(0, taken, got[better])
                waiting[taken] = False
                more[asked] = got.isfinite() & ~met if self.ball.radius is None else got.isfinite()
            whole = whole.index_copy(0, rows, z)
            yield whole
            if not bool(more.all()):
                box, goal, rows, order = box[more], goal[more], rows[more], order[more]
                x, z, loss = x[more], z[more], loss[more]
                if not len(rows):
                    return

    def _basis(self, x: Batch) -> tuple[Tensor, Tensor]:
        """Directions from top to bottom and from left to right; a pixel is a product of two."""
        _, height, width = planes(x.shape[1:])
        if self.waves is None:
            return torch.eye(height).to(x), torch.eye(width).to(x)
        return cosines(height, min(self.waves, height), x), cosines(
            width, min(self.waves, width), x
        )

    def _directions(self, chosen: Counts, basis: tuple[Tensor, Tensor], x: Batch) -> Batch:
        """The direction of this number for each row: one product of the basis, in one channel."""
        down, across = basis
        channel, rest = chosen // (len(down) * len(across)), chosen % (len(down) * len(across))
        product = down[rest // len(across), :, None] * across[rest % len(across), None, :]
        direction = x.new_zeros(len(x), *planes(x.shape[1:]))
        direction[torch.arange(len(x)), channel] = product
        return direction.reshape(x.shape)
