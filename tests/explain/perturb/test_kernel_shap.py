"""KernelSHAP: exact where it lists all coalitions, and near where it draws them."""

from math import comb

import pytest
import torch
from tests.explain.perturb.games import columns, image_box, value_box

from pellucid.explain import explain
from pellucid.explain.perturb._coalitions import mass, plan
from pellucid.explain.perturb._regression import Moments, summing_to
from pellucid.explain.perturb.kernel_shap import KernelSHAP
from pellucid.explain.perturb.shapley import Shapley
from pellucid.explain.superpixels import Superpixels
from pellucid.rng import Streams, ids_of


def rough(size, rows=3, seed=0):
    """A function with interactions of all orders, and rows."""
    draw = torch.Generator().manual_seed(seed)
    inner = torch.randn(size, 20, generator=draw).double()
    outer = torch.randn(20, generator=draw).double()
    x = torch.randn(rows, size, generator=draw).double()
    return (lambda z: (z.to(inner) @ inner).relu() @ outer), x


def said(method, function, x, seed=0):
    return explain(method, value_box(function, x.shape[1]), x, columns(len(x)), seed=seed)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 10])
def test_it_equals_the_definition_where_all_coalitions_are_asked(size):
    function, x = rough(size)
    exact = said(Shapley(baseline=0.25), function, x)
    kernel = said(KernelSHAP(baseline=0.25), function, x)
    torch.testing.assert_close(kernel.values, exact.values, atol=1e-7, rtol=1e-6)
    assert kernel.queries.tolist() == exact.queries.tolist() == [2**size] * len(x)
    torch.testing.assert_close(kernel.agreement, torch.ones(len(x)).double())


def test_a_linear_model_is_recovered_from_few_samples():
    weights = torch.linspace(-1, 1, 20).double()
    x = torch.randn(2, 20, generator=torch.Generator().manual_seed(1)).double()
    kernel = said(KernelSHAP(samples=200), lambda z: z.to(weights) @ weights, x)
    torch.testing.assert_close(kernel.values, weights * x, atol=1e-7, rtol=1e-6)
    assert kernel.agreement.min() > 1 - 1e-6


@pytest.mark.parametrize("samples", [4, 5, 17, 60, 301])
def test_the_sum_is_exact_however_few_the_samples(samples):
    function, x = rough(20)
    kernel = said(KernelSHAP(samples=samples), function, x)
    total = function(x) - function(torch.zeros_like(x))
    torch.testing.assert_close(kernel.values.sum(1), total)
    assert kernel.gap.abs().max() < 1e-9
    assert set(kernel.queries.tolist()) <= {samples + 1, samples + 2}


def test_more_samples_come_nearer_and_the_halves_say_how_near():
    function, x = rough(12, rows=20)
    exact = said(Shapley(), function, x).values
    errors, agreements = [], []
    for samples in (40, 160, 640):
        kernel = said(KernelSHAP(samples=samples), function, x)
        errors.append(float((kernel.values - exact).norm() / exact.norm()))
        agreements.append(float(kernel.agreement.mean()))
    assert errors[0] > 1.5 * errors[1] > 2.25 * errors[2]
    assert agreements[0] < agreements[1] < agreements[2]
    assert agreements[2] > 0.99


def test_the_estimate_has_no_bias_that_seeds_would_not_show():
    function, x = rough(8, rows=1)
    exact = said(Shapley(), function, x).values
    drawn = torch.cat(
        [said(KernelSHAP(samples=60), function, x, seed=seed).values for seed in range(100)]
    )
    error = drawn.std(0) / 10
    assert ((drawn.mean(0) - exact[0]).abs() < 4 * error + 0.01 * exact.abs().max()).all()


@pytest.mark.parametrize(("players", "samples"), [(2, 10), (6, 62), (7, 60), (49, 498), (12, 2048)])
def test_the_plan_lists_whole_sizes_and_weighs_all_that_the_kernel_weighs(players, samples):
    known = plan(players, samples)
    assert len(known.listed.unique(dim=0)) == len(known.listed)
    assert samples - 1 <= len(known.listed) + 2 * known.pairs <= samples or not known.pairs
    whole = sum(mass(players, size) for size in range(1, players))
    assert float(torch.cat(known.weights).sum()) == pytest.approx(whole)
    for size in known.listed.sum(1).unique().tolist():
        those = known.listed.sum(1) == size
        assert int(those.sum()) == comb(players, size)
        assert float(known.kernel[those].sum()) == pytest.approx(mass(players, size))


def test_draws_are_pairs_of_complements_in_the_kernels_sizes():
    players, rows = 9, torch.zeros(1, 1)
    known = plan(players, 40)
    draws = [known.draw(Streams(seed, ids_of(rows), rows)) for seed in range(300)]
    for halves in draws[:5]:
        for half in halves:
            one, other = half.chunk(2)
            assert torch.equal(one, ~other)
    size = torch.cat([half for halves in draws for half in halves]).sum(-1).flatten()
    assert size.unique().tolist() == [s for s in range(1, 9) if min(s, 9 - s) in known.sizes]
    seen = torch.tensor([float((size == s).double().mean()) for s in known.sizes])
    due = torch.tensor(known.masses) / sum(known.masses) / 2
    assert ((seen - due).abs() < 4 * (due / len(size)).sqrt()).all()


def test_constrained_least_squares_solves_the_constrained_problem():
    draw = torch.Generator().manual_seed(0)
    z = torch.rand(30, 5, generator=draw) < 0.5
    y, w = torch.randn(2, 30, generator=draw).double()
    w = w.abs()
    found = summing_to(torch.tensor(0.7).double(), Moments.of(z, y, w))
    assert float(found.sum()) == pytest.approx(0.7)
    gradient = (w[:, None] * z.double()).T @ (z.double() @ found - y)
    assert float(gradient.std()) < 1e-8  # it points along the constraint alone


def test_what_the_samples_do_not_tell_apart_is_shared_equally():
    together = torch.tensor([[True, True, False], [False, False, True]])
    worth, weights = torch.tensor([2.0, 1.0]).double(), torch.ones(2).double()
    found = summing_to(torch.tensor(3.0).double(), Moments.of(together, worth, weights))
    torch.testing.assert_close(found, torch.ones(3).double(), atol=1e-6, rtol=0)


def test_colour_images_are_explained_by_parts_with_the_sum_kept():
    weight = torch.linspace(-1, 1, 3 * 8 * 8).double()
    box = image_box(lambda z: z.flatten(1).to(weight) @ weight, (3, 8, 8))
    x = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    method = KernelSHAP(superpixels=Superpixels(about=4), baseline=(0.1, 0.5, 0.9))
    said = explain(method, box, x, columns(2))
    away = x - torch.tensor([0.1, 0.5, 0.9]).double()[:, None, None]
    terms = weight.reshape(3, 8, 8) * away
    corner = said.values[:, :, :4, :4]
    torch.testing.assert_close(corner.sum((1, 2, 3)), terms[:, :, :4, :4].sum((1, 2, 3)))
    assert (corner.flatten(1).std(1) < 1e-12).all()
    torch.testing.assert_close(said.values.sum((1, 2, 3)), terms.sum((1, 2, 3)))
