"""PGD: climb the loss inside a ball."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, pi
from typing import Literal

from pellucid.attack.evade._ascent import Step, ascend
from pellucid.attack.evade._losses import LOSSES, LossName
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch

LINF = Ball("linf", 0.3)


@dataclass(frozen=True, kw_only=True)
class PGD:
    """Projected gradient ascent of a loss, the goal's cross-entropy, from a random point.

    Source: Madry et al., ICLR 2018, section 2.1 and the MNIST settings of section 5.
    Needs: GradBox; a ball with a radius.
    Cost: one query and one gradient a row and step; a last query by the judge.
    Differs: the step is a share of the radius; a row stops at its first success; other losses, and
        steps that shorten, are of later work.
    """

    ball: Ball = LINF  # where to stay; in the user's units
    steps: int = 40  # gradient steps
    step: float = 1 / 30  # length of the first step, of the radius
    random: bool = True  # begin at a random point of the ball, else at x
    loss: LossName = "ce"  # what to climb
    falling: Literal["not", "cosine"] = "not"  # steps keep their length, or fall to none by cosine

    def __post_init__(self) -> None:
        if self.ball.radius is None:
            raise UserError("PGD climbs inside a ball: give the ball a radius.")

    def __call__(self, box: GradBox, goal: Goal, x: Batch, rng: Streams) -> Iterator[Batch]:
        """Yield the iterate of each step."""
        z = box.spec.clamp(self.ball.sample(rng, x)) if self.random else x
        yield from ascend(box, goal, self.ball, x, z, self._schedule())

    def _schedule(self) -> Iterator[Step]:
        first = self.step * (self.ball.radius or 0)
        for number in range(self.steps):
            share = cos(pi / 2 * number / self.steps) if self.falling == "cosine" else 1
            yield Step(loss=LOSSES[self.loss], length=first * share)
