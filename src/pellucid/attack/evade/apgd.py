"""APGD: climb the loss inside a ball, with steps that set their own length."""

from collections.abc import Iterator
from dataclasses import dataclass

from pellucid.attack.evade._auto_pgd import climb
from pellucid.attack.evade._losses import LOSSES, LossName
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch

LINF = Ball("linf", 8 / 255)


@dataclass(frozen=True, kw_only=True)
class APGD:
    """Projected gradient ascent with momentum, whose steps begin long and are halved on the way.

    A step is halved, and the row goes back to its best point, where the loss rose too seldom since
    the last checkpoint, or where its best has not moved.

    Source: Croce and Hein, ICML 2020, section 3 and algorithm 1.
    Needs: GradBox; a ball with a radius.
    Cost: one query and one gradient a row and step; a last query by the judge.
    Differs: one start, uniform in the ball; a row stops at its first success.
    """

    ball: Ball = LINF  # where to stay; in the user's units
    loss: LossName = "ce"  # what to climb: cross-entropy, or the difference of logits ratio
    steps: int = 100  # gradient steps; the first is two radii long
    momentum: float = 0.75  # alpha: share of the gradient in a step, the rest is the step before
    rho: float = 0.75  # share of the steps in which the loss must rise to keep their length
    random: bool = True  # begin at a random point of the ball, else at x

    def __post_init__(self) -> None:
        if self.ball.radius is None:
            raise UserError("APGD climbs inside a ball: give the ball a radius.")
        if self.loss not in LOSSES:
            raise UserError(f"APGD climbs one of {', '.join(LOSSES)}, not {self.loss!r}.")

    def __call__(self, box: GradBox, goal: Goal, x: Batch, rng: Streams) -> Iterator[Batch]:
        """Yield the iterate of each step."""
        yield from climb(
            box,
            LOSSES[self.loss],
            goal,
            self.ball,
            x,
            box.spec.clamp(self.ball.sample(rng, x)) if self.random else x,
            steps=self.steps,
            momentum=self.momentum,
            rho=self.rho,
        )
