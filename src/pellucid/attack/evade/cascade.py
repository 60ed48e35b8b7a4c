"""Cascade: one attack after the other, each on the rows that are left."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from pellucid.attack.evade._survivors import survivors
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox, WhiteBox
from pellucid.box.views import VIEWS, Direct
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.needs import Attack, needs
from pellucid.rng import Streams
from pellucid.shapes import Batch

HANDED = frozenset({"box", "goal", "x", "rng", "budget"})


@dataclass(frozen=True, kw_only=True)
class Cascade:
    """Attacks in order, in one ball: a row that one of them has broken is spared the others.

    Source: Croce and Hein, ICML 2020, section 5: how their AutoAttack joins its parts.
    Needs: GradBox; attacks that need no more than it, and no start, surrogates or data.
    Cost: that of each attack on the rows still unbroken, and a query a row between two attacks,
        about the iterate that the one before ended on.
    Differs: a row leaves at its first success, also within an attack.
    """

    attacks: tuple[Attack, ...]  # in order; the cheap first

    def __post_init__(self) -> None:
        if not self.attacks:
            raise UserError("A cascade needs an attack: name one or more.")
        for attack in self.attacks:
            name, wants = type(attack).__name__, needs(attack)
            if wants.box is WhiteBox or not wants.names <= HANDED:
                raise UserError(
                    f"A cascade hands on gradients, goal, rows and random numbers, but {name} "
                    "needs more: run it by itself."
                )
            if attack.ball.radius is None or attack.ball != self.ball:
                raise UserError(
                    "Rows leave a cascade as soon as they are broken, so its attacks need one "
                    f"ball with a radius, not {self.ball} and {attack.ball}."
                )

    @property
    def ball(self) -> Ball:
        """The ball of all of them."""
        return self.attacks[0].ball

    def __call__(
        self, box: GradBox, goal: Goal, x: Batch, rng: Streams, budget: int | None
    ) -> Iterator[Batch]:
        """Yield the iterates of each attack; rows that have left stay where they were."""
        z, rows = x, torch.arange(len(x))
        for number, attack in enumerate(self.attacks):
            if number:
                rows = survivors(box, goal, self.ball, x, z, rows)
            if not len(rows):
                break
            wants = needs(attack)
            supplies = {"goal": goal[rows], "x": x[rows], "rng": rng[rows], "budget": budget}
            parts = {name: part for name, part in supplies.items() if name in wants.names}
            # no attack sees more of the model for standing in a cascade
            view = VIEWS[wants.box](Direct(box), rows)
            for part in attack(box=view, **parts):
                z = z.index_copy(0, rows, part)
                yield z
