"""What attacks on the K best classes share: Adam on the distance and on how far the order is."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from math import inf

import torch

from pellucid.attack.evade._adam import Adam
from pellucid.attack.evade._decision import unit
from pellucid.attack.evade._slope import slope
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch, Each, RowNumbers, ScoreAnswer, Verdicts

L2 = Ball("l2")
# of some rows and their logits, numbers whose gradients by the logits are those of the loss
Pull = Callable[[RowNumbers, ScoreAnswer], Each]


@dataclass(frozen=True, kw_only=True)
class OrderedDescent:
    """The fields of these attacks, and the descent."""

    ball: Ball = L2  # the norm to be small in: l2
    steps: int = 60  # of Adam, for each c
    rate: float = 0.0022  # of Adam, of the input's range; small inputs need more
    sigma: float = 0.002  # standard deviation of the first perturbation, of the input's range
    warm: int = 5  # steps after which Adam forgets what it has seen
    searches: int = 1  # values of c to try, by bisection
    upper: float = 20.0  # the most that c can be; the first c is half of it
    fall: float = 0.75  # what is left of c after a success nearer than those before

    def __post_init__(self) -> None:
        if self.ball.norm != "l2":
            raise UserError(f"{type(self).__name__} keeps the l2 norm small: give it an l2 ball.")

    def _descend(
        self, box: GradBox, goal: Goal, x: Batch, rng: Streams, pull: Pull
    ) -> Iterator[Batch]:
        """Yield the iterate of each step of each search."""
        low = x.new_zeros(len(x))
        high = torch.full_like(low, self.upper)
        silent = torch.zeros(len(x), dtype=torch.bool)
        for _ in range(self.searches):
            c = (low + high) / 2
            won = yield from self._search(box, goal, x, rng, pull, c, silent)
            high, low = torch.where(won, c, high), torch.where(won, low, c)

    def _search(
        self,
        box: GradBox,
        goal: Goal,
        x: Batch,
        rng: Streams,
        pull: Pull,
        c: Each,
        silent: Verdicts,
    ) -> Generator[Batch, None, Verdicts]:
        """Adam from a point beside x; returns who met the goal. Rows without answer are silent."""
        length = unit(box.spec)
        c, nearest = c.clone(), torch.full_like(c, inf)
        z = box.spec.clamp(x + self.sigma * length * rng.normal(1, x.shape[1:])[0])
        adam, began = Adam(x, self.rate * length), 0
        rows = (~silent).nonzero()[:, 0]
        for step in range(self.steps):
            if step == self.warm:
                adam, began = Adam(x, self.rate * length), step
            asked = z[rows].detach().requires_grad_()
            logits = box[rows].logits(asked).to(x)
            silent[rows] = ~logits.detach().isfinite().all(-1)
            on = (~silent[rows]).nonzero()[:, 0]
            loss = logits.new_zeros(len(rows))
            rows = rows[on]
            loss = loss.index_copy(0, on, c[rows] * pull(rows, logits[on]))
            up = slope(loss, asked)[on]
            if not len(rows):
                break
            asked, logits = asked.detach()[on], logits.detach()[on]
            size = self.ball.distance(asked, x[rows])
            nearer = (goal[rows].margin(logits) > 0) & (size <= nearest[rows])
            nearest[rows] = torch.where(nearer, size, nearest[rows])
            c[rows] = torch.where(nearer, self.fall * c[rows], c[rows])
            down = up + 2 * (asked - x[rows]) / length**2
            moved = asked + adam.step(rows, down, step - began + 1)
            z = z.index_copy(0, rows, box.spec.clamp(moved))
            yield z
        return nearest.isfinite()
