"""The statistics a relation may name, each a frozen value that compares ours with theirs.

Those over seeds take one number a seed. Those over items take the same items in every seed, draw
the items anew (or count them) and average over the seeds, which they do not take as a sample.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pellucid.claims.relation import Threshold, above
from pellucid.statistics import (
    CONFIDENCE,
    RESAMPLES,
    Interval,
    bootstrap_bounds,
    clopper_pearson,
    difference_bounds,
    ratio_bounds,
    sign_test,
)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Mean of ours - theirs over seeds, bounded by Student's t: the default of the house."""

    confidence: float = CONFIDENCE  # of each one-sided bound

    def __call__(self, ours: NDArray, theirs: NDArray) -> Interval:
        """Both (seeds,)."""
        _need_axes(ours, 1)
        return difference_bounds(ours, theirs, self.confidence)


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """Geometric mean of ours / theirs over seeds, bounded by Student's t of the logarithms."""

    confidence: float = CONFIDENCE  # of each one-sided bound

    def __call__(self, ours: NDArray, theirs: NDArray) -> Interval:
        """Both (seeds,) and above zero."""
        _need_axes(ours, 1)
        return ratio_bounds(ours, theirs, self.confidence)


@dataclass(frozen=True, kw_only=True)
class EverySeed:
    """Least and greatest of ours - theirs: the worst seed decides, for facts without scatter."""

    def __call__(self, ours: NDArray, theirs: NDArray) -> Interval:
        """Both (seeds,)."""
        _need_axes(ours, 1)
        gap = ours - theirs
        return Interval(float(gap.mean()), float(gap.min()), float(gap.max()))


@dataclass(frozen=True, kw_only=True)
class Count:
    """Number of seeds whose ours - theirs passes: a card's "in 4 of 5 seeds", and no inference."""

    of: Threshold = field(default_factory=lambda: above(0))  # what a seed must pass

    def __call__(self, ours: NDArray, theirs: NDArray) -> Interval:
        """Both (seeds,)."""
        _need_axes(ours, 1)
        count = float(_passed(self.of, ours - theirs))
        return Interval(count, count, count)


@dataclass(frozen=True, kw_only=True)
class Share:
    """Share of seeds or items whose ours - theirs passes, between Clopper and Pearson's bounds."""

    of: Threshold = field(default_factory=lambda: above(0))  # what a seed or an item must pass
    confidence: float = CONFIDENCE  # of each one-sided bound

    def __call__(self, ours: NDArray, theirs: NDArray) -> Interval:
        """Both (seeds,), or (seeds, items) with each item's gap averaged over the seeds."""
        gap = _gaps(ours, theirs)
        passed = _passed(self.of, gap)
        low, high = clopper_pearson(passed, len(gap), self.confidence, tails=1)
        return Interval(passed / len(gap), float(low), float(high))


@dataclass(frozen=True, kw_only=True)
class SignTest:
    """p-value of the exact one-sided sign test; on yes-or-no outcomes it is McNemar's test."""

    smaller: bool = False  # ours win by being smaller

    def __call__(self, ours: NDArray, theirs: NDArray) -> Interval:
        """Both (seeds,), or (seeds, items) with each item's gap averaged over the seeds."""
        gap = _gaps(theirs, ours) if self.smaller else _gaps(ours, theirs)
        p = float(sign_test(int((gap > 0).sum()), int((gap < 0).sum())))
        return Interval(p, p, p)


@dataclass(frozen=True, kw_only=True)
class ItemDifference:
    """Mean of ours - theirs over items and seeds, by paired bootstrap of the items."""

    confidence: float = CONFIDENCE  # of each one-sided bound
    resamples: int = RESAMPLES
    seed: int = 0  # of the resampling

    def __call__(self, ours: NDArray, theirs: NDArray) -> Interval:
        """Both (seeds, items)."""
        _need_axes(ours, 2)
        return bootstrap_bounds(
            lambda gap: gap.mean(-1),
            (ours - theirs).mean(0),
            confidence=self.confidence,
            resamples=self.resamples,
            seed=self.seed,
        )


@dataclass(frozen=True, kw_only=True)
class MedianRatio:
    """Median of ours / median of theirs, by paired bootstrap of the items.

    With several seeds the geometric mean of the seeds' ratios.
    """

    confidence: float = CONFIDENCE  # of each one-sided bound
    resamples: int = RESAMPLES
    seed: int = 0  # of the resampling

    def __call__(self, ours: NDArray, theirs: NDArray) -> Interval:
        """Both (seeds, items) and above zero."""
        _need_axes(ours, 2)
        if not ((ours > 0).all() and (theirs > 0).all()):
            raise ValueError("A ratio needs values above zero on both sides.")
        return bootstrap_bounds(
            _ratio_of_medians,
            ours,
            theirs,
            confidence=self.confidence,
            resamples=self.resamples,
            seed=self.seed,
        )


def _ratio_of_medians(ours: NDArray, theirs: NDArray) -> NDArray:
    logs = np.log(np.median(ours, -1)) - np.log(np.median(theirs, -1))
    return np.exp(logs.mean(0))


def _gaps(ours: NDArray, theirs: NDArray) -> NDArray:
    """One gap a seed or, where there are items, one an item: its mean over the seeds."""
    gap = ours - theirs
    return gap if gap.ndim == 1 else gap.mean(0)


def _passed(threshold: Threshold, gaps: NDArray) -> int:
    return sum(threshold.passes(gap, gap) for gap in gaps.tolist())


def _need_axes(values: NDArray, axes: int) -> None:
    if values.ndim != axes:
        wanted = {1: "one number a seed", 2: "a list of items a seed"}[axes]
        raise ValueError(f"it needs {wanted}, not an array of shape {values.shape}.")
