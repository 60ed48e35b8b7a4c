"""Every selector of the table keeps the contract of selectors, and the contract finds faults."""

from dataclasses import dataclass

import pytest
import torch

from pellucid.attack.online.optimistic import Optimistic
from pellucid.attack.online.selector import Reference
from pellucid.attack.online.virtual_plus import VirtualPlus
from pellucid.systems import SYSTEMS
from pellucid.testing import selector
from pellucid.testing.selector import SELECTOR_CHECKS

ROWS = [row for row in SYSTEMS if row.kind == "selector"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.slug)
@pytest.mark.parametrize("check", SELECTOR_CHECKS, ids=lambda check: check.__name__)
def test_contract(check, row):
    check(row.load()())


@dataclass(frozen=True, kw_only=True)
class Blind(VirtualPlus):
    def looks(self, items, _picks, /):
        return items


@dataclass(frozen=True, kw_only=True)
class Greedy(VirtualPlus):
    def decide(self, reference, value, _picked, /):
        return value >= reference.values[:, -1], reference


@dataclass(frozen=True, kw_only=True)
class Scaled(VirtualPlus):
    def decide(self, reference, value, _picked, /):
        return value > reference.values[:, -1] - 1.5, reference


@dataclass(frozen=True, kw_only=True)
class Crowded(VirtualPlus):
    def decide(self, reference, value, _picked, /):
        values = reference.values.amax(0, keepdim=True).expand_as(reference.values)
        crowded = Reference(values=values, first=reference.first)
        return value > values[:, -1], crowded


@dataclass(frozen=True, kw_only=True)
class Contrary(Optimistic):
    def decide(self, reference, value, _picked, /):
        return value < reference.values[:, -1], reference


@pytest.mark.parametrize(
    ("fault", "check", "said"),
    [
        (Blind, selector.check_looks_before_it_picks, "looks at 40 of 40 items"),
        (Greedy, selector.check_order_is_all_it_sees, "an item of 1.0 among others"),
        (Scaled, selector.check_order_is_all_it_sees, "another scale"),
        (Crowded, selector.check_streams_are_apart, "a stream that is alone"),
        (Contrary, selector.check_beats_chance, "of the 1 largest"),
    ],
)
def test_each_planted_fault_is_caught(fault, check, said):
    with pytest.raises(AssertionError, match=said):
        check(fault())


def test_nobody_picks_more_than_may_be_picked():
    class Always(VirtualPlus):
        def decide(self, reference, value, _picked, /):
            return torch.ones_like(value, dtype=torch.bool), reference

    selector.check_keeps_to_its_picks(Always())
