"""PMA+: PMA, then targeted attacks on what it leaves."""

from collections.abc import Iterator
from dataclasses import dataclass

from pellucid.attack.evade.apgd_targeted import APGDTargeted
from pellucid.attack.evade.cascade import Cascade
from pellucid.attack.evade.fab_targeted import FABTargeted
from pellucid.attack.evade.pma import PMA
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch

LINF = Ball("linf", 8 / 255)


@dataclass(frozen=True, kw_only=True)
class PMAPlus:
    """PMA, then targeted APGD on the rows that are left, then if wanted targeted FAB.

    Source: Xie et al., arXiv 2024, and their code.
    Needs: GradBox; a ball with a radius; a goal that labels decide.
    Cost: a row that nothing breaks, with t targets: 2 steps + t (steps + 1) + 2 queries and
        (2 + t) steps gradients, and with FAB about t (steps + 4) and t steps more.
    Differs: APGD has its own steps with one gradient each, where the code has two steps of so many
        gradients; the ensemble for effect, which the code does not hold, is rebuilt as the one
        with FAB.
    """

    ball: Ball = LINF  # where to stay; in the user's units
    steps: int = 100  # of each of PMA's two climbs, and for each class aimed at
    targets: int = 9  # classes aimed at, at most
    fab: bool = False  # end with targeted FAB: the second ensemble

    def __post_init__(self) -> None:
        if self.ball.radius is None:
            raise UserError("PMA+ climbs inside a ball: give the ball a radius.")

    def __call__(
        self, box: GradBox, goal: Goal, x: Batch, rng: Streams, budget: int | None
    ) -> Iterator[Batch]:
        """Yield the iterates of each attack in turn."""
        yield from self.cascade()(box, goal, x, rng, budget)

    def cascade(self) -> Cascade:
        """The attacks in order."""
        pma = PMA(ball=self.ball, steps=self.steps)
        apgd = APGDTargeted(ball=self.ball, steps=self.steps, targets=self.targets)
        fab = FABTargeted(ball=self.ball, steps=self.steps, targets=self.targets)
        return Cascade(attacks=(pma, apgd, fab) if self.fab else (pma, apgd))
