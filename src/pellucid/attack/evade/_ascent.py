"""Steps up a loss inside a ball: the loop of FGSM's descendants."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch

from pellucid.attack.evade._losses import Loss, climbing
from pellucid.ball import Ball, spread
from pellucid.box.protocols import GradBox
from pellucid.goals import Goal
from pellucid.shapes import Batch


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: what to climb, and how far."""

    loss: Loss
    length: float  # in the ball's norm, in the user's units


def ascend(
    box: GradBox,
    goal: Goal,
    ball: Ball,
    x: Batch,
    z: Batch,
    steps: Iterable[Step],
    *,
    decay: float = 0,
) -> Iterator[Batch]:
    """Step from z inside the ball around x; yields an iterate a step, the last of them unasked.

    With a decay, each step follows the gradients so far, every one of l1 norm one, of which that
    share is left at the next: the momentum of Dong et al., CVPR 2018, equation 6. Cost: a query and
    a gradient a row and step.
    """
    velocity = torch.zeros_like(x)
    for step in steps:
        _, gradient = climbing(box, step.loss, goal, z)
        velocity = decay * velocity + _of_size_one(gradient) if decay else gradient
        z = torch.add(z, ball.steepest(velocity), alpha=step.length)
        z = box.spec.clamp(ball.project(z, x))
        yield z


def _of_size_one(gradient: Batch) -> Batch:
    """Each row over its l1 norm; zero where the gradient is zero or NaN."""
    size = torch.linalg.vector_norm(gradient.flatten(1), 1, dim=1)
    return (gradient / spread(size, gradient)).nan_to_num(0, 0, 0)
