"""CLIPMasterPrints: one image, grown from noise, that fits many captions at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

import torch

from pellucid.attack.evade._adam import Adam
from pellucid.attack.evade._losses import LOSSES, LossName, climbing
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch

ANYWHERE = Ball("linf")


@dataclass(frozen=True, kw_only=True)
class MasterPrint:
    """Climb the lowest score of the goal's captions, by Adam on pixels that begin as noise.

    Source: Freiberger et al., arXiv 2023, the SGD of their section on mining, and their code.
    Needs: GradBox; the goal `matches` for captions, but any goal will do.
    Cost: one query and one gradient a row and step.
    Differs: pixels that leave the bounds are put back, where the paper's code lets them go and
        feels no gradient there; one model, not the least of several; `loss="ce"` climbs a smooth
        minimum, from which all captions pull and not the lowest alone.
    """

    ball: Ball = ANYWHERE  # where success counts; the image begins as noise, not at x
    steps: int = 1000  # gradient steps
    rate: float = 0.1  # of Adam, in shares of the range of a pixel
    loss: LossName = "margin"  # what to climb

    def __call__(self, box: GradBox, goal: Goal, x: Batch, rng: Streams) -> Iterator[Batch]:
        """Yield the iterate of each step; rows without an answer leave the work."""
        dense = box.spec.dense()
        span = dense.high - dense.low if isfinite(dense.high - dense.low) else 1.0
        bounded = isfinite(dense.low) and isfinite(dense.high)
        noise = rng.uniform(1, dense.shape) if bounded else rng.normal(1, dense.shape)
        z = box.spec.clamp((dense.low if bounded else 0.0) + span * noise[0])
        adam, rows = Adam(x, self.rate * span), torch.arange(len(x))
        for step in range(self.steps):
            value, gradient = climbing(box[rows], LOSSES[self.loss], goal[rows], z[rows])
            kept = value.isfinite()
            rows, gradient = rows[kept], gradient[kept]
            if not len(rows):
                return
            moved = z[rows] + adam.step(rows, -gradient, step + 1)
            z = z.index_copy(0, rows, box.spec.clamp(moved))
            yield z
