"""Paired differences: the bootstrap that they stand for, drawn, and where they stay silent."""

import numpy as np
import pytest
from scipy.stats import binomtest

from pellucid.audit.paired import difference, difference_by_epsilon


def answers(wins, losses, rows):
    """Two models on the same rows: one alone is right, the other alone, both in turn."""
    ours = np.arange(rows) % 2 == 0
    theirs = ours.copy()
    ours[: wins + losses], theirs[: wins + losses] = np.arange(wins + losses) < wins, False
    theirs[wins : wins + losses] = True
    return ours, theirs


@pytest.mark.parametrize(("wins", "losses", "rows"), [(0, 0, 30), (7, 2, 40), (20, 60, 200)])
def test_the_bounds_are_those_of_a_drawn_bootstrap(wins, losses, rows):
    estimate, low, high = difference(*answers(wins, losses, rows))
    assert estimate == (wins - losses) / rows
    rng = np.random.default_rng(0)
    steps = np.array([1] * (wins + 1) + [-1] * (losses + 1) + [0] * (rows - wins - losses))
    drawn = steps[rng.integers(rows + 2, size=(40_000, rows + 2))].sum(1)
    step = 1 / (rows + 2)  # a draw may end one step off the exact percentile
    assert low == pytest.approx(np.quantile(drawn, 0.025) * step, abs=1.01 * step)
    assert high == pytest.approx(np.quantile(drawn, 0.975) * step, abs=1.01 * step)


def test_the_bounds_hold_the_estimate_and_turn_with_the_sides():
    for rows in (1, 2, 5, 20):
        for wins in range(rows + 1):
            for losses in range(rows + 1 - wins):
                ours, theirs = answers(wins, losses, rows)
                estimate, low, high = difference(ours, theirs)
                assert -1 <= low <= estimate <= high <= 1
                assert difference(theirs, ours) == pytest.approx((-estimate, -high, -low))


@pytest.mark.parametrize("rows", [50, 200, 1000])
@pytest.mark.parametrize("losses", [0, 1, 3])
def test_a_difference_shows_when_the_exact_test_sees_one(rows, losses):
    wins = range(losses, 25)
    bounds = [difference(*answers(k, losses, rows)).low for k in wins]
    shown = next(k for k, low in zip(wins, bounds, strict=True) if low > 0)
    exact = next(k for k in wins if k and binomtest(k, k + losses).pvalue <= 0.05)
    assert abs(shown - exact) <= 1


@pytest.mark.parametrize(("p", "q"), [(0.02, 0.02), (0.1, 0.02), (0.3, 0.2)])
def test_the_bounds_hold_the_truth_as_often_as_they_say(p, q):
    rng = np.random.default_rng(1)
    drawn = rng.multinomial(100, [p, q, 1 - p - q], size=4000)
    pairs, times = np.unique(drawn[:, :2], axis=0, return_counts=True)
    bounds = [difference(*answers(*pair, 100)) for pair in pairs.tolist()]
    held = [low <= p - q <= high for _, low, high in bounds]
    assert (times * held).sum() / 4000 > 0.94


def test_pairing_makes_a_difference_narrower():
    ours, theirs = answers(10, 0, 200)
    shuffled = np.random.default_rng(0).permutation(theirs)
    paired, loose = difference(ours, theirs), difference(ours, shuffled)
    assert paired.estimate == loose.estimate
    assert paired.high - paired.low < 0.6 * (loose.high - loose.low)
    assert paired.low > 0 > loose.low


def test_along_a_curve_each_point_is_the_difference_there():
    rng = np.random.default_rng(2)
    ours, theirs = rng.random(60), rng.random(60) * 0.8
    theirs[:5] = np.inf
    at = np.array([0.0, 0.2, 0.5, 2.0])
    for line in difference_by_epsilon(ours, theirs, at):
        epsilon = line["epsilon"]
        expected = difference(ours > epsilon, theirs > epsilon)
        assert (line["difference"], line["low"], line["high"]) == pytest.approx(expected)
