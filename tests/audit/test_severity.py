"""Levels by a bound and limits."""

import pytest

from pellucid.audit.severity import Limits, Steps, worst
from pellucid.errors import UserError

STEPS = Steps(low=0.95, medium=0.9, high=0.8, critical=0.5)


@pytest.mark.parametrize(
    ("bound", "level"),
    [
        (1.0, "none"),
        (0.95, "none"),
        (0.949, "low"),
        (0.9, "low"),
        (0.899, "medium"),
        (0.8, "medium"),
        (0.79, "high"),
        (0.5, "high"),
        (0.49, "critical"),
        (0.0, "critical"),
    ],
)
def test_a_share_has_the_level_of_the_worst_step_that_it_misses(bound, level):
    assert STEPS.short(bound) == level


@pytest.mark.parametrize(
    ("bounds", "level"),
    [
        ((0.9, 0.8, 0.6, 0.5), "none"),
        ((0.9, 0.8, 0.6, 0.1), "low"),
        ((0.9, 0.8, 0.4, 0.1), "medium"),
        ((0.9, 0.4, 0.4, 0.1), "high"),
        ((0.4, 0.4, 0.4, 0.1), "critical"),
        ((0.9, 0.4), "high"),
        ((0.9, 0.9, 0.9, 0.9, 0.1), "low"),
        ((), "none"),
    ],
)
def test_a_curve_is_as_bad_as_the_least_radius_at_which_it_breaks(bounds, level):
    assert Limits().broken(bounds) == level


def test_steps_must_fall():
    with pytest.raises(UserError, match="fall from low to critical"):
        Steps(low=0.5, medium=0.9, high=0.8, critical=0.5)


def test_the_worst_of_none_is_none():
    assert worst([]) == "none"
    assert worst(["low", "critical", "none"]) == "critical"
