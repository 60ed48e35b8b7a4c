"""What deletion and insertion share: one input becomes another, the places that count most first.

The order of the places is that of their values, the highest first; of equal values the place of
the lower index goes first. The values of an image's channels are summed.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.box.protocols import ScoreBox
from pellucid.errors import UserError
from pellucid.explain.evaluate._removing import Blank, places, removed
from pellucid.explain.evaluate.metric import Attributed, Curves, Evaluation
from pellucid.explain.perturb._game import block
from pellucid.explain.targets import Target
from pellucid.rng import Streams
from pellucid.shapes import Batch, Each
from pellucid.spec import Spec, Values

Ranks = Int[Tensor, "n places"]  # when a place is exchanged, counted from 0
Keys = Float[Tensor, "n places"]  # what places are ordered by


@dataclass(frozen=True, kw_only=True)
class Exchange(ABC):
    """An area under the curve of the target's probability while places are exchanged."""

    steps: int | None = 20  # equal parts that go one after the other; None: place by place
    baseline: Blank = None  # what a place shows that is away; None: image's mean, of a vector 0
    orders: int = 1  # random orders that are measured beside

    def __post_init__(self) -> None:
        """Refuse what measures nothing."""
        if (self.steps is not None and self.steps < 1) or self.orders < 1:
            raise UserError(
                f"{type(self).__name__} takes 1 step or more and 1 random order or more, not "
                f"{self.steps} and {self.orders}."
            )

    @abstractmethod
    def ends(self, x: Batch, away: Batch) -> tuple[Batch, Batch]:
        """What the curve begins with, and what that becomes: the rows, or all of them away."""

    @abstractmethod
    def gain(self, score: Each, random: Each) -> Each:
        """By how much a score is better than that of random orders."""

    def counts(self, spec: Spec) -> list[int]:
        """How many places have been exchanged at each point of the curve."""
        whole = places(spec)
        parts = min(self.steps or whole, whole)
        return [step * whole // parts for step in range(parts + 1)]

    def shares(self, spec: Spec) -> list[float]:
        """The same as shares of all places, 0 to 1: where the points of the curve lie."""
        return [count / places(spec) for count in self.counts(spec)]

    def questions(self, spec: Spec) -> int:
        """How many queries it makes about a row."""
        return len(self.counts(spec)) * (1 + self.orders)

    def __call__(
        self, box: ScoreBox, x: Batch, target: Target, values: Attributed, rng: Streams
    ) -> Iterator[Evaluation]:
        """Yield the areas under the curves of the attributions and of random orders."""
        path = _Path(box, target, *self.ends(x, removed(self.baseline, box.spec, x)))
        counts, shares = self.counts(box.spec), self.shares(box.spec)
        curve = path.curve(_ranks(_by_place(values, places(box.spec))), counts)
        draws = rng.uniform(self.orders, (places(box.spec),))
        drawn = [path.curve(_ranks(draw), counts) for draw in draws]
        beside = sum(drawn, torch.zeros_like(curve)) / self.orders
        score, random = _area(curve, shares), _area(beside, shares)
        yield Evaluation(
            score=score.to(x),
            random=random.to(x),
            gain=self.gain(score, random).to(x),
            curve=curve.to(x),
            random_curve=beside.to(x),
        )


@dataclass(frozen=True, eq=False)
class _Path:
    """Rows on their way to others of the same shape."""

    box: ScoreBox
    target: Target
    start: Batch
    end: Batch

    def curve(self, ranks: Ranks, counts: list[int]) -> Curves:
        """The target's probability after so many places, in float64; one query a row and count."""
        some = torch.tensor(counts, dtype=torch.int32, device=ranks.device).split(block(self.start))
        return torch.cat([self._ask(ranks, part) for part in some]).T

    def _ask(self, ranks: Ranks, counts: Tensor) -> Float[Tensor, "k n"]:
        n, count = ranks.shape
        start, end = (rows.reshape(n, -1, count) for rows in (self.start, self.end))
        gone = (ranks < counts[:, None, None])[:, :, None]
        asked = torch.where(gone, end, start).reshape(len(counts), *self.start.shape)
        scores = self.box.scores(asked).double()
        raw = isinstance(self.box.spec.answer, Values)
        return self.target(scores if raw else scores.exp()).double()


def _by_place(values: Attributed, count: int) -> Keys:
    """The value of each place, of an image summed over its channels."""
    parts = values.double().reshape(len(values), -1, count).unbind(1)
    return sum(parts[1:], parts[0])  # one after the other, whoever shares the batch


def _ranks(keys: Keys) -> Ranks:
    """When each place goes: the highest first, of equals the first."""
    order = keys.argsort(dim=1, descending=True, stable=True)
    turns = torch.arange(keys.shape[1], dtype=torch.int32, device=keys.device).expand_as(order)
    return torch.empty_like(order, dtype=torch.int32).scatter_(1, order, turns)


def _area(curve: Curves, shares: list[float]) -> Each:
    """The area under a curve by the trapezoid rule, added up in the curve's order."""
    widths = curve.new_tensor(shares).diff()
    return ((curve[:, 1:] + curve[:, :-1]) / 2 * widths).cumsum(1)[:, -1]
