"""What an explainer says of each row, and what an explainer is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pellucid.shapes import Batch, Each


@dataclass(frozen=True, eq=False, kw_only=True)
class Attribution:
    """How much each part of a row counts for the target, and how far that can be trusted."""

    values: Batch  # (n, *what is attributed): for most methods the shape of the rows
    # completeness: the sum of the values less (f(x) - f(baseline)), in units of the target;
    # None where the method promises no sum
    gap: Each | None = None
    # correlation of what the two halves of the samples say; None where nothing is sampled
    agreement: Each | None = None


@runtime_checkable
class Explainer(Protocol):
    """A method that `explain` can drive: each attribution it yields replaces the one before.

    What stands in the signature of its call is what it is handed: a box by its type, and by name
    x, target, rng and data. Rows that run out of queries keep the last attribution that was
    yielded while every question about them had been answered.
    """

    __call__: Callable[..., Iterator[Attribution]]
