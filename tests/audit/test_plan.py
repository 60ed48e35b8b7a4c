"""The checks of an audit, and how its budget is shared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.audit.plan import JUDGE, checks, shares
from pellucid.errors import UserError
from pellucid.spec import Image, Vector

LIMITS = st.lists(st.none() | st.integers(1, 60), min_size=1, max_size=5)


def worst(spent, rows, given):
    """The questions of an audit whose runs and judges all ask as often as they may."""
    return spent + rows * (1 + JUDGE * len(given) + sum(given))


@given(st.integers(0, 5000), st.integers(0, 8), st.integers(1, 20), LIMITS)
def test_shares_are_even_within_the_budget_and_leave_nothing_usable(budget, spent, rows, limits):
    try:
        given = shares(budget, spent, rows, limits)
    except UserError:
        assert budget < worst(spent, rows, [1] * len(limits))
        return
    assert worst(spent, rows, given) <= budget
    bounds = [budget if limit is None else limit for limit in limits]
    assert all(1 <= one <= bound for one, bound in zip(given, bounds, strict=True))
    hungry = [one for one, bound in zip(given, bounds, strict=True) if one < bound]
    if hungry:
        assert max(given) - min(hungry) <= 1
        assert worst(spent, rows, given) + rows * len(hungry) > budget


def test_what_one_check_cannot_use_goes_to_the_others():
    assert shares(8 + 10 * (1 + 2 * 3 + 300), 8, 10, [40, 40, None]) == [40, 40, 220]


def test_a_budget_that_is_too_small_says_which_would_do():
    with pytest.raises(UserError, match="give 108 or more") as caught:
        shares(107, 8, 10, [40, 40, None])
    assert "107 questions" in str(caught.value)
    assert shares(108, 8, 10, [40, 40, None]) == [1, 1, 1]


def test_radii_are_shares_of_the_range():
    linf, l2, free = checks(Image(shape=(1, 28, 28), low=0.0, high=255.0))
    assert linf.method.ball == linf.ball
    assert linf.ball.radius == pytest.approx(25.5)
    assert l2.ball.radius == pytest.approx(25.5 * 28 / 2)
    assert free.method.ball.radius is None
    assert free.ball == l2.ball


def test_inputs_without_bounds_have_no_radii():
    with pytest.raises(UserError, match="bounds"):
        checks(Vector(shape=(4,)))
