"""Exact Shapley values: their closed forms and their axioms."""

from itertools import permutations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.explain.perturb.games import columns, value_box

from pellucid.errors import UserError
from pellucid.explain import explain, label, outputs
from pellucid.explain.perturb.shapley import Shapley
from pellucid.explain.superpixels import Superpixels

FLOATS = st.floats(-2, 2, width=32)


def shares(function, x, **fields):
    box = value_box(function, x.shape[1])
    return explain(Shapley(**fields), box, x, columns(len(x)))


def test_a_linear_model_shares_its_terms():
    weights, x = torch.tensor([3.0, -1.0, 0.5]).double(), torch.tensor([[1.0, 2.0, 4.0]]).double()
    said = shares(lambda z: z @ weights, x, baseline=0.5)
    torch.testing.assert_close(said.values, weights * (x - 0.5))
    assert said.gap.abs().max() < 1e-12
    assert said.queries.tolist() == [8]


def test_the_values_are_the_mean_additions_over_all_orders():
    x = torch.tensor([[1.0, -2.0, 0.5, 3.0], [2.0, 1.0, -1.0, 0.25]]).double()

    def function(z):
        return z[:, 0] * z[:, 1] + z[:, 2].relu() * z[:, 3] - z[:, 0] ** 2

    due, orders = torch.zeros_like(x), list(permutations(range(4)))
    for order in orders:
        z = torch.zeros_like(x)
        for player in order:
            before = function(z)
            z[:, player] = x[:, player]
            due[:, player] += (function(z) - before) / len(orders)
    torch.testing.assert_close(shares(function, x).values, due)


@settings(max_examples=30, deadline=None)
@given(st.lists(FLOATS, min_size=4, max_size=4), st.lists(FLOATS, min_size=6, max_size=6))
def test_players_alike_get_the_same_and_a_dummy_nothing(x, weights):
    row = torch.tensor([[x[0], x[0], *x[2:]]]).double()
    a, b, c = torch.tensor(weights[:3]).double()

    def function(z):  # the same for both of the first two; the last counts for nothing
        return (
            a * z[:, 0] * z[:, 1] + b * (z[:, 0] + z[:, 1]) ** 2 + c * z[:, 2] * z[:, 0] * z[:, 1]
        )

    said = shares(function, row)
    torch.testing.assert_close(said.values[0, 0], said.values[0, 1])
    assert said.values[0, 3].abs() < 1e-9
    assert said.gap.abs().max() < 1e-9


def test_a_part_shares_its_value_among_its_numbers():
    x = torch.arange(1.0, 7.0)[None].double()
    said = shares(lambda z: z.sum(1), x, superpixels=Superpixels(about=3))
    torch.testing.assert_close(said.values, torch.tensor([[1.5, 1.5, 3.5, 3.5, 5.5, 5.5]]).double())


def test_too_many_parts_are_refused_before_anything_is_asked():
    x = torch.zeros(1, 13)
    with pytest.raises(UserError, match=r"13 parts take 2\^13 queries a row: .*\.$"):
        shares(lambda z: z.sum(1), x, superpixels=Superpixels(about=13))


def test_one_class_of_a_classifier_is_explained_in_log_probabilities():
    x = torch.tensor([[1.0, -1.0]])
    box = value_box(lambda z: z[:, 0], 2)
    one = explain(Shapley(), box, x, label(torch.tensor([0])))
    twice = explain(Shapley(), box, x, outputs(lambda scores: 2 * scores[..., 0]))
    torch.testing.assert_close(2 * one.values, twice.values)
