"""Selectors at work, against exact probabilities, plain lists, and what is measured elsewhere."""

from itertools import permutations
from math import e

import pytest
import torch
from torch import Generator

from pellucid.attack.online.optimistic import Optimistic
from pellucid.attack.online.picking import Picking, pick
from pellucid.attack.online.ratios import at_random, best, indicator_ratio, knapsack_ratio
from pellucid.attack.online.single_ref import SingleRef
from pellucid.attack.online.virtual import Virtual
from pellucid.attack.online.virtual_plus import VirtualPlus
from pellucid.errors import UserError

SELECTORS = (VirtualPlus(), Virtual(), Optimistic(), SingleRef())


def orders(count, items, seed=0):
    return torch.rand(count, items, generator=Generator().manual_seed(seed)).argsort(1).double()


def all_orders(items):
    return torch.tensor(list(permutations(range(items)))).double()


@pytest.mark.parametrize("looks", range(1, 7))
@pytest.mark.parametrize("selector", [VirtualPlus, Virtual, Optimistic], ids=lambda s: s.__name__)
def test_of_all_orders_one_pick_is_the_largest_as_often_as_optimal_stopping_says(selector, looks):
    items = 7
    rule = selector(share=(looks + 0.5) / items)
    values = all_orders(items)
    found = indicator_ratio(values, pick(rule, values, 1), 1).mean()
    due = looks / items * sum(1 / (i - 1) for i in range(looks + 1, items + 1))
    assert float(found) == pytest.approx(due, abs=1e-12)


def test_for_many_items_the_largest_is_found_in_one_of_e_streams():
    items, looks = 2000, int(2000 / e)
    due = looks / items * sum(1 / (i - 1) for i in range(looks + 1, items + 1))
    assert due == pytest.approx(1 / e, abs=1e-3)
    values = orders(2000, items)
    found = indicator_ratio(values, pick(VirtualPlus(), values, 1), 1).mean()
    assert abs(float(found) - due) < 4 * (due * (1 - due) / 2000) ** 0.5


def virtual_plus(stream, looks, k):
    """Which items are picked, told with a sorted list of numbers as the paper does."""
    reference, picked = sorted(stream[:looks], reverse=True)[:k], []
    for i, value in enumerate(stream[looks:], looks):
        if value > reference[-1] and len(picked) < k:
            picked.append(i)
            reference = sorted([*reference, value], reverse=True)[:k]
    return picked


def virtual(stream, looks, k):
    reference, picked = sorted(enumerate(stream[:looks]), key=lambda pair: -pair[1])[:k], []
    for i, value in enumerate(stream[looks:], looks):
        last = reference[-1]
        if value > last[1]:
            reference = sorted([*reference[:-1], (i, value)], key=lambda pair: -pair[1])
            if last[0] < looks and len(picked) < k:
                picked.append(i)
    return picked


def optimistic(stream, looks, k):
    reference, picked = sorted(stream[:looks], reverse=True)[:k], []
    for i, value in enumerate(stream[looks:], looks):
        if reference and value > reference[-1]:
            picked.append(i)
            reference.pop()
    return picked


def single_ref(stream, looks, k):
    bar = sorted(stream[:looks], reverse=True)[{1: 1, 3: 2, 10: 3}[k] - 1]
    over = [i for i, value in enumerate(stream[looks:], looks) if value > bar]
    return over[:k]


@pytest.mark.parametrize("k", [1, 3, 10])
@pytest.mark.parametrize(
    ("selector", "told"),
    [
        (VirtualPlus(), virtual_plus),
        (Virtual(), virtual),
        (Optimistic(), optimistic),
        (SingleRef(), single_ref),
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_a_rule_picks_what_its_own_words_say(selector, told, k):
    values = orders(200, 50)
    chosen = pick(selector, values, k)
    looks = selector.looks(50, k)
    assert looks >= k
    for stream, found in zip(values.tolist(), chosen, strict=True):
        assert found.nonzero()[:, 0].tolist() == told(stream, looks, k)


# of 100 items, measured by another program over 4,000 orders
MEASURED = {
    1: (0.372, 0.362, 0.375),
    2: (0.439, 0.424, 0.417),
    5: (0.496, 0.480, 0.518),
    10: (0.541, 0.513, 0.582),
}


@pytest.mark.parametrize("k", MEASURED)
def test_the_ratios_are_those_of_another_program(k):
    values = orders(4000, 100)
    for rule, due in zip((VirtualPlus(), Optimistic(), SingleRef()), MEASURED[k], strict=True):
        ratios = indicator_ratio(values, pick(rule, values, k), k)
        assert abs(float(ratios.mean()) - due) < 4 * float(ratios.std()) * (2 / 4000) ** 0.5


def test_the_two_ends_are_all_of_the_largest_and_what_chance_gives():
    values = orders(3000, 40) + 1
    everything = best(values, 6)
    assert (indicator_ratio(values, everything, 6) == 1).all()
    assert (knapsack_ratio(values, everything, 6) == 1).all()
    chance = at_random(values, 6, Generator().manual_seed(1))
    assert (chance.sum(1) == 6).all()
    assert float(indicator_ratio(values, chance, 6).mean()) == pytest.approx(6 / 40, abs=0.01)
    worth = 41 / 2 * 6 / sum(range(35, 41))
    assert float(knapsack_ratio(values, chance, 6).mean()) == pytest.approx(worth, abs=0.01)


def test_with_few_items_to_look_at_an_empty_place_is_less_than_any_value():
    rule = VirtualPlus(share=0.2)
    picking = Picking(rule, items=5, picks=3)
    assert [picking.offer(value) for value in (5.0, 1.0, 2.0, 3.0, 4.0)] == [0, 1, 1, 1, 0]


def test_exhaust_picks_the_last_items_when_no_more_are_left_than_picks():
    falling = torch.arange(10.0, 0, -1)[None]
    assert not pick(VirtualPlus(), falling, 3).any()
    chosen = pick(VirtualPlus(), falling, 3, exhaust=True)
    assert chosen[0].nonzero()[:, 0].tolist() == [7, 8, 9]


def test_a_stream_that_is_longer_than_it_was_said_to_be_is_refused():
    picking = Picking(VirtualPlus(), items=2, picks=1)
    picking.offer(1.0)
    picking.offer(2.0)
    with pytest.raises(UserError, match="said to have 2 items"):
        picking.offer(3.0)


@pytest.mark.parametrize("picks", [0, 6])
def test_a_number_of_picks_that_cannot_be_is_refused(picks):
    with pytest.raises(UserError, match="Of 5 items one or more can be picked"):
        Picking(VirtualPlus(), items=5, picks=picks)


def test_single_ref_outside_of_its_table_asks_for_its_bar():
    with pytest.raises(UserError, match=r"not for 15: give it a share and a rank"):
        pick(SingleRef(), orders(1, 50), 15)
    assert pick(SingleRef(share=0.3, rank=4), orders(50, 50), 15).any()
