"""Auto-PGD: ascent with momentum whose steps shorten where they no longer help."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch

from pellucid.attack.evade._losses import Loss, climbing
from pellucid.ball import Ball, spread
from pellucid.box.protocols import GradBox
from pellucid.goals import Goal
from pellucid.shapes import Batch, Each, Verdicts


def checkpoints(steps: int) -> set[int]:
    """The steps after which lengths are looked at: 22 % of all, then ever sooner, at least 6 %."""
    found, percent, gap = set[int](), 22, 22
    while percent < 100:
        found.add(-(-percent * steps // 100))
        gap = max(gap - 3, 6)
        percent += gap
    return found


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where each row stands, and how the loss goes there."""

    z: Batch
    gradient: Batch
    value: Each

    def where(self, chosen: Verdicts, other: Self) -> Self:
        """These points for the rows chosen, the others' for the rest."""
        if not bool(chosen.any()):
            return other
        wide = spread(chosen, self.z)
        return type(self)(
            z=torch.where(wide, self.z, other.z),
            gradient=torch.where(wide, self.gradient, other.gradient),
            value=torch.where(chosen, self.value, other.value),
        )


def climb(
    box: GradBox,
    loss: Loss,
    goal: Goal,
    ball: Ball,
    x: Batch,
    z: Batch,
    *,
    steps: int,
    momentum: float,
    rho: float,
) -> Iterator[Batch]:
    """Climb from z inside the ball around x; yields `steps` iterates, the last of them unasked.

    Algorithm 1 of Croce and Hein, ICML 2020. Cost: a query and a gradient a row and step.
    """
    length = x.new_full((len(x),), 2 * (ball.radius or 0))
    lowest = torch.full_like(length, -torch.inf)
    best = Point(z=z, gradient=torch.zeros_like(z), value=lowest)
    rises, halved = torch.zeros_like(length), torch.ones_like(length, dtype=torch.bool)
    before, below, top, last = z, -lowest, lowest, 0
    marks = checkpoints(steps)
    for k in range(steps):
        value, gradient = climbing(box, loss, goal, z)
        here = Point(z=z, gradient=gradient, value=value)
        rises += value > below
        best = here.where(value > best.value, best)
        if k in marks:
            halved = (rises < rho * (k - last)) | (~halved & (best.value == top))
            length = torch.where(halved, length / 2, length)
            here = best.where(halved, here)
            rises, top, last = torch.zeros_like(rises), best.value, k
        far = here.z + spread(length, z) * ball.steepest(here.gradient)
        move = box.spec.clamp(ball.project(far, x)) - here.z
        if k:
            move = momentum * move + (1 - momentum) * (here.z - before)
        before, below = here.z, here.value
        z = box.spec.clamp(ball.project(here.z + move, x))
        yield z
