"""FMN: climb inside a ball whose radius shrinks on success and grows on failure."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, inf, pi

import torch

from pellucid.ball import NORMS, Ball
from pellucid.box.protocols import GradBox
from pellucid.goals import Goal
from pellucid.shapes import Batch, Each
from pellucid.spec import Spec

L2 = Ball("l2")


@dataclass(frozen=True, kw_only=True)
class FMN:
    """Ascend the margin by steps of falling length, and fit the radius to the boundary on the way.

    Source: Pintor et al., NeurIPS 2021, algorithm 1, and their code's settings.
    Needs: GradBox.
    Cost: one query and one gradient a row and step; a last query by the judge.
    Differs: the radius also grows by gamma before a row's first success, where the paper goes as
        far as the slope says: that can near the boundary for ever and not cross; begins at x alone.
    """

    ball: Ball = L2  # the norm to be small in
    steps: int = 100  # gradient steps
    alpha: float = 1.0  # length of the first step, l2, in the user's units
    last_alpha: float = 0.01  # and of the last, which cosine annealing comes near
    gamma: float = 0.05  # first share by which the radius shrinks or grows
    last_gamma: float = 0.001  # and the last

    def __call__(self, box: GradBox, goal: Goal, x: Batch) -> Iterator[Batch]:
        """Yield the iterate of each step."""
        z, farthest = x, self._farthest(box.spec, x)
        radius, nearest = torch.zeros_like(farthest), torch.full_like(farthest, inf)
        for step in range(self.steps):
            fall = (1 + cos(pi * step / self.steps)) / 2
            alpha = self.last_alpha + (self.alpha - self.last_alpha) * fall
            gamma = self.last_gamma + (self.gamma - self.last_gamma) * fall
            asked = z.detach().requires_grad_()
            margin = goal.margin(box.logits(asked).to(x))
            (gradient,) = torch.autograd.grad(margin.sum(), asked)
            margin, z = margin.detach(), asked.detach()
            size = self.ball.distance(z, x)
            nearest = torch.where(margin > 0, torch.minimum(nearest, size), nearest)
            hoped = torch.where(nearest.isfinite(), 0, size + self._away(margin, gradient))
            failed = torch.maximum(radius * (1 + gamma), hoped)
            fitted = torch.where(margin > 0, torch.minimum(radius * (1 - gamma), nearest), failed)
            fitted = torch.minimum(fitted, farthest)
            radius = torch.where(margin.isfinite(), fitted, radius)
            direction = NORMS["l2"].steepest(gradient.flatten(1)).reshape(x.shape)
            z = box.spec.clamp(self.ball.project(z + alpha * direction, x, radius))
            yield z

    def _away(self, margin: Each, gradient: Batch) -> Each:
        """How far the boundary lies where the margin falls as the gradient says."""
        slope = (gradient * self.ball.steepest(gradient)).flatten(1)  # its sum is the dual norm
        dual = torch.einsum("nd->n", slope)
        return margin.abs() / dual.clamp_min(torch.finfo(dual.dtype).tiny)

    def _farthest(self, spec: Spec, x: Batch) -> Each:
        """How far from x the farthest allowed point lies."""
        dense = spec.dense()
        return self.ball.distance(torch.maximum(x - dense.low, dense.high - x), torch.zeros_like(x))
