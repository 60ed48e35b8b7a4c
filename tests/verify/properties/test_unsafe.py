"""Unsafe sets and the goal made of them: against brute force, and in exact arithmetic."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.verify.properties.nets import unsafe

from pellucid.errors import UserError
from pellucid.spec import OneClass, Spec, Values, Vector
from pellucid.verify.properties.goal import violates

NUMBERS = st.integers(-3, 3).map(float)
CONSTRAINTS = st.tuples(st.tuples(NUMBERS, NUMBERS), NUMBERS)
SETS = st.lists(st.lists(CONSTRAINTS, min_size=1, max_size=3), min_size=1, max_size=3)


@given(SETS, st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=4))
def test_membership_and_margin_are_those_of_a_union_of_polytopes(polytopes, points):
    found = unsafe(*polytopes)
    margins = found.margin(torch.tensor([points]))
    assert margins.shape == (1, len(points))
    for margin, (a, b) in zip(margins[0].tolist(), points, strict=True):
        due = max(min(d - c[0] * a - c[1] * b for c, d in each) for each in polytopes)
        assert margin == due
        assert found.contains((a, b)) == (due >= 0)


def test_membership_is_exact_where_floats_round():
    # in float64 0.1 + 0.2 is above 0.3 by rounding alone; as stored, the sum is above 0.3 too
    assert not unsafe([((1.0, 1.0), 0.3)]).contains((0.1, 0.2))
    assert unsafe([((1.0, 1.0), 2.0**53)]).contains((2.0**53, 0.0))
    assert not unsafe([((1.0, 1.0), 2.0**53)]).contains((2.0**53, 0.5))  # rounds to 2**53


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_in_no_set(value):
    everything = unsafe([((0.0, 0.0), 1.0)])
    assert everything.contains((1.0, 2.0))
    assert not everything.contains((value, 0.0))
    assert not violates(everything, torch.tensor([0]))(torch.tensor([[value, 0.0]]))


def test_a_goal_is_met_inside_any_polytope_and_climbs_towards_one():
    both = unsafe([((1.0, 0.0), -1.0), ((0.0, 1.0), 2.0)], [((-1.0, 0.0), -5.0)])
    goal = violates(both, torch.tensor([0, 1, 1]))
    y = torch.tensor([[1.0, 4.0], [1.0, 4.0], [-2.0, 0.0]], requires_grad=True)
    assert goal(y.detach()).tolist() == [False, False, True]
    loss = goal.loss(y)
    assert loss.tolist() == [-2 - 2, -4, -7]  # all that is broken of the polytope aimed at
    loss.sum().backward()
    assert y.grad.tolist() == [[-1, -1], [1, 0], [1, 0]]
    assert goal[torch.tensor([2, 0])].aims.tolist() == [1, 0]
    assert len(goal[torch.tensor([True, False, True])]) == 2
    assert goal.digest() != violates(both, torch.tensor([0, 0, 1])).digest()
    assert goal.digest() == violates(both, torch.tensor([0, 1, 1])).digest()
    probes = torch.zeros(4, 3, 2)
    assert goal.margin(probes).shape == goal.loss(probes).shape == (4, 3)


def test_a_goal_on_the_border_is_not_met():
    goal = violates(unsafe([((1.0,), 1.0)]), torch.tensor([0, 0]))
    assert goal(torch.tensor([[1.0], [1.0 - 1e-6]])).tolist() == [False, True]


def test_a_goal_speaks_of_raw_values_of_one_number():
    goal = violates(unsafe([((1.0, 0.0), 1.0)]), torch.tensor([0]))
    goal.check(Spec(input=Vector(shape=(3,)), answer=Values(size=2)))
    for answer in (Values(size=3), OneClass(size=2)):
        with pytest.raises(UserError, match="speaks of 2 raw values"):
            goal.check(Spec(input=Vector(shape=(3,)), answer=answer))
    with pytest.raises(UserError, match="aims at polytopes from 0 to 0"):
        violates(goal.unsafe, torch.tensor([1])).check(
            Spec(input=Vector(shape=(3,)), answer=Values(size=2))
        )
    with pytest.raises(UserError, match="needs values"):
        goal.met(torch.tensor([1]))
