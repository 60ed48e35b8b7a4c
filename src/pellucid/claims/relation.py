"""Relations: what a claim says of ours beside theirs, and whether the numbers bear it out."""

from dataclasses import dataclass
from math import inf, isnan
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import UserError
from pellucid.statistics import Interval

Real = float | int  # one may write 0 for 0.0
Numbers = tuple[float, ...] | tuple[tuple[float, ...], ...]  # a seed each: a value, or its items


class BadClaim(UserError):
    """A claim that contradicts itself or returns what it did not declare."""


@runtime_checkable
class Statistic(Protocol):
    """How ours and theirs are compared: a frozen value that prints as its constructor."""

    def __call__(self, ours: NDArray, theirs: NDArray) -> Interval:
        """Compare two arrays of one shape, (seeds,) or (seeds, items)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """The range in which the truth must be shown to lie; made by the functions below."""

    low: Real = -inf
    high: Real = inf
    strict: bool = False  # the ends themselves do not pass

    def __post_init__(self) -> None:
        """Refuse a range that holds nothing or everything."""
        if not self.low <= self.high or (self.low, self.high) == (-inf, inf):
            raise BadClaim(f"A threshold needs a range, which {self.low} to {self.high} is not.")

    def passes(self, low: Real, high: Real) -> bool:
        """Whether all between the two bounds is in the range; an end of infinity asks nothing."""
        above = self.low == -inf or low > self.low or (low == self.low and not self.strict)
        below = self.high == inf or high < self.high or (high == self.high and not self.strict)
        return above and below

    def asks(self, interval: Interval) -> tuple[Real, ...]:
        """The bounds that decide: one, or both where the range has two ends."""
        ends = ((self.low, interval.low), (self.high, interval.high))
        return tuple(bound for end, bound in ends if abs(end) != inf)

    def __str__(self) -> str:
        """As one would write it: '>= 0.08'."""
        equal = "" if self.strict else "="
        ends = ((self.low, ">"), (self.high, "<"))
        return " and ".join(f"{sign}{equal} {end:g}" for end, sign in ends if abs(end) != inf)


def at_least(value: Real) -> Threshold:
    """Passed by a lower bound of this value or more."""
    return Threshold(low=value)


def at_most(value: Real) -> Threshold:
    """Passed by an upper bound of this value or less."""
    return Threshold(high=value)


def above(value: Real) -> Threshold:
    """Passed by a lower bound over this value."""
    return Threshold(low=value, strict=True)


def below(value: Real) -> Threshold:
    """Passed by an upper bound under this value."""
    return Threshold(high=value, strict=True)


def within(low: Real, high: Real) -> Threshold:
    """Passed when both bounds lie here: two one-sided tests, as equivalence asks for."""
    return Threshold(low=low, high=high)


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """A relation before it is measured."""

    name: str  # unique in its claim; measurements are keyed by it
    meaning: str  # the relation in words, as docs and reports print it
    statistic: Statistic
    threshold: Threshold
    against: Real | None = None  # the constant that stands for theirs where no rival is measured
    required: bool = True  # False: reported as it comes, and decides nothing


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A relation with its numbers and its verdict."""

    name: str
    meaning: str
    ours: Numbers
    theirs: Numbers | Real
    statistic: str  # the constructor of what compared them
    threshold: str  # in words: ">= 0.08"
    estimate: Real
    interval: tuple[Real | None, Real | None]  # one-sided bounds; None: cannot be known
    required: bool
    holds: bool | None  # None: too few seeds to say


def judge(hypothesis: Hypothesis, ours: NDArray, theirs: NDArray | None) -> Relation:
    """Compare the numbers and say whether the relation holds.

    A relation holds when the bound that its threshold asks for passes it. With one seed, as in a
    quick run, or where the bound cannot be known, `holds` is None.

    Args:
        hypothesis: what was claimed.
        ours: (seeds,) or (seeds, items).
        theirs: the same shape; None where the hypothesis names a constant.

    Raises:
        BadClaim: the statistic cannot compare such numbers.
    """
    rival = np.full(ours.shape, hypothesis.against) if theirs is None else theirs
    try:
        interval = hypothesis.statistic(ours, rival)
    except ValueError as error:
        raise BadClaim(f"Relation '{hypothesis.name}' cannot be judged: {error}") from error
    decisive = hypothesis.threshold.asks(interval)
    unknown = len(ours) < 2 or any(isnan(bound) for bound in decisive)
    return Relation(
        name=hypothesis.name,
        meaning=hypothesis.meaning,
        ours=_plain(ours),
        theirs=hypothesis.against if hypothesis.against is not None else _plain(rival),
        statistic=repr(hypothesis.statistic),
        threshold=str(hypothesis.threshold),
        estimate=interval.estimate,
        interval=(_known(interval.low), _known(interval.high)),
        required=hypothesis.required,
        holds=None if unknown else hypothesis.threshold.passes(interval.low, interval.high),
    )


def _plain(values: NDArray) -> Numbers:
    if values.ndim == 1:
        return tuple(values.tolist())
    return tuple(tuple(row) for row in values.tolist())


def _known(bound: Real) -> Real | None:
    return None if isnan(bound) else bound
