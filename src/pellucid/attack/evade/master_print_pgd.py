"""CLIPMasterPrints near an image: steps of one grey level up the lowest score of many captions."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, isfinite

import torch

from pellucid.attack.evade._losses import LOSSES, LossName, climbing
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.shapes import Batch

FIFTEEN = Ball("linf", 15 / 255)


@dataclass(frozen=True, kw_only=True)
class MasterPrintPGD:
    """Signed gradient steps of one grey level, so that what is found survives as 8 bits.

    Source: Freiberger et al., arXiv 2023, the PGD of their section on mining, and their code.
    Needs: GradBox; an linf ball; the goal `matches` for captions, but any goal will do.
    Cost: one query and one gradient a row and step.
    Differs: levels are those of the model's range, whatever its units; a row that is not on them
        begins at the nearest one in the ball.
    """

    ball: Ball = FIFTEEN  # where to stay; in the user's units
    steps: int = 1000  # gradient steps
    levels: int = 255  # grey levels above the darkest, over the model's range (without one: over 1)
    loss: LossName = "margin"  # what to climb

    def __post_init__(self) -> None:
        if self.ball.norm != "linf":
            raise UserError("Steps of one grey level fill a cube: give the ball the norm linf.")

    def __call__(self, box: GradBox, goal: Goal, x: Batch) -> Iterator[Batch]:
        """Yield the iterate of each step."""
        dense = box.spec.dense()
        bounded = isfinite(dense.low) and isfinite(dense.high)
        low, span = (dense.low, dense.high - dense.low) if bounded else (0.0, 1.0)
        level, reach = span / self.levels, self.ball.radius or inf
        if reach < level:
            raise UserError(f"A ball smaller than one grey level, {level:.3g}, holds no step.")
        at = (x.double() - low) / level  # in levels, as are the three below
        rounding = torch.finfo(x.dtype).eps * self.levels
        least = torch.ceil(at - reach / level - rounding)
        most = torch.floor(at + reach / level + rounding)
        whole = torch.clamp(at.round(), least, most)
        for _ in range(self.steps):
            z = box.spec.clamp((low + level * whole).to(x))
            _, gradient = climbing(box, LOSSES[self.loss], goal, z)
            whole = torch.clamp(whole + self.ball.steepest(gradient).double(), least, most)
            if bounded:
                whole = whole.clamp(0, self.levels)
            yield box.spec.clamp((low + level * whole).to(x))
