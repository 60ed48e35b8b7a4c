"""Rows of one batch that have other numbers of parts: each ends as it would alone."""

import pytest
import torch
from tests.explain.perturb.games import columns, image_box

from pellucid.explain import Explained, explain
from pellucid.explain.perturb.permutation_importance import PermutationImportance
from pellucid.explain.perturb.shapley import Shapley
from pellucid.explain.superpixels import Superpixels
from pellucid.runs import Status

SLIC = Superpixels("slic", 12)
BOX = image_box(lambda z: (z[:, 0] ** 2).flatten(1).sum(1), (1, 24, 24))


def images():
    """Three images that SLIC cuts into other numbers of parts: 9, 7 and 6."""
    place = torch.arange(24)
    disc = (place[:, None] - 9) ** 2 + (place - 13) ** 2 < 30
    half = (place < 9).expand(24, 24)
    return torch.stack([torch.zeros(24, 24), disc, half])[:, None].double()


def asked(method: Shapley | PermutationImportance, x: torch.Tensor, budget: int) -> Explained:
    return explain(method, BOX, x, columns(len(x)), data=(images(), None), budget=budget)


@pytest.mark.parametrize(
    "method", [Shapley(superpixels=SLIC), PermutationImportance(repeats=2, superpixels=SLIC)]
)
def test_a_tight_budget_ends_those_rows_alone_that_cannot_pay(method):
    x = images()
    alone = [asked(method, row, 10**6) for row in x.split(1)]
    prices = sorted(int(one.queries[0]) for one in alone)
    assert len(set(prices)) == 3
    for budget in {price + more for price in prices for more in (-1, 0)} - {prices[0] - 1}:
        said = asked(method, x, budget)
        for row, one in enumerate(alone):
            paid = int(one.queries[0]) <= budget
            assert said.status[row] is (Status.DONE if paid else Status.SPENT)
            assert torch.equal(said.values[row], one.values[0]) == paid
