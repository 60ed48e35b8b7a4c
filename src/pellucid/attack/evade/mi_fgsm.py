"""MI-FGSM: small steps along a gradient that remembers."""

from collections.abc import Iterator
from dataclasses import dataclass

from pellucid.attack.evade._ascent import Step, ascend
from pellucid.attack.evade._losses import cross_entropy
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.shapes import Batch

LINF = Ball("linf", 16 / 255)


@dataclass(frozen=True, kw_only=True)
class MIFGSM:
    """Steps of equal length from x to the edge of the ball, along accumulated gradients.

    Source: Dong et al., CVPR 2018, algorithm 1 and section 3.3.
    Needs: GradBox; a ball with a radius.
    Cost: one query and one gradient a row and step; a last query by the judge.
    Differs: a row stops at its first success.
    """

    ball: Ball = LINF  # where to stay; in the user's units
    steps: int = 10  # gradient steps, each 1 / steps of the radius
    decay: float = 1.0  # the paper's mu: what is left of the earlier gradients at each step

    def __post_init__(self) -> None:
        if self.ball.radius is None:
            raise UserError("MI-FGSM walks to the edge of a ball: give the ball a radius.")

    def __call__(self, box: GradBox, goal: Goal, x: Batch) -> Iterator[Batch]:
        """Yield the iterate of each step."""
        step = Step(loss=cross_entropy, length=(self.ball.radius or 0) / self.steps)
        yield from ascend(box, goal, self.ball, x, x, [step] * self.steps, decay=self.decay)
