"""HopSkipJump: walk along a decision boundary, from labels alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite, sqrt

import torch

from pellucid.attack.evade._decision import bisect, sum_over_probes
from pellucid.attack.evade._probes import gaussian, lowest
from pellucid.ball import NORMS, Ball, spread
from pellucid.box.protocols import LabelBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch, Each

L2 = Ball("l2")


@dataclass(frozen=True, kw_only=True)
class HopSkipJump:
    """Estimate the boundary's normal by probes, jump along it, and fall back to the boundary.

    Source: Chen, Jordan and Wainwright, IEEE S&P 2020, algorithms 1 and 2, section IV.
    Needs: LabelBox; a start that meets the goal.
    Cost: probes sqrt(step) queries a row and step, log2(d^1.5 / gamma) to bisect (d^2 in linf),
        and one or more to jump; the start is bisected first.
    Differs: probes are Gaussian directions in either norm, and can be of low waves as in later
        attacks; rows jump and bisect by themselves.
    """

    ball: Ball = L2  # the norm to be small in
    steps: int = 64  # jumps
    probes: int = 100  # probes for the first normal; grows as sqrt(step)
    most_probes: int = 10_000  # a step
    gamma: float = 1.0  # width of probes and bisection: gamma / d of the distance and less
    reduction: float = 1.0  # probe images in the lowest 1/reduction of the waves each way; 1: all
    halvings: int = 40  # of a jump, until it lands inside
    draw: int = 100  # probes drawn at once: bounds the memory

    def __post_init__(self) -> None:
        if not self.reduction >= 1:
            raise UserError("HopSkipJump probes in all waves or a part: reduction is 1 or more.")

    def __call__(
        self, box: LabelBox, goal: Goal, x: Batch, start: Batch, rng: Streams
    ) -> Iterator[Batch]:
        """Yield points on the boundary: as a rule ever nearer to x, though a jump may fail."""
        z = self._onto_boundary(box, goal, x, start)
        yield z
        for step in range(1, self.steps + 1):
            distance = self.ball.distance(z, x)
            normal = self._normal(
                box, goal, z, self._probe_length(box, distance, step, x), step, rng
            )
            far = self._jump(box, goal, z, normal, distance / sqrt(step))
            z = self._onto_boundary(box, goal, x, far)
            yield z

    def _probe_length(self, box: LabelBox, distance: Each, step: int, x: Batch) -> Each:
        """The paper's delta: a tenth of the input's range at first, then gamma / d of the way."""
        if step == 1:
            span = box.spec.dense().high - box.spec.dense().low
            return torch.full_like(distance, 0.1 * span) if isfinite(span) else 0.1 * distance
        return self.gamma / x[0].numel() * distance

    def _onto_boundary(self, box: LabelBox, goal: Goal, x: Batch, far: Batch) -> Batch:
        """Bisect from far, which meets the goal, towards x; l2 by blending, linf by clipping."""
        d, norm = x[0].numel(), NORMS[self.ball.norm]
        distance = self.ball.distance(far, x)
        theta = self.gamma / d ** (2 - norm.growth)
        one = torch.ones_like(distance)
        return bisect(
            box,
            goal,
            lambda t, rows: self.ball.project(far[rows], x[rows], t * distance[rows]),
            one,
            torch.zeros_like(one),
            theta * one,
        )[1]

    def _normal(
        self, box: LabelBox, goal: Goal, z: Batch, length: Each, step: int, rng: Streams
    ) -> Batch:
        """The direction in which the goal is met, by signed probes less their mean (eq. 16)."""
        count = min(self.most_probes, int(self.probes * sqrt(step)))
        waves = lowest(box.spec, self.reduction)
        signed, plain, total = torch.zeros_like(z), torch.zeros_like(z), torch.zeros_like(length)
        for first in range(0, count, self.draw):
            probes = gaussian(rng, min(self.draw, count - first), tuple(z.shape[1:]), waves)
            probes = probes / spread(torch.linalg.vector_norm(probes.flatten(2), dim=2), probes)
            asked = box.spec.clamp(z + spread(length, z) * probes)
            moved = (asked - z) / spread(length, z)  # clipped probes count as they were asked
            signs = goal(box.labels(asked)).to(z) * 2 - 1
            signed += sum_over_probes(signs, moved)
            plain += sum_over_probes(torch.ones_like(signs), moved)
            total += signs.sum(0)
        mean = (total / count).masked_fill(total.abs() == count, 0)  # all alike: nothing to centre
        return self.ball.steepest(signed - spread(mean, z) * plain)

    def _jump(self, box: LabelBox, goal: Goal, z: Batch, normal: Batch, length: Each) -> Batch:
        """The longest of the steps length, length / 2, ... along the normal that meets the goal."""
        far, rows = z.clone(), torch.arange(len(z))
        for _ in range(self.halvings):
            jump = box.spec.clamp(z[rows] + spread(length[rows], z) * normal[rows])
            met = goal[rows](box[rows].labels(jump))
            far[rows[met]] = jump[met]
            rows, length = rows[~met], length / 2
            if not len(rows):
                break
        return far
