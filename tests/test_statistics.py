"""Bounds and tests against scipy.stats, enumeration, and their coverage by simulation."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from pellucid.statistics import (
    FEWEST_ITEMS,
    bootstrap_bounds,
    clopper_pearson,
    difference_bounds,
    lower_bound,
    mcnemar,
    mean_bounds,
    ratio_bounds,
    sign_test,
    upper_bound,
)


def mean(sample):
    return sample.mean(-1)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_bounds_are_those_of_scipys_one_sided_t_test(confidence):
    values = np.random.default_rng(0).normal(2.0, 3.0, 7)
    greater = stats.ttest_1samp(values, 0.0, alternative="greater").confidence_interval(confidence)
    less = stats.ttest_1samp(values, 0.0, alternative="less").confidence_interval(confidence)
    assert lower_bound(values, confidence) == pytest.approx(greater.low, rel=1e-12)
    assert upper_bound(values, confidence) == pytest.approx(less.high, rel=1e-12)


def test_bounds_work_along_the_last_axis():
    values = np.random.default_rng(1).normal(size=(3, 4, 5))
    together = lower_bound(values)
    assert together.shape == (3, 4)
    assert together[2, 1] == lower_bound(values[2, 1])


@pytest.mark.parametrize(("seeds", "t"), [(2, 6.313751515), (3, 2.919985580), (5, 2.131846786)])
def test_bounds_use_the_printed_quantiles_of_student(seeds, t):
    values = np.arange(seeds, dtype=float)
    expected = values.mean() - t * values.std(ddof=1) / np.sqrt(seeds)
    assert lower_bound(values) == pytest.approx(expected, rel=1e-8)


def test_one_seed_bounds_nothing():
    assert np.isnan(lower_bound([3.0]))
    assert np.isnan(upper_bound([3.0]))
    found = mean_bounds([3.0])
    assert found.estimate == 3.0
    assert np.isnan(found.low)
    assert np.isnan(found.high)


def test_lower_bound_covers_as_often_as_it_says():
    values = np.random.default_rng(2).normal(1.0, 2.0, (40_000, 5))
    covered = (lower_bound(values) <= 1.0).mean()
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 40_000))


def test_difference_is_paired():
    rng = np.random.default_rng(3)
    level = rng.normal(0.0, 100.0, 6)
    theirs, ours = level, level + rng.normal(1.0, 0.1, 6)
    found = difference_bounds(ours, theirs)
    test = stats.ttest_rel(ours, theirs, alternative="greater").confidence_interval(0.95)
    assert found.low == pytest.approx(test.low, rel=1e-9)
    assert found.low > 0.8


def test_ratio_is_the_exponential_of_the_logarithms_difference():
    ours, theirs = np.array([1.0, 2.0, 4.0]), np.array([2.0, 5.0, 7.0])
    found = ratio_bounds(ours, theirs)
    logs = difference_bounds(np.log(ours), np.log(theirs))
    assert found == pytest.approx(tuple(np.exp(logs)), rel=1e-12)
    assert found.estimate == pytest.approx((8 / 70) ** (1 / 3), rel=1e-12)


def test_ratio_turned_over_turns_the_bounds_over():
    ours, theirs = [1.0, 2.0, 4.0], [2.0, 5.0, 7.0]
    there, back = ratio_bounds(ours, theirs), ratio_bounds(theirs, ours)
    assert there.low == pytest.approx(1 / back.high, rel=1e-12)


def test_ratio_refuses_zero():
    with pytest.raises(ValueError, match="above zero"):
        ratio_bounds([1.0, 0.0], [1.0, 1.0])


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.0, 95.0])
def test_confidence_lies_between_0_and_1(confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        lower_bound([1.0, 2.0], confidence)


def test_bootstrap_of_a_proportion_agrees_with_the_binomial_it_samples():
    sample = np.repeat([0.0, 1.0], [30, 10])
    found = bootstrap_bounds(mean, sample, seed=5)
    # A resampled mean is Binomial(40, 1/4) / 40: the bounds are its quantiles, an atom either way.
    low, high = stats.binom.ppf([0.05, 0.95], 40, 0.25) / 40
    assert found.estimate == 0.25
    assert found.low == pytest.approx(low, abs=1 / 40 + 1e-12)
    assert found.high == pytest.approx(high, abs=1 / 40 + 1e-12)


def test_bootstrap_agrees_with_scipys_percentile_interval():
    rng = np.random.default_rng(6)
    ours, theirs = rng.lognormal(0.0, 0.5, 80), rng.lognormal(0.3, 0.5, 80)

    def ratio(a, b):
        return np.median(a, -1) / np.median(b, -1)

    found = bootstrap_bounds(ratio, ours, theirs)
    theirs_interval = stats.bootstrap(
        (ours, theirs),
        lambda a, b, axis: np.median(a, axis) / np.median(b, axis),
        paired=True,
        method="percentile",
        confidence_level=0.9,
        rng=np.random.default_rng(7),
        vectorized=True,
    ).confidence_interval
    width = theirs_interval.high - theirs_interval.low
    assert found.low == pytest.approx(theirs_interval.low, abs=0.05 * width)
    assert found.high == pytest.approx(theirs_interval.high, abs=0.05 * width)


def test_bootstrap_bounds_are_the_fiftieth_means_from_either_end_of_999():
    sample = np.random.default_rng(13).normal(size=40)
    index = np.random.default_rng(5).integers(40, size=(999, 40))
    means = sorted(sample[row].mean() for row in index)
    found = bootstrap_bounds(mean, sample, resamples=999, seed=5)
    assert found == pytest.approx((sample.mean(), means[49], means[-50]), rel=1e-12)


def test_bootstrap_keeps_pairs_together():
    theirs = np.random.default_rng(8).normal(0.0, 100.0, 50)
    found = bootstrap_bounds(lambda a, b: (a - b).mean(-1), theirs + 1.0, theirs)
    assert found == pytest.approx((1.0, 1.0, 1.0), rel=1e-12)


def test_bootstrap_is_decided_by_its_seed_and_leaves_numpys_generator_alone():
    sample = np.random.default_rng(9).normal(size=40)
    before = np.random.get_state()[1].copy()
    found = bootstrap_bounds(mean, sample, resamples=999, seed=1)
    assert found == bootstrap_bounds(mean, sample, resamples=999, seed=1)
    assert found != bootstrap_bounds(mean, sample, resamples=999, seed=2)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_bootstrap_does_not_depend_on_how_much_is_resampled_at_a_time(monkeypatch):
    sample = np.random.default_rng(10).normal(size=64)
    at_once = bootstrap_bounds(mean, sample, resamples=999)
    monkeypatch.setattr("pellucid.statistics._CELLS", 64 * 10)
    assert bootstrap_bounds(mean, sample, resamples=999) == at_once


@pytest.mark.parametrize("items", [FEWEST_ITEMS, 100])
def test_bootstrap_covers_nearly_as_often_as_it_says(items):
    rng = np.random.default_rng(11)
    runs = 600
    below = sum(
        bootstrap_bounds(mean, rng.normal(size=items), resamples=999, seed=run).low <= 0
        for run in range(runs)
    )
    # A percentile bound of a mean is narrow by about sqrt((n - 1) / n): 2 points are granted.
    assert 0.93 - 3 * np.sqrt(0.95 * 0.05 / runs) <= below / runs <= 0.98


def test_bootstrap_of_too_few_items_bounds_nothing():
    found = bootstrap_bounds(mean, np.arange(FEWEST_ITEMS - 1.0))
    assert found.estimate == (FEWEST_ITEMS - 2) / 2
    assert np.isnan(found.low)
    assert np.isnan(found.high)


def test_bootstrap_refuses_unequal_lengths_and_too_few_resamples():
    with pytest.raises(ValueError, match="one length"):
        bootstrap_bounds(lambda a, b: (a - b).mean(-1), np.ones(30), np.ones(31))
    with pytest.raises(ValueError, match="take more"):
        bootstrap_bounds(mean, np.ones(30), confidence=0.99, resamples=50)


@pytest.mark.parametrize("tails", [1, 2])
@pytest.mark.parametrize("trials", [1, 2, 9, 40])
def test_clopper_pearson_is_scipys_exact_interval(trials, tails):
    counts = np.arange(trials + 1)
    low, high = clopper_pearson(counts, trials, 0.95, tails)
    level = 0.95 if tails == 2 else 0.9
    exact = [stats.binomtest(int(k), trials).proportion_ci(level, "exact") for k in counts]
    np.testing.assert_allclose(low, [interval.low for interval in exact], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(high, [interval.high for interval in exact], rtol=1e-9, atol=1e-12)


def test_clopper_pearson_closed_forms_at_the_ends():
    low, high = clopper_pearson([0, 5], 5, 0.95, tails=1)
    np.testing.assert_allclose(low, [0.0, 0.05 ** (1 / 5)], rtol=1e-12)
    np.testing.assert_allclose(high, [1 - 0.05 ** (1 / 5), 1.0], rtol=1e-12)


@pytest.mark.parametrize("trials", [3, 12])
def test_clopper_pearson_never_covers_less_than_it_says(trials):
    truth = np.linspace(0.001, 0.999, 999)[:, None]
    counts = np.arange(trials + 1)
    chance = stats.binom.pmf(counts, trials, truth)
    low, high = clopper_pearson(counts, trials, 0.95, tails=1)
    assert (chance * (low <= truth)).sum(-1).min() >= 0.95 - 1e-9
    assert (chance * (truth <= high)).sum(-1).min() >= 0.95 - 1e-9
    low, high = clopper_pearson(counts, trials, 0.95)
    assert (chance * ((low <= truth) & (truth <= high))).sum(-1).min() >= 0.95 - 1e-9


@pytest.mark.parametrize(("successes", "trials"), [(-1, 5), (6, 5), (0, 0)])
def test_clopper_pearson_refuses_counts_that_cannot_be(successes, trials):
    with pytest.raises(ValueError, match="between 0 and the trials"):
        clopper_pearson(successes, trials)


@pytest.mark.parametrize("trials", range(9))
def test_sign_test_counts_every_outcome(trials):
    outcomes = [sum(flips) for flips in product([0, 1], repeat=trials)]
    for wins in range(trials + 1):
        as_many = np.mean([count >= wins for count in outcomes])
        as_far = np.mean([abs(2 * count - trials) >= abs(2 * wins - trials) for count in outcomes])
        assert sign_test(wins, trials - wins) == pytest.approx(as_many, rel=1e-12)
        assert sign_test(wins, trials - wins, tails=2) == pytest.approx(as_far, rel=1e-12)


def test_sign_test_works_on_arrays():
    found = sign_test(np.array([5, 8, 0]), np.array([0, 2, 0]))
    np.testing.assert_allclose(found, [1 / 32, 56 / 1024, 1.0], rtol=1e-12)


def test_sign_test_and_clopper_pearson_agree():
    for wins in range(21):
        low, _ = clopper_pearson(wins, 20, 0.95, tails=1)
        assert (low > 0.5) == (sign_test(wins, 20 - wins) < 0.05)


def test_mcnemar_is_scipys_binomial_test_of_the_disagreements():
    rng = np.random.default_rng(12)
    ours, theirs = rng.random(60) < 0.7, rng.random(60) < 0.4
    gained, lost = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    both = stats.binomtest(gained, gained + lost).pvalue
    one = stats.binomtest(gained, gained + lost, alternative="greater").pvalue
    assert mcnemar(ours, theirs) == pytest.approx(both, rel=1e-10)
    assert mcnemar(ours, theirs, tails=1) == pytest.approx(one, rel=1e-10)


def test_mcnemar_of_equal_outcomes_is_1():
    same = np.array([True, False, True])
    assert mcnemar(same, same) == 1.0


@pytest.mark.parametrize("test", [sign_test, clopper_pearson])
def test_there_are_one_or_two_tails(test):
    with pytest.raises(ValueError, match="1 or 2 tails"):
        test(1, 2, tails=3)
