"""FGSM: one step, as long as the ball allows."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from pellucid.attack.evade._losses import climbing, cross_entropy
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.shapes import Batch

LINF = Ball("linf", 0.25)  # the paper's, on MNIST


@dataclass(frozen=True, kw_only=True)
class FGSM:
    """One step from x to the edge of the ball, the way the goal's cross-entropy climbs fastest.

    Source: Goodfellow et al., ICLR 2015, section 4.
    Needs: GradBox; a ball with a radius.
    Cost: one query and one gradient a row; a last query by the judge.
    Differs: in l2 the step follows the gradient, where the paper has its sign alone.
    """

    ball: Ball = LINF  # how far to step; in the user's units

    def __post_init__(self) -> None:
        if self.ball.radius is None:
            raise UserError("FGSM steps to the edge of a ball: give the ball a radius.")

    def __call__(self, box: GradBox, goal: Goal, x: Batch) -> Iterator[Batch]:
        """Yield where the step leads."""
        _, gradient = climbing(box, cross_entropy, goal, x)
        z = torch.add(x, self.ball.steepest(gradient), alpha=self.ball.radius or 0)
        yield box.spec.clamp(self.ball.project(z, x))
