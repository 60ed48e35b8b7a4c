"""What is compared of a finding, and the bounds of unpaired differences."""

import numpy as np
import pytest
from scipy.stats import binomtest
from tests.audit.documents import attacked, clean, falls
from tests.audit.findings import finding

from pellucid.audit.estimates import Estimate, estimates, unpaired
from pellucid.statistics import clopper_pearson


def test_an_accuracy_and_a_curve_are_read():
    (one,) = estimates(clean(150)).items()
    assert one[0] == "accuracy"
    assert one[1].value == 0.75
    assert one[1].rises
    curve = estimates(attacked(falls(1.0)))
    assert list(curve) == [f"accuracy at {radius}" for radius in (0.01, 0.03, 0.1, 0.3)]
    assert curve["accuracy at 0.1"].value == float((falls(1.0) > 0.1).mean())
    assert curve["accuracy at 0.1"].epsilon == 0.1


def test_an_error_is_better_when_it_falls_and_proofs_are_shares():
    error = finding("clean.calibration", figures={"ece": 0.1, "low": 0.05, "high": 0.2})
    assert not estimates(error)["ece"].rises
    lines = [{"epsilon": 0.1, "certified": 30, "low": 0.1, "high": 0.2, "broken": 3}]
    proof = finding("prove.crown.linf", figures={"rows": 200, "by_epsilon": lines})
    assert estimates(proof)["certified at 0.1"].value == 0.15


@pytest.mark.parametrize("missing", [None, "much"])
def test_what_was_not_measured_is_left_out(missing):
    figures = {"ece": missing, "low": None, "high": None}
    assert estimates(finding("clean.calibration", figures=figures)) == {}
    assert estimates(finding("explain.lime")) == {}


def wilson(right, rows):
    bounds = binomtest(right, rows).proportion_ci(method="wilson")
    return Estimate(value=right / rows, low=bounds.low, high=bounds.high)


def test_unpaired_bounds_of_wilson_s_intervals_are_newcombe_s():
    estimate, low, high = unpaired(wilson(56, 70), wilson(48, 80))  # his example (a)
    assert estimate == pytest.approx(0.2)
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_unpaired_bounds_hold_the_truth_as_often_as_they_say():
    rng, held = np.random.default_rng(0), 0
    counts = rng.binomial(100, [0.9, 0.8], size=(2000, 2))
    lows, highs = clopper_pearson(counts, 100)
    for k, low, high in zip(counts / 100, lows, highs, strict=True):
        a, b = (Estimate(value=float(k[i]), low=low[i], high=high[i]) for i in (0, 1))
        bounds = unpaired(a, b)
        held += bounds.low <= 0.1 <= bounds.high
    assert held / 2000 > 0.94
