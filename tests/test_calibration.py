"""Calibration against closed forms and a search by hand."""

import numpy as np
import pytest
from scipy.special import log_softmax

from pellucid.calibration import (
    COLDEST,
    HOTTEST,
    Temperature,
    expected_calibration_error,
    negative_log_likelihood,
)
from pellucid.errors import UserError


def two_classes(score, right, rows):
    """Rows that all say class 0 with one score, of which so many are right."""
    return np.tile([score, 0.0], (rows, 1)), (np.arange(rows) >= right).astype(int)


def drawn(n=4000, classes=5, seed=0):
    """Scores, and labels drawn from their softmax."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, classes)) * 2
    chances = np.exp(log_softmax(scores, -1))
    return scores, (chances.cumsum(1) < rng.random((n, 1))).sum(1)


def test_the_temperature_of_one_confidence_makes_it_the_accuracy():
    scores, labels = two_classes(6.0, 80, 100)
    found = Temperature.fit(scores, labels)
    assert found.value == pytest.approx(6 / np.log(0.8 / 0.2), rel=1e-9)
    assert found.error == pytest.approx((1 / (1 + np.exp(-6)) - 0.8, 0.0), abs=1e-9)
    entropy = -(0.8 * np.log(0.8) + 0.2 * np.log(0.2))
    assert found.likelihood[1] == pytest.approx(entropy, rel=1e-9)


@pytest.mark.parametrize("heat", [0.25, 1.0, 3.0])
def test_scores_made_too_bold_are_cooled_by_as_much(heat):
    scores, labels = drawn()
    base = Temperature.fit(scores, labels).value
    assert base == pytest.approx(1.0, abs=0.06)
    found = Temperature.fit(heat * scores, labels)
    assert found.value == pytest.approx(heat * base, rel=1e-8)
    assert found.likelihood[1] <= found.likelihood[0]
    if heat != 1.0:
        assert found.error[1] < 0.3 * found.error[0]


def test_no_temperature_near_it_is_better_and_log_probabilities_serve_as_well():
    scores, labels = drawn(n=300, seed=1)
    found = Temperature.fit(scores, labels)
    for value in (0.99 * found.value, 1.01 * found.value):
        assert negative_log_likelihood(scores, labels, value) > found.likelihood[1]
    other = Temperature.fit(log_softmax(scores, -1), labels)
    assert other.value == pytest.approx(found.value, rel=1e-8)
    assert other.likelihood == pytest.approx(found.likelihood, rel=1e-9)


def test_labels_that_bound_no_temperature_lead_to_the_ends():
    assert Temperature.fit(*two_classes(2.0, 50, 50)).value == COLDEST
    assert Temperature.fit(*two_classes(2.0, 10, 50)).value == HOTTEST


def test_the_calibration_error_is_summed_over_bins():
    chance = np.array([0.55, 0.58, 0.91, 0.93, 0.97, 1.0])
    scores = np.log(np.stack([chance, 1 - chance], 1).clip(1e-300))
    labels = np.array([0, 1, 0, 0, 0, 1])
    # ten bins: (0.5, 0.6] with 2 rows, (0.9, 1] with 4
    due = (abs(0.5 - 0.565) * 2 + abs(0.75 - np.mean(chance[2:])) * 4) / 6
    assert expected_calibration_error(scores, labels, bins=10) == pytest.approx(due, rel=1e-9)
    one = abs(np.mean(labels == 0) - chance.mean())
    assert expected_calibration_error(scores, labels, bins=1) == pytest.approx(one, rel=1e-9)


def test_a_likelihood_survives_scores_of_any_size():
    scores = np.array([[1e4, 0.0], [0.0, 1e4]])
    assert negative_log_likelihood(scores, np.array([0, 0])) == pytest.approx(5000.0)


@pytest.mark.parametrize(
    ("scores", "labels", "said"),
    [
        (np.zeros((3, 2)), np.zeros(2, int), "they are"),
        (np.zeros((0, 2)), np.zeros(0, int), "some rows"),
        (np.array([[np.nan, 0.0]]), np.zeros(1, int), "finite"),
        (np.zeros((1, 2)), np.array([2]), "0 to 1"),
        (np.zeros((1, 2)), np.array([0.0]), "whole numbers"),
    ],
)
def test_what_cannot_be_calibrated_is_said(scores, labels, said):
    for ask in (Temperature.fit, expected_calibration_error, negative_log_likelihood):
        with pytest.raises(UserError, match=said):
            ask(scores, labels)
