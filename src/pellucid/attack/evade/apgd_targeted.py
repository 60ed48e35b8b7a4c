"""Targeted APGD: climb towards one class after another."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.attack.evade._auto_pgd import climb
from pellucid.attack.evade._losses import targeted_dlr
from pellucid.attack.evade._winners import winners
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.errors import UserError
from pellucid.goals import Goal, hit
from pellucid.rng import Streams
from pellucid.shapes import Batch, Counts, ScoreAnswer
from pellucid.spec import NO_ANSWER

LINF = Ball("linf", 8 / 255)


@dataclass(frozen=True, kw_only=True)
class APGDTargeted:
    """APGD towards each class that would do, the likeliest first, each time from a new start.

    Source: Croce and Hein, ICML 2020, sections 3 to 5; APGD-T of their AutoAttack.
    Needs: GradBox; a ball with a radius; a goal that can be met by a class.
    Cost: steps + 1 queries and steps gradients for each class aimed at; a last query by the judge.
    Differs: starts are uniform in the ball; a row stops at its first success; below four classes
        the loss is the margin; any goal on classes says what to aim at.
    """

    ball: Ball = LINF  # where to stay; in the user's units
    targets: int = 9  # classes aimed at, at most
    steps: int = 100  # gradient steps for each class
    momentum: float = 0.75  # alpha: share of the gradient in a step, the rest is the step before
    rho: float = 0.75  # share of the steps in which the loss must rise to keep their length
    random: bool = True  # begin at random points of the ball, else at x

    def __post_init__(self) -> None:
        if self.ball.radius is None:
            raise UserError("Targeted APGD climbs inside a ball: give the ball a radius.")

    def __call__(self, box: GradBox, goal: Goal, x: Batch, rng: Streams) -> Iterator[Batch]:
        """Yield the iterate of each step; rows that aim no more stay where they are."""
        order, count = _aims(goal, box.scores(x))
        z, rows = x, torch.arange(len(x))
        for turn in range(min(self.targets, order.shape[-1])):
            rows = rows[turn < count[rows]]
            if turn and len(rows):  # the end of the last climb: who may pay no more has no answer
                rows = rows[box[rows].labels(z[rows]) != NO_ANSWER]
            if not len(rows):
                break
            near = x[rows]
            for part in climb(
                box[rows],
                targeted_dlr,
                hit(order[rows, turn]),
                self.ball,
                near,
                box.spec.clamp(self.ball.sample(rng[rows], near)) if self.random else near,
                steps=self.steps,
                momentum=self.momentum,
                rho=self.rho,
            ):
                z = z.index_copy(0, rows, part)
                yield z


def _aims(goal: Goal, scores: ScoreAnswer) -> tuple[Tensor, Counts]:
    """For each row the classes (rows, classes), those first that meet the goal; how many do."""
    does = winners(goal, scores.shape[-1])
    ranked = scores.masked_fill(~does, -torch.inf).argsort(stable=True, dim=-1, descending=True)
    return ranked, does.sum(-1)
