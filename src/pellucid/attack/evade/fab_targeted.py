"""Targeted FAB: walk to the boundary of one class after the other."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from pellucid.attack.evade._adaptive_boundary import AdaptiveBoundary
from pellucid.attack.evade._winners import winners
from pellucid.box.protocols import GradBox
from pellucid.goals import Goal
from pellucid.shapes import Batch


@dataclass(frozen=True, kw_only=True)
class FABTargeted(AdaptiveBoundary):
    """FAB towards each of the likeliest wrong classes in turn: one gradient a step, not K - 1.

    Source: Croce and Hein, ICML 2020, section 4: FAB-T of their AutoAttack.
    Needs: GradBox; a goal that labels decide.
    Cost: for each target one query and one gradient a row and step, one query for the last
        iterate, and `search` more where a success was found; x is asked about once a target.
    Differs: as FAB; a goal with fewer classes than `targets` is walked to for these alone.
    """

    targets: int = 9  # classes to walk to, likeliest at x first

    def __call__(self, box: GradBox, goal: Goal, x: Batch) -> Iterator[Batch]:
        """Yield the iterate of each step, and the best success after each point of the search."""
        wins = winners(goal, box.spec.answer.size)
        rows = torch.arange(len(x))
        for rank in range(min(self.targets, wins.shape[1] - 1)):
            rows = rows[wins[rows].sum(1) > rank]
            if not len(rows):
                break
            rows = yield from self._walk(box, x, rows, wins, slice(rank, rank + 1))
