"""Power laws: exact ones are found, noisy ones nearly, and order statistics obey them."""

import numpy as np
import pytest
import torch

from pellucid.attack.power_law import fit_power_law, gap_law
from pellucid.errors import UserError

SIZES = np.geomspace(0.01, 0.3, 12)


@pytest.mark.parametrize(("exponent", "factor"), [(1.0, 1.2), (1.5, 2.0), (2.0, 3.0)])
def test_an_exact_law_is_found(exponent, factor):
    found = fit_power_law(SIZES, factor * SIZES**exponent, rows=1000)
    assert found.exponent == pytest.approx(exponent)
    assert found.factor == pytest.approx(factor)
    assert found.r2 == pytest.approx(1)


def test_only_shares_between_the_ends_are_fitted():
    share = np.clip(2 * SIZES, 0.03, 0.4)  # saturates on both sides
    found = fit_power_law(SIZES, share, rows=1000, low=0.031, high=0.39)
    assert found.exponent == pytest.approx(1)
    assert found.points == int(((share > 0.031) & (share < 0.39)).sum()) < len(SIZES)
    with pytest.raises(UserError, match=r"needs three shares or more between 0\.9 and 1\.0"):
        fit_power_law(SIZES, share, rows=1000, low=0.9, high=1.0)


def test_weights_are_those_of_binomial_errors():
    rng, errors, flat = np.random.default_rng(0), [], []
    for _ in range(300):
        share = rng.binomial(400, 2 * SIZES) / 400
        kept = (share > 0.005) & (share < 0.5)
        errors.append(fit_power_law(SIZES, share, rows=400).exponent - 1)
        flat.append(np.polyfit(np.log(SIZES[kept]), np.log(share[kept]), 1)[0] - 1)
    assert abs(np.mean(errors)) < 0.02
    assert np.std(errors) < 0.9 * np.std(flat)  # equal weights would scatter more


@pytest.mark.parametrize("place", [2, 3, 4])
def test_gaps_of_independent_logits_obey_order_statistics(place):
    logits = torch.rand(400_000, 5, generator=torch.Generator().manual_seed(0))
    found = gap_law(logits, place, low=0.001, high=0.02)
    assert found.exponent == pytest.approx(place - 1, rel=0.07)


def test_a_hole_in_the_gaps_is_no_power_law_of_exponent_one():
    rng = torch.Generator().manual_seed(0)
    first = torch.rand(10_000, generator=rng)
    logits = torch.stack([first, first - 1 - torch.rand(10_000, generator=rng)], 1)
    assert gap_law(logits, 2).exponent > 5
