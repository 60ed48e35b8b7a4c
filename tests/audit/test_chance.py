"""Models that know nothing of their rows, and what is found to be wrong with them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.audit.checks.grounds import dataset, ground, only, saying

from pellucid.audit.chance import above_chance, examination, likely_cause, not_above_chance
from pellucid.audit.checks.accuracy import Accuracy
from pellucid.box.protocols import LabelBox
from pellucid.data import load
from pellucid.opening import understand
from pellucid.opening.opened import UNCOUNTED

MANY = 10**6


def drawn(n, shares, seed=0):
    rng = np.random.default_rng(seed)
    return rng.choice(len(shares), n, p=shares)


@pytest.mark.parametrize("classes", [2, 10, UNCOUNTED])
@pytest.mark.parametrize("rows", [20, 200, 2000])
def test_a_perfect_model_is_above_chance_whatever_the_shares_of_the_classes(rows, classes):
    even, rare = np.arange(rows) % 2, (np.arange(rows) == 3).astype(int)
    for y in (even, rare, 0 * even):
        assert above_chance(y, y, classes)


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.9, 0.1], [0.1] * 10])
def test_a_model_that_always_says_one_class_is_not(shares):
    y = drawn(300, shares)
    for c in range(len(shares)):
        assert not above_chance(np.full_like(y, c), y, len(shares))


def test_a_model_that_guesses_is_seldom_thought_better():
    y = drawn(200, [0.1] * 10)
    found = [above_chance(drawn(200, [0.1] * 10, seed), y, 10) for seed in range(1, 101)]
    assert sum(found) <= 5


def test_a_weak_model_that_knows_something_is_above_chance():
    y = drawn(300, [0.1] * 10)
    weak = np.where(np.arange(300) % 6 == 0, y, drawn(300, [0.1] * 10, 5))
    assert above_chance(weak, y, 10)
    rare = drawn(400, [0.9, 0.1])  # right on most rows of both classes, and on fewer than 90 %
    coin = np.where(drawn(400, [0.8, 0.2], 7) == 1, 1 - rare, rare)
    assert (coin == rare).mean() < (rare == 0).mean()
    assert above_chance(coin, rare, 2)


def test_answers_that_are_none_know_nothing_and_few_rows_show_nothing():
    y = drawn(100, [0.5, 0.5])
    assert not above_chance(np.full(100, -1), y, 2)
    assert above_chance(1 - y[:19], y[:19], 2)
    assert not above_chance(1 - y[:20], y[:20], 2)


def digits(change=lambda data: data, **facts):
    """The digits' own network and rows of which something is wrong."""
    opened = understand("builtin:digits-cnn")
    whole = load("digits", "test")
    data = change(replace(whole, x=whole.x[:200], y=whole.y[:200]))
    return ground(opened.box(facts.pop("access", None)), data, opened=opened, **facts)


def shifted(data):
    return replace(data, y=(data.y + 1) % 10)


def scrambled(data):
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    return replace(data, x=data.x.flatten(2)[..., order].reshape(data.x.shape))


def test_a_good_model_is_not_examined():
    where = digits()
    finding = Accuracy()(where, MANY).finding
    assert finding.cost.queries == 200
    assert not_above_chance(where, finding) is None


def test_labels_in_another_order_are_the_likely_cause():
    where = digits(shifted)
    finding = Accuracy()(where, MANY).finding
    assert "if the data number the classes from 1: renumber y" in str(finding.figures["cause"])
    reason = not_above_chance(where, finding)
    assert reason is not None
    assert reason.startswith("the model is not above chance, with ")
    assert not reason.endswith(".")
    assert str(finding.figures["cause"]) in reason
    assert str(finding.figures["cause"]) in finding.text


def test_rows_that_are_put_in_another_way_are_the_likely_cause():
    where = digits(lambda data: replace(data, x=1 - data.x))
    reason = str(not_above_chance(where, Accuracy()(where, MANY).finding))
    assert "right: the model is right on" in reason
    assert "with dark and light exchanged" in reason


@pytest.mark.parametrize("budget", [200, 219, 221, 399, 400, 2000, 5300, 10_000, MANY])
def test_an_examination_stays_within_the_budget_and_is_booked(budget):
    where = digits(scrambled)
    price = Accuracy().price(where)
    assert price.least == 200
    assert price.most == 200 + examination(where)
    seen = []
    assert where.opened is not None
    hook = where.opened.model.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    finding = Accuracy()(where, budget).finding
    hook.remove()
    assert finding.figures["above_chance"] is False
    assert finding.cost.queries <= min(budget, price.most)
    assert len(seen) == finding.cost.calls
    assert sum(seen) - finding.cost.queries in range(4 * len(seen))  # the padding of calls
    assert (finding.cost.queries > 200) == (budget >= 220)


def test_an_examination_sees_no_more_than_was_granted():
    where = digits(scrambled, access="label")
    assert examination(where) == 0
    cause, cost = likely_cause(where, MANY)
    assert cost.queries == 0
    assert cause.startswith("check that its weights are loaded")


def test_a_box_that_was_handed_over_is_not_examined():
    y = torch.arange(40) % 2
    box, data = saying(1 - y, y, 2)
    where = ground(only(box, LabelBox), data)
    assert Accuracy().price(where).most == 40
    reason = not_above_chance(where, Accuracy()(where, 40).finding)
    assert "0 of 40 rows right: check that" in str(reason)
    assert (
        not_above_chance(where, Accuracy()(ground(box, dataset(data.x, 1 - y)), 40).finding) is None
    )
