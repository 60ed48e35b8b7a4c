"""What a selector is: a rule that says of each item, as it comes, whether it is worth an attack."""

from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.shapes import Counts, Each, Verdicts

Ranked = Float[Tensor, "n ranks"]  # numbers of each of n streams, the largest first
Marks = Bool[Tensor, "n ranks"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Reference:
    """The largest values so far of each of n streams, which new ones are compared with."""

    values: Ranked
    first: Marks  # which of them came while nothing could be picked yet

    @classmethod
    def blank(cls, streams: int, ranks: int) -> Self:
        """Nothing seen yet: every place holds less than any value."""
        values = torch.full((streams, ranks), -torch.inf, dtype=torch.float64)
        return cls(values=values, first=torch.ones(streams, ranks, dtype=torch.bool))

    def with_value(self, value: Each, where: Verdicts, *, first: bool) -> Self:
        """In the streams where it is asked, the value instead of the smallest if it is larger."""
        larger = where & (value > self.values[:, -1])
        values, marks = self.values.clone(), self.first.clone()
        values[:, -1] = torch.where(larger, value, values[:, -1])
        marks[:, -1] = torch.where(larger, first, marks[:, -1])
        order = values.argsort(dim=1, descending=True, stable=True)
        return type(self)(values=values.gather(1, order), first=marks.gather(1, order))


@runtime_checkable
class Selector(Protocol):
    """A rule that looks at the first items of a stream, and then picks by what it has seen.

    It decides for n streams at once, each by itself. Who drives it sees to it that no more are
    picked than may be.
    """

    def looks(self, items: int, picks: int, /) -> int:
        """How many of the first items are only looked at."""
        ...

    def decide(
        self, reference: Reference, value: Each, picked: Counts, /
    ) -> tuple[Verdicts, Reference]:
        """Whether to pick the item of this value, and what to compare the next one with."""
        ...
