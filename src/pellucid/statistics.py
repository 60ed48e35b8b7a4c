"""Bounds, intervals and exact tests by which a claim is decided."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc, betaincinv, stdtrit

CONFIDENCE = 0.95  # one-sided, as DESIGN.md asks
RESAMPLES = 9_999  # so that (resamples + 1) times a usual tail is a whole number
FEWEST_ITEMS = 20  # below it a percentile bootstrap covers visibly less than it says
_CELLS = 4_000_000  # numbers resampled at a time: 32 MB

Values = Sequence[float] | Sequence[bool] | NDArray
Counts = int | Sequence[int] | np.integer | NDArray
Numbers = float | NDArray  # a number where one was asked for


class Interval(NamedTuple):
    """An estimate between two bounds, each of them one-sided at the confidence asked for."""

    estimate: float
    low: float
    high: float


def lower_bound(values: Values, confidence: float = CONFIDENCE) -> Numbers:
    """One-sided lower bound of the mean over seeds, by Student's t.

    mean - t(confidence; n - 1) * s / sqrt(n), with s the sample deviation (n - 1 below).
    Source: Student, Biometrika 1908.

    Args:
        values: (..., n), one value a seed along the last axis, taken as normal.
        confidence: between 0 and 1.

    Returns:
        (...), NaN where n < 2: one seed bounds nothing.
    """
    _need_confidence(confidence)
    values = np.asarray(values, float)
    seeds = values.shape[-1]
    if seeds < 2:
        return np.full(values.shape[:-1], np.nan)
    error = values.std(-1, ddof=1) / np.sqrt(seeds)
    return values.mean(-1) - stdtrit(seeds - 1, confidence) * error


def upper_bound(values: Values, confidence: float = CONFIDENCE) -> Numbers:
    """One-sided upper bound of the mean over seeds: `lower_bound` in the mirror."""
    return -lower_bound(-np.asarray(values, float), confidence)


def mean_bounds(values: Values, confidence: float = CONFIDENCE) -> Interval:
    """Mean over seeds between its two one-sided bounds; values: (n,)."""
    values = np.asarray(values, float)
    low, high = lower_bound(values, confidence), upper_bound(values, confidence)
    return Interval(float(values.mean()), float(low), float(high))


def difference_bounds(ours: Values, theirs: Values, confidence: float = CONFIDENCE) -> Interval:
    """Mean of the paired differences ours - theirs over seeds, by Student's t; both (n,)."""
    return mean_bounds(np.asarray(ours, float) - np.asarray(theirs, float), confidence)


def ratio_bounds(ours: Values, theirs: Values, confidence: float = CONFIDENCE) -> Interval:
    """Geometric mean of the paired ratios ours / theirs over seeds; both (n,).

    exp of the mean and of Student's bounds of log(ours) - log(theirs): the one form in which
    ours / theirs and theirs / ours give the same verdict.

    Raises:
        ValueError: a value is not above zero.
    """
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    if not ((ours > 0).all() and (theirs > 0).all()):
        raise ValueError("A ratio needs values above zero on both sides; compare differences.")
    logs = mean_bounds(np.log(ours) - np.log(theirs), confidence)
    return Interval(*(float(np.exp(bound)) for bound in logs))


def bootstrap_bounds(
    summary: Callable[..., NDArray],
    *samples: Values,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Paired percentile bootstrap over items.

    Every resample draws n items with replacement, the same ones from all samples, so what is
    paired stays paired. The bounds are the k-th smallest and k-th largest of the summaries, with
    k = (resamples + 1) * (1 - confidence). Source: Efron and Tibshirani 1993, chapter 13;
    Davison and Hinkley 1997, section 5.3.

    Percentile and not BCa: claims compare medians, for which the jackknife inside BCa is
    inconsistent, and a percentile bound of a ratio is that of its logarithm.

    Args:
        summary: takes the samples as (..., resamples, n) and returns (resamples,).
        samples: each (..., n), items along the last axis.
        confidence: of each bound, between 0 and 1.
        resamples: how many; (resamples + 1) * (1 - confidence) must be at least 1.
        seed: of the one generator that draws them; nothing global is touched.

    Returns:
        The estimate is the summary of the samples as they are; the bounds are NaN where n is
        below `FEWEST_ITEMS`.

    Raises:
        ValueError: samples of unequal length, or too few resamples for the confidence.
    """
    _need_confidence(confidence)
    arrays = [np.asarray(sample, float) for sample in samples]
    sizes = {array.shape[-1] for array in arrays}
    if len(sizes) != 1:
        raise ValueError(f"Paired samples need one length, not {sorted(sizes)}.")
    rank = int(round((resamples + 1) * (1 - confidence), 6))
    if rank < 1:
        raise ValueError(f"{resamples} resamples cannot show {confidence:.1%}; take more.")
    (items,) = sizes
    estimate = float(summary(*(array[..., None, :] for array in arrays))[0])
    if items < FEWEST_ITEMS:
        return Interval(estimate, np.nan, np.nan)
    rng = np.random.default_rng(seed)
    block = max(1, _CELLS // max(array.size for array in arrays))
    drawn = []
    for start in range(0, resamples, block):
        index = rng.integers(items, size=(min(block, resamples - start), items))
        drawn.append(summary(*(array[..., index] for array in arrays)))
    ordered = np.sort(np.concatenate(drawn))
    return Interval(estimate, float(ordered[rank - 1]), float(ordered[-rank]))


def clopper_pearson(
    successes: Counts, trials: Counts, confidence: float = CONFIDENCE, tails: int = 2
) -> tuple[NDArray, NDArray]:
    """Exact interval of a proportion.

    low is the a-quantile of Beta(k, n - k + 1) and high the (1 - a)-quantile of
    Beta(k + 1, n - k), with a = (1 - confidence) / tails; 0 and 1 at the ends.
    Source: Clopper and Pearson, Biometrika 1934.

    Args:
        successes: k, whole numbers of any shape.
        trials: n, broadcast against k, at least 1.
        confidence: of the interval (tails 2) or of each bound on its own (tails 1).
        tails: 1 or 2.

    Returns:
        (low, high), each of the broadcast shape; the truth lies within at least as often as
        the confidence says.

    Raises:
        ValueError: a count that cannot be, or tails other than 1 or 2.
    """
    _need_confidence(confidence)
    if tails not in (1, 2):
        raise ValueError(f"An interval has 1 or 2 tails, not {tails}.")
    k, n = np.broadcast_arrays(np.asarray(successes, float), np.asarray(trials, float))
    if not ((k >= 0) & (k <= n) & (n >= 1)).all():
        raise ValueError("Successes must lie between 0 and the trials, of which there is one.")
    tail = (1 - confidence) / tails
    low = np.where(k == 0, 0.0, betaincinv(np.maximum(k, 1), n - k + 1, tail))
    high = np.where(k == n, 1.0, betaincinv(k + 1, np.maximum(n - k, 1), 1 - tail))
    return low, high


def sign_test(wins: Counts, losses: Counts, tails: int = 1) -> Numbers:
    """Exact sign test: how likely so many wins are when either side wins half of the time.

    P(X >= wins) for X binomial with n = wins + losses and 1/2; with two tails twice the smaller
    tail, at most 1. Ties are left out before. Without wins and losses it is 1.
    Source: Dixon and Mood, JASA 1946.

    Args:
        wins: whole numbers of any shape.
        losses: broadcast against them.
        tails: 1 asks whether wins are the more frequent, 2 whether the two differ.

    Returns:
        The p-value, of the broadcast shape.

    Raises:
        ValueError: tails other than 1 or 2.
    """
    if tails not in (1, 2):
        raise ValueError(f"A test has 1 or 2 tails, not {tails}.")
    won, lost = np.broadcast_arrays(np.asarray(wins), np.asarray(losses))
    if tails == 2:
        return np.minimum(1.0, 2 * sign_test(np.maximum(won, lost), np.minimum(won, lost)))
    return np.where(won == 0, 1.0, bdtrc(np.maximum(won, 1) - 1.0, won + lost, 0.5))


def mcnemar(ours: Values, theirs: Values, tails: int = 2) -> Numbers:
    """Exact McNemar test of two yes-or-no outcomes on the same items.

    The sign test of the items on which they disagree (exact, not mid-p: it may ask for one item
    too many, never for one too few). Source: McNemar, Psychometrika 1947.

    Args:
        ours: (..., n) booleans.
        theirs: (..., n) booleans, paired with them.
        tails: 1 asks whether ours are yes more often, 2 whether the two differ.

    Returns:
        The p-value, (...).
    """
    ours, theirs = np.asarray(ours, bool), np.asarray(theirs, bool)
    return sign_test((ours & ~theirs).sum(-1), (theirs & ~ours).sum(-1), tails)


def _need_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"A confidence lies between 0 and 1, which {confidence} does not.")
