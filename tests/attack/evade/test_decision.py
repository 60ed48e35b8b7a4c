"""Bisection and sums over probes, against what they are by definition."""

import math

import pytest
import torch

from pellucid.attack.evade._decision import bisect, sum_over_probes
from pellucid.box.torch_box import TorchBox
from pellucid.box.views import LabelView
from pellucid.box.window import Window
from pellucid.goals import hit
from pellucid.ledger import Ledger
from pellucid.spec import OneClass, Spec, Vector


class Threshold(torch.nn.Module):
    """The second class where the first value is at least the second."""

    def forward(self, x):
        margin = x[:, 0] - x[:, 1]
        return torch.stack([-margin - 1e-12, margin + 1e-12], 1)


def bisected(threshold, width, cuts=1):
    """Bisect a parameter from 0 (bad) to 1 (good); and what each row paid."""
    box = TorchBox(
        module=Threshold(), spec=Spec(input=Vector(shape=(2,)), answer=OneClass(size=2)), pad=1
    )
    n = len(threshold)
    ledger = Ledger(n)
    view = LabelView(Window(box, ledger), torch.arange(n))
    good, point = bisect(
        view,
        hit(torch.ones(n, dtype=torch.long)),
        lambda t, rows: torch.stack([t, threshold[rows]], 1),
        torch.ones(n, dtype=torch.float64),
        torch.zeros(n, dtype=torch.float64),
        width,
        cuts=cuts,
    )
    return good, point, ledger.queries


def thresholds(*values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("cuts", [1, 2, 3])
@pytest.mark.parametrize("width", [0.3, 1e-2, 1e-5])
def test_it_ends_in_the_goal_within_the_width_of_the_boundary(width, cuts):
    threshold = thresholds(0.9, 0.71, 0.5, 0.333)
    good, point, _ = bisected(threshold, torch.full_like(threshold, width), cuts)
    assert (good >= threshold).all()
    assert (good - threshold <= width).all()
    assert torch.equal(point, torch.stack([good, threshold], 1))


def test_it_ends_where_the_numbers_do():
    """A width that no number can meet: gamma / d^1.5 of images is finer than float32 at one."""
    threshold = thresholds(0.9, 0.71, 0.333)
    good, _, queries = bisected(threshold, torch.zeros_like(threshold))
    assert ((good - threshold).abs() <= 2e-12).all()  # the goal itself is blurred by 1e-12
    assert queries.max() <= 60


@pytest.mark.parametrize("width", [0.3, 1e-2, 1e-5])
def test_it_costs_a_query_a_halving(width):
    # so near the good end, the width is the same of the way and of the good end
    threshold = thresholds(0.99999, 0.999999)
    _, _, queries = bisected(threshold, torch.full_like(threshold, width))
    assert queries.tolist() == [math.ceil(math.log2(1 / width))] * 2


def test_three_cuts_are_worth_two_halvings():
    threshold = thresholds(0.99999, 0.6)
    width = torch.full_like(threshold, 0.9 * 4**-5)
    good, _, queries = bisected(threshold, width, cuts=3)
    halved, _, paid = bisected(threshold, width)
    assert queries.tolist() == [3 * 6] * 2
    assert paid.tolist() == [11] * 2
    assert ((good - halved).abs() <= width).all()


def test_each_row_has_its_own_width_and_pays_for_that():
    threshold = torch.full((4,), 0.99999, dtype=torch.float64)
    width = thresholds(2.0, 0.3, 1e-2, 1e-4)
    good, _, queries = bisected(threshold, width)
    assert queries.tolist() == [0, 2, 7, 14]
    assert good[0] == 1


def test_a_row_goes_its_way_alone_and_in_company():
    threshold = thresholds(0.9, 0.123, 0.456, 0.77)
    width = thresholds(1e-3, 1e-6, 1e-2, 1e-4)
    good, _, queries = bisected(threshold, width)
    for row in range(4):
        alone, _, paid = bisected(threshold[row : row + 1], width[row : row + 1])
        assert torch.equal(alone, good[row : row + 1])
        assert paid.tolist() == queries[row : row + 1].tolist()


def test_a_row_that_cannot_pay_stays_at_its_good_end():
    box = TorchBox(
        module=Threshold(), spec=Spec(input=Vector(shape=(2,)), answer=OneClass(size=2)), pad=1
    )
    ledger = Ledger(2)
    ledger.closed[0] = True
    threshold = thresholds(0.25, 0.25)
    good, _ = bisect(
        LabelView(Window(box, ledger), torch.arange(2)),
        hit(torch.ones(2, dtype=torch.long)),
        lambda t, rows: torch.stack([t, threshold[rows]], 1),
        torch.ones(2, dtype=torch.float64),
        torch.zeros(2, dtype=torch.float64),
        torch.full((2,), 0.01, dtype=torch.float64),
    )
    assert good[0] == 1
    assert 0.25 <= good[1] <= 0.26
    assert ledger.queries[0] == 0


@pytest.mark.parametrize("shape", [(7,), (1, 4, 4), ()])
def test_sums_over_probes_are_sums(shape):
    generator = torch.Generator().manual_seed(0)
    probes = torch.randn((5, 3, *shape), generator=generator, dtype=torch.float64)
    weights = torch.randn((5, 3), generator=generator, dtype=torch.float64)
    due = sum(weights[k].reshape(3, *[1] * len(shape)) * probes[k] for k in range(5))
    assert torch.allclose(sum_over_probes(weights, probes), due, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 100])
def test_sums_over_probes_are_the_same_bits_in_any_company(n):
    generator = torch.Generator().manual_seed(0)
    probes = torch.randn((37, 100, 64), generator=generator)
    weights = torch.randn((37, 100), generator=generator)
    whole = sum_over_probes(weights, probes)
    assert torch.equal(sum_over_probes(weights[:, :n], probes[:, :n]), whole[:n])


@pytest.mark.parametrize("d", [25, 49, 64, 729])
def test_a_sum_s_bits_do_not_depend_on_where_a_row_lies_in_memory(d):
    rng = torch.Generator().manual_seed(0)
    probes, weights = torch.randn(25, 33, d, generator=rng), torch.randn(25, 33, generator=rng)
    whole = sum_over_probes(weights, probes)
    for row in range(33):
        alone = sum_over_probes(weights[:, [row]].clone(), probes[:, [row]].clone())
        assert torch.equal(alone[0], whole[row])
