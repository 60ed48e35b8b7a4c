"""Carlini-Wagner: trade the distance against the margin, and search for the rate of exchange."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from math import inf

import torch

from pellucid.attack.evade._adam import Adam
from pellucid.attack.evade._slope import slope
from pellucid.attack.evade._tanh_space import space_of
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.shapes import Batch, Each, Verdicts

L2 = Ball("l2")
WARM = 20  # steps in which Adam may swing: a loss that has not fallen by then says nothing yet


@dataclass(frozen=True, kw_only=True)
class CarliniWagner:
    """Minimise |z - x|^2 + c max(kappa - margin, 0) by Adam, for the c that a binary search finds.

    Source: Carlini and Wagner, IEEE S&P 2017, sections V and VI.A, and their code's settings.
    Needs: GradBox; an l2 ball.
    Cost: one query and one gradient a row and step: at most searches * steps; a row whose loss
        stalls goes on to the next c.
    Differs: each row stops by itself where its lowest loss stalls, not the batch by its sum; the
        nearest point asked about that meets the goal counts, whatever its kappa; without finite
        bounds there is no change of variable.
    """

    ball: Ball = L2  # the norm to be small in: l2
    searches: int = 9  # values of c to try
    steps: int = 10_000  # of Adam, for each c
    rate: float = 0.01  # of Adam, in the space of w = atanh(z)
    first: float = 1e-3  # the first c; ten times as much until one succeeds
    kappa: float = 0.0  # margin that a success must have, in logits
    patience: float = 0.9999  # a tenth of the steps, 20 at least, must lower the lowest loss to it

    def __post_init__(self) -> None:
        if self.ball.norm != "l2":
            raise UserError("Carlini-Wagner keeps the l2 norm small: give it an l2 ball.")

    def __call__(self, box: GradBox, goal: Goal, x: Batch) -> Iterator[Batch]:
        """Yield the iterate of each step of each search."""
        c = x.new_full((len(x),), self.first)
        low, high = torch.zeros_like(c), torch.full_like(c, inf)
        silent = torch.zeros(len(x), dtype=torch.bool)
        for _ in range(self.searches):
            won = yield from self._descend(box, goal, x, c, silent)
            high, low = torch.where(won, c, high), torch.where(won, low, c)
            c = torch.where(high.isinf(), 10 * c, (low + high) / 2)

    def _descend(
        self, box: GradBox, goal: Goal, x: Batch, c: Each, silent: Verdicts
    ) -> Generator[Batch, None, Verdicts]:
        """Adam from x; returns which rows met the goal. Rows without an answer become silent."""
        space = space_of(box.spec.dense())
        w, adam = space.leave(x), Adam(x, self.rate)
        z, won = box.spec.clamp(space.enter(w)), torch.zeros_like(silent)
        least, before = torch.full_like(c, inf), torch.full_like(c, inf)
        check = max(WARM, self.steps // 10)
        rows = (~silent).nonzero()[:, 0]
        for step in range(self.steps):
            if not len(rows):
                break
            asked = z[rows].detach().requires_grad_()
            margin = goal[rows].margin(box[rows].logits(asked).to(x))
            short = c[rows] * (self.kappa - margin).clamp_min(0)
            pull = slope(short, asked)
            asked, margin, short = asked.detach(), margin.detach(), short.detach()
            won[rows] |= (margin > 0) & (margin >= self.kappa)
            silent[rows] = ~margin.isfinite()
            on = ~silent[rows]
            loss = self.ball.distance(asked, x[rows]) ** 2 + short
            least[rows] = torch.minimum(least[rows], loss)
            if step % check == 0:
                on &= least[rows] <= self.patience * before[rows]
                before[rows] = least[rows]
            down = (2 * (asked - x[rows]) + pull) * space.slope(w[rows])
            rows, down = rows[on], down[on]
            w = w.index_add(0, rows, adam.step(rows, down, step + 1))
            z = z.index_copy(0, rows, box.spec.clamp(space.enter(w[rows])))
            yield z
        return won
