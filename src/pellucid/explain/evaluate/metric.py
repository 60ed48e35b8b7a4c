"""What a metric says of the attribution of each row, and what a metric is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from pellucid.shapes import Each
from pellucid.spec import Spec

Attributed = Float[Tensor, "m *attributed"]  # what an explainer says of each row
Curves = Float[Tensor, "n points"]  # a curve a row


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """How faithful the attributions are, beside what chance would score."""

    score: Each
    random: Each  # the same score of a random attribution: the mean over those drawn
    gain: Each  # by how much the score is better than that; 0 is worth nothing
    curve: Curves | None = None  # what the score is the area of, where it is an area
    random_curve: Curves | None = None


@runtime_checkable
class Metric(Protocol):
    """A measurement of attributions that `evaluate` can drive.

    What stands in the signature of its call is what it is handed: a box by its type, and by name
    x, target, values and rng.
    """

    def questions(self, spec: Spec) -> int:
        """How many queries it makes about a row, neither more nor fewer."""
        ...

    __call__: Callable[..., Iterator[Evaluation]]
