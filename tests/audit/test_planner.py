"""Which checks are made, and how the budget is shared among them."""

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.linear import D, linear

from pellucid.audit.check import Ground, Price
from pellucid.audit.planner import ANY, planned
from pellucid.audit.severity import Limits
from pellucid.box.protocols import GradBox, LabelBox, WhiteBox
from pellucid.box.views import VIEWS, Direct
from pellucid.data import Dataset
from pellucid.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Priced:
    """A check of which nothing but the price is known."""

    name: str
    least: int
    most: int | None = None
    access: type = LabelBox
    reason: str | None = None

    def refusal(self, _ground):
        return self.reason

    def price(self, _ground):
        return Price(least=self.least, most=self.most)

    def __call__(self, _ground, _budget):
        raise AssertionError("a planner runs nothing")


def ground(access=WhiteBox):
    x, y = torch.full((4, D), 0.5), torch.tensor([0, 1, 0, 1])
    data = Dataset(name="rows", split=None, x=x, y=y, low=0.0, high=1.0, class_names=("a", "b"))
    return Ground(box=VIEWS[access](Direct(linear())), data=data, limits=Limits())


PRICES = st.lists(
    st.tuples(st.integers(1, 50), st.none() | st.integers(0, 100)), min_size=1, max_size=6
)


@given(PRICES, st.integers(0, 400), st.integers(0, 20))
def test_shares_are_even_and_within_the_budget_and_leave_nothing_that_can_be_used(
    prices, budget, spent
):
    checks = [
        Priced(name=f"clean.{i}", least=least, most=None if more is None else least + more)
        for i, (least, more) in enumerate(prices)
    ]
    try:
        parts, denied = planned(checks, ground(), budget, spent)
    except UserError:
        assert all(check.least > budget - spent for check in checks)
        return
    left = budget - spent - sum(part.budget for part in parts)
    assert left >= 0
    more = [(p.budget - p.price.least, p.price.most) for p in parts]
    assert all(part.budget >= part.price.least for part in parts)
    assert all(p.price.most is None or p.budget <= p.price.most for p in parts)
    hungry = [p for p in parts if p.price.most is None or p.budget < p.price.most]
    if hungry:
        assert left == 0
        least = min(p.budget - p.price.least for p in hungry)
        assert max(extra for extra, _ in more) - least <= 1
    assert len(parts) + sum(one.check.startswith("clean.") for one in denied) == len(checks)


def test_without_a_budget_every_check_has_what_it_can_use():
    checks = [Priced(name="clean.a", least=3, most=9), Priced(name="falsify.b", least=3)]
    parts, _ = planned(checks, ground(), None, 8)
    assert [part.budget for part in parts] == [9, ANY]


def test_what_cannot_be_made_is_said_with_the_reason():
    checks = [
        Priced(name="clean.a", least=5),
        Priced(name="falsify.b", least=5, access=GradBox),
        Priced(name="falsify.c", least=5, reason="rows of points"),
        Priced(name="prove.d", least=500),
    ]
    parts, denied = planned(checks, ground(LabelBox), 100, 8)
    assert [part.check.name for part in parts] == ["clean.a"]
    assert {one.check: one.reason for one in denied} == {
        "falsify.b": "it needs access 'gradient', which was not granted",
        "falsify.c": "rows of points",
        "prove.d": "its 500 questions, which are more than the budget leaves",
        "explain": "the plan has no check of this stage",
        "forensics": "the plan has no check of this stage",
    }


def test_a_plan_of_which_nothing_is_left_is_an_error():
    with pytest.raises(UserError, match=r"nothing can be tested \(clean.a: its 50 questions"):
        planned([Priced(name="clean.a", least=50)], ground(), 20, 8)
