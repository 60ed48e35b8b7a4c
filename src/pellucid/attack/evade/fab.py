"""FAB: step to the nearest of all decision boundaries, and stay near x."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from pellucid.attack.evade._adaptive_boundary import AdaptiveBoundary
from pellucid.attack.evade._winners import winners
from pellucid.box.protocols import GradBox
from pellucid.goals import Goal
from pellucid.shapes import Batch


@dataclass(frozen=True, kw_only=True)
class FAB(AdaptiveBoundary):
    """Project onto the nearest linearised boundary, from the iterate and from x, again and again.

    Source: Croce and Hein, ICML 2020, algorithm 1 and equations 8 to 10.
    Needs: GradBox; a goal that labels decide.
    Cost: one query a row and step and as many gradients as there are classes less one; one query
        for the last iterate, and `search` more where a success was found.
    Differs: a success is linearised where it was found, not where it is drawn back to, which
        halves the queries; the search aims 1 % beyond the plane, where the goal is met; no random
        restarts.
    """

    def __call__(self, box: GradBox, goal: Goal, x: Batch) -> Iterator[Batch]:
        """Yield the iterate of each step, then the best success after each point of the search."""
        classes = box.spec.answer.size
        every = torch.arange(len(x))
        wins = winners(goal, classes)
        yield from self._walk(box, x, every, wins, slice(classes - 1))
