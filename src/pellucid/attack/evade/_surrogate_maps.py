"""Climbing the loss of surrogates while the maps that explain their answers stay as they were."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from pellucid.attack.evade._picture import planes
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.goals import Goal
from pellucid.shapes import Batch, Draws, ScoreAnswer

Maps = Float[Tensor, "k n places"]  # from 0 to 1, for each of k points of each row
CleanMap = Float[Tensor, "1 n places"]

TINY = 1e-12  # keeps a map that is the same everywhere from dividing by zero


@dataclass(frozen=True, kw_only=True)
class SurrogateClimb:
    """MI-FGSM of Dong et al., CVPR 2018, on the mean logits of surrogates, with a term for maps.

    Each point climbs: goal's loss - weight * mean square change of the gradient map, where the map
    is that of the class which the surrogate names at the point.
    """

    ball: Ball  # where to stay: an Linf ball with a radius
    steps: int  # each 1 / steps of the radius
    decay: float  # what is left of earlier gradients at each step
    weight: float  # of the change of the maps; 0: they are not looked at
    pool: int  # side of the squares over which maps are averaged, in pixels

    def __call__(self, surrogates: Sequence[GradBox], goal: Goal, x: Batch, z: Draws) -> Draws:
        """Where the climbs from z (k, n, *shape) end, within the ball around x.

        Cost on each surrogate: a query and a gradient a point and step; with a weight two
        gradients, and a query and a gradient a row more.
        """
        clean = [self._clean(box, x) for box in surrogates] if self.weight else []
        length, velocity = (self.ball.radius or 0) / self.steps, torch.zeros_like(z)
        for _ in range(self.steps):
            gradient = self._gradient(surrogates, goal, z, clean)
            size = gradient.flatten(2).abs().sum(2).clamp_min(torch.finfo(z.dtype).tiny)
            velocity = self.decay * velocity + gradient / size.reshape(
                *size.shape, *[1] * (x.ndim - 1)
            )
            z = self._inside(surrogates[0], x, z + length * velocity.sign())
        return z

    def _inside(self, box: GradBox, x: Batch, z: Draws) -> Draws:
        radius = self.ball.radius or 0
        return box.spec.clamp(torch.minimum(torch.maximum(z, x - radius), x + radius))

    def _gradient(
        self, surrogates: Sequence[GradBox], goal: Goal, z: Draws, clean: Sequence[CleanMap]
    ) -> Draws:
        """Of what is climbed, at z; zero where it cannot be told."""
        z = z.detach().requires_grad_()
        with torch.enable_grad():
            logits = [box.logits(z) for box in surrogates]
            value = goal.loss(sum(logits[1:], logits[0]) / len(logits)).sum()
            for said, before in zip(logits, clean, strict=False):
                change = (gradient_map(said, z, self.pool, again=True) - before) ** 2
                value = value - self.weight / len(surrogates) * change.mean(-1).sum()
        return torch.autograd.grad(value, z)[0].nan_to_num(0, 0, 0)

    def _clean(self, box: GradBox, x: Batch) -> CleanMap:
        z = x[None].detach().requires_grad_()
        with torch.enable_grad():
            return gradient_map(box.logits(z), z, self.pool, again=False)


def gradient_map(logits: ScoreAnswer, z: Draws, pool: int, *, again: bool) -> Maps:
    """How fast the surprise at the class named changes with each pixel, from 0 to 1.

    The largest size over channels of the gradient of minus its log-probability, averaged over
    squares of `pool` pixels, less its least value and over its greatest then. With `again`, the
    map can itself be differentiated.
    """
    surprise = -logits.log_softmax(-1).amax(-1).sum()
    gradient = torch.autograd.grad(surprise, z, create_graph=again)[0]
    channels, height, width = planes(tuple(z.shape[2:]))
    flat = gradient.abs().reshape(-1, channels, height, width).amax(1, keepdim=True)
    pooled = functional.avg_pool2d(flat, (min(pool, height), min(pool, width))).flatten(1)
    least, greatest = pooled.amin(1, keepdim=True), pooled.amax(1, keepdim=True)
    return ((pooled - least) / (greatest - least + TINY)).reshape(*z.shape[:2], -1)
