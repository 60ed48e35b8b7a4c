"""AutoAttack: four attacks that fail for different reasons, one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass

from pellucid.attack.evade.apgd import APGD
from pellucid.attack.evade.apgd_targeted import APGDTargeted
from pellucid.attack.evade.cascade import Cascade
from pellucid.attack.evade.fab_targeted import FABTargeted
from pellucid.attack.evade.square import Square
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch

LINF = Ball("linf", 8 / 255)


@dataclass(frozen=True, kw_only=True)
class AutoAttack:
    """APGD-CE, targeted APGD, targeted FAB and Square, each on the rows that are left.

    Source: Croce and Hein, ICML 2020, section 5: its version "standard".
    Needs: GradBox; a ball with a radius; a goal that labels decide.
    Cost: a row that nothing breaks, with t targets: steps + t (steps + 1) + t (steps + 4) + queries
        + 3 queries at most and (1 + 2 t) steps gradients.
    Differs: as its parts; a row leaves at its first success, also within an attack.
    """

    ball: Ball = LINF  # where to stay; in the user's units
    steps: int = 100  # of APGD-CE, and of the targeted attacks for each class aimed at
    targets: int = 9  # classes aimed at, at most
    queries: int = 5000  # of Square

    def __post_init__(self) -> None:
        if self.ball.radius is None:
            raise UserError("AutoAttack stays inside a ball: give the ball a radius.")

    def __call__(
        self, box: GradBox, goal: Goal, x: Batch, rng: Streams, budget: int | None
    ) -> Iterator[Batch]:
        """Yield the iterates of each attack in turn."""
        yield from self.cascade()(box, goal, x, rng, budget)

    def cascade(self) -> Cascade:
        """The attacks in order."""
        return Cascade(
            attacks=(
                APGD(ball=self.ball, steps=self.steps),
                APGDTargeted(ball=self.ball, steps=self.steps, targets=self.targets),
                FABTargeted(ball=self.ball, steps=self.steps, targets=self.targets),
                Square(ball=self.ball, steps=self.queries),
            )
        )
