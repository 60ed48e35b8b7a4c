"""Square: change one square after another, and keep what raises the margin."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from pellucid.attack.evade._picture import planes
from pellucid.attack.evade._squares import Bumps, Search, Stripes
from pellucid.ball import Ball, NormName
from pellucid.box.protocols import ScoreBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch

LINF = Ball("linf", 0.05)
SEARCHES: dict[NormName, type[Search]] = {"linf": Stripes, "l2": Bumps}
SHARES: dict[NormName, float] = {"linf": 0.05, "l2": 0.1}
STEPS = 10_000  # the paper's
HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # steps of those
AT_ONCE = 100  # steps whose random numbers are drawn together


@dataclass(frozen=True, kw_only=True)
class Square:
    """Random search inside a ball: squares that shrink on a schedule, one query each.

    Source: Andriushchenko et al., ECCV 2020, algorithms 1 to 3 and section 5.1.
    Needs: ScoreBox; a ball with a radius.
    Cost: one query a row and step, the first of them about the stripes or bumps of the start.
    Differs: targets too are sought by the margin, not by cross-entropy; a square that would change
        nothing has its signs turned; the bumps of the start stand upright and fill the borders; a
        vector is a picture one pixel high, whose squares keep their area.
    """

    ball: Ball = LINF  # where to stay; in the user's units
    steps: int | None = None  # queries a row, to which the schedule is stretched; None: the budget
    share: float | None = None  # of the pixels, in the first square; None: 0.05 linf, 0.1 l2

    def __post_init__(self) -> None:
        if self.ball.radius is None:
            raise UserError("Square searches inside a ball: give the ball a radius.")

    def __call__(
        self, box: ScoreBox, goal: Goal, x: Batch, rng: Streams, budget: int | None
    ) -> Iterator[Batch]:
        """Yield the best point of each row so far; rows that are done leave the work."""
        search = SEARCHES[self.ball.norm](box.spec, x, self.ball.radius or 0)
        _, height, width = planes(x.shape[1:])
        whole, rows = x, torch.arange(len(x))
        best, margin = x, torch.full((len(x),), -torch.inf, dtype=torch.float64)
        dice = x.new_empty(0, len(x), 0)
        steps = self.steps or budget or STEPS
        for step in range(steps):
            if step == 0:
                tried = search.start(rng)
            else:
                turn = (step - 1) % AT_ONCE
                if turn == 0:
                    dice = rng[rows].uniform(AT_ONCE, (search.dice,))
                area = self._share((step - 1) / steps) * height * width
                tried = search.move(best, area, dice[turn])
            got = goal.margin(box.scores(tried)).double()
            better = (got > margin).nonzero()[:, 0]
            if len(better):
                best = best.index_copy(0, better, tried[better])
                margin = margin.index_copy(0, better, got[better])
                all_here = len(rows) == len(whole)
                whole = best if all_here else whole.index_copy(0, rows[better], best[better])
            yield whole
            more = got <= 0  # neither won nor without an answer
            if not bool(more.all()):
                if not bool(more.any()):
                    return
                box, goal, rows, dice = box[more], goal[more], rows[more], dice[:, more]
                best, margin, search = best[more], margin[more], search[more]

    def _share(self, way: float) -> float:
        """Which share of the pixels a move changes, so far on the way."""
        first = SHARES[self.ball.norm] if self.share is None else self.share
        return first / 2 ** bisect_left(HALVINGS, int(way * STEPS))
