"""A check by the strongest attack that access and budget allow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pellucid.attack.evade.cascade import Cascade
from pellucid.attack.strongest import strongest
from pellucid.audit.access import named
from pellucid.audit.check import Ground
from pellucid.audit.checks._raiding import Raiding
from pellucid.audit.finding import Figures, rows_of
from pellucid.ball import Ball
from pellucid.box.protocols import LADDER, LabelBox, ScoreBox, granted
from pellucid.needs import Attack

MOST = 100_000  # questions a row: with more the attack is no other


@dataclass(frozen=True, kw_only=True)
class Strongest(Raiding):
    """Attacks every row by what `pellucid.attack.strongest` picks.

    Where `falsify.traps` has seen a saturated softmax, margins are taken between logits.
    """

    @property
    def called(self) -> Literal["strongest"]:
        """By what it is; the figure `attacks` says what was picked."""
        return "strongest"

    @property
    def access(self) -> type:
        """Labels at least."""
        return LabelBox

    def stays(self, ground: Ground, /) -> bool:
        """With scores it stays in a ball; by labels it seeks the nearest success."""
        return LADDER.index(granted(ground.box)) >= LADDER.index(ScoreBox)

    def attack(self, ground: Ground, radius: float | None, budget: int, /) -> Attack:
        """What access, ball and budget ask for."""
        return strongest(
            named(granted(ground.box)),
            Ball(self.norm, radius),
            min(budget, MOST),
            space="logits" if _saturated(ground) else "probabilities",
        )

    def more(self, used: Sequence[Attack], /) -> Figures:
        """What was picked, at the first radius."""
        first = used[0]
        parts = first.attacks if isinstance(first, Cascade) else (first,)
        return {"attacks": ", ".join(type(part).__name__ for part in parts)}


def _saturated(ground: Ground) -> bool:
    """Whether the look for traps has seen a saturated softmax."""
    looked = ground.earlier.get("falsify.traps")
    seen = [] if looked is None else rows_of(looked.finding, "traps")
    return any(one["trap"] == "saturated softmax" for one in seen)
