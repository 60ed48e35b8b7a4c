"""Explanations by gradients against closed forms."""

import pytest
import torch
from tests.subjects import Counting, Formula, identity_box, integer_rows, vector_box
from torch import nn
from torch.nn import functional

from pellucid.errors import UserError
from pellucid.explain import explain, label, labels, outputs
from pellucid.explain._differentiate import ROWS_AT_ONCE
from pellucid.explain.gradient.guided_backprop import GuidedBackprop
from pellucid.explain.gradient.input_x_gradient import InputXGradient
from pellucid.explain.gradient.integrated_gradients import IntegratedGradients
from pellucid.explain.gradient.plain_gradient import PlainGradient
from pellucid.explain.gradient.smooth_grad import SAMPLES_AT_ONCE, SmoothGrad
from pellucid.models.small_cnn import SmallCNN
from pellucid.rng import Streams, ids_of

WEIGHT = torch.tensor([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]])
LINEAR = vector_box(Formula(lambda x: functional.linear(x, WEIGHT.to(x))), d=3)
X = integer_rows(4, d=3)
Y = torch.tensor([0, 1, 1, 0])
METHODS = (
    (PlainGradient(), 1, 1),
    (InputXGradient(), 1, 1),
    (IntegratedGradients(), 52, 50),
    (IntegratedGradients(steps=13, rule="midpoint"), 15, 13),
    (SmoothGrad(), 50, 50),
    (SmoothGrad(samples=13), 13, 13),
)


@pytest.mark.parametrize(("method", "queries", "gradients"), METHODS)
def test_the_cost_is_what_the_docstring_says(method, queries, gradients):
    said = explain(method, LINEAR, X, label(Y))
    assert said.queries.tolist() == [queries] * 4
    assert said.gradients.tolist() == [gradients] * 4


@pytest.mark.parametrize("method", [IntegratedGradients(), SmoothGrad(), PlainGradient()])
@pytest.mark.parametrize("rows", [3, 300])
def test_a_graph_is_kept_for_few_rows_at_a_time(method, rows):
    module = Counting(Formula(lambda x: x))
    box = vector_box(module)
    most = []
    module.register_forward_pre_hook(lambda _, x: most.append(len(x[0]) * x[0].requires_grad))
    explain(method, box, integer_rows(rows, d=2), label(torch.zeros(rows, dtype=torch.long)))
    assert max(most) <= ROWS_AT_ONCE


def test_on_a_linear_model_all_are_its_weights():
    for method, factor in (
        (PlainGradient(), torch.ones_like(X)),
        (SmoothGrad(), torch.ones_like(X)),
        (InputXGradient(), X),
        (IntegratedGradients(), X),
        (IntegratedGradients(baseline=-2.0), X + 2),
    ):
        said = explain(method, LINEAR, X, label(Y))
        assert torch.allclose(said.values, factor * WEIGHT[Y], atol=1e-5), method
        assert said.gap is None or said.gap.abs().max() < 1e-4


def test_targets_of_several_outputs_add_up():
    both = labels(torch.ones(4, 2).bool())
    margin = outputs(lambda out: out[..., 0] - out[..., 1])
    assert torch.equal(explain(PlainGradient(), LINEAR, X, both).values, WEIGHT.sum(0).expand(4, 3))
    assert torch.equal(
        explain(PlainGradient(), LINEAR, X, margin).values, (WEIGHT[0] - WEIGHT[1]).expand(4, 3)
    )


# --- integrated gradients --------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["midpoint", "gauss-legendre"])
def test_the_integral_of_a_quadratic_is_exact(rule):
    box = vector_box(Formula(lambda x: x**2 * torch.tensor([1.0, -3.0]).to(x)))
    x = torch.tensor([[0.5, 2.0], [-1.0, 0.25]])
    said = explain(
        IntegratedGradients(baseline=0.5, rule=rule, steps=4), box, x, labels(torch.ones(2, 2) > 0)
    )
    due = (x**2 - 0.25) * torch.tensor([1.0, -3.0])
    assert torch.allclose(said.values, due, atol=1e-5)
    assert said.gap.abs().max() < 1e-5


def test_gauss_legendre_integrates_high_powers_that_the_midpoint_misses():
    box = vector_box(Formula(lambda x: x**6), d=1, classes=1)
    x, target = torch.tensor([[1.0]]), label(torch.tensor([0]))
    exact = explain(IntegratedGradients(steps=3), box, x, target)
    rough = explain(IntegratedGradients(steps=3, rule="midpoint"), box, x, target)
    assert exact.gap.abs().item() < 1e-6
    midpoint = 6 * sum(((2 * i + 1) / 6) ** 5 for i in range(3)) / 3
    assert rough.values.item() == pytest.approx(midpoint, rel=1e-5)
    assert rough.gap.item() == pytest.approx(midpoint - 1, rel=1e-4)


def test_a_kink_between_the_midpoints_costs_nothing():
    box = vector_box(Formula(lambda x: functional.relu(x - 0.5)), d=1, classes=1)
    method = IntegratedGradients(steps=2, rule="midpoint")
    said = explain(method, box, torch.tensor([[1.0]]), label(torch.tensor([0])))
    assert (said.values.item(), said.gap.item()) == (0.5, 0.0)


def test_the_values_of_a_network_sum_to_what_they_should():
    torch.manual_seed(0)
    box = vector_box(
        nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 2)),
        d=3,
    )
    x = 2 * X - 1
    said = explain(IntegratedGradients(steps=200), box, x, label(Y))
    change = box.logits(x) - box.logits(torch.zeros_like(x))
    due = change.gather(1, Y[:, None])[:, 0].detach()
    assert torch.allclose(said.values.sum(1) - said.gap, due, atol=1e-6)
    assert said.gap.abs().max() < 1e-3
    rough = explain(IntegratedGradients(steps=5), box, x, label(Y))
    assert rough.gap.abs().max() > 2 * said.gap.abs().max()


def test_a_baseline_out_of_bounds_is_refused():
    with pytest.raises(UserError, match=r"baseline of -2 lies outside"):
        explain(
            IntegratedGradients(baseline=-2.0),
            vector_box(Formula(lambda x: x), low=0.0, high=1.0),
            torch.rand(1, 2),
            label(torch.tensor([0])),
        )


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        (IntegratedGradients, {"steps": 0}),
        (SmoothGrad, {"samples": 1}),
        (SmoothGrad, {"noise": 0.0}),
    ],
)
def test_fields_that_cannot_be_are_refused(method, fields):
    with pytest.raises(UserError, match="take"):
        method(**fields)


# --- SmoothGrad ------------------------------------------------------------------------------


def test_noise_is_as_wide_as_said_and_halves_are_compared():
    box = vector_box(Formula(lambda x: x**2), d=3, classes=3)
    said = explain(SmoothGrad(samples=14), box, X, labels(torch.ones(4, 3).bool()), seed=3)
    streams = Streams(3, ids_of(X), X)
    draws = torch.cat(
        [streams.normal(count, (3,)) for count in (SAMPLES_AT_ONCE, 14 - SAMPLES_AT_ONCE)]
    )
    width = 0.15 * (X.amax(1) - X.amin(1))
    gradients = 2 * (X + width[:, None] * draws)
    assert torch.allclose(said.values, gradients.mean(0), atol=1e-5)
    halves = zip(gradients[::2].sum(0), gradients[1::2].sum(0), strict=True)
    due = torch.stack([torch.corrcoef(torch.stack(pair))[0, 1] for pair in halves])
    assert torch.allclose(said.agreement, due, atol=1e-4)


def test_noisy_copies_are_clipped_to_the_bounds():
    box = vector_box(Formula(lambda x: x**2), low=0.0, high=1.0)
    x = torch.tensor([[0.0, 1.0]])
    said = explain(SmoothGrad(noise=5.0), box, x, labels(torch.ones(1, 2).bool()))
    assert bool((said.values >= 0).all())
    assert bool((said.values <= 2).all())


# --- guided backpropagation ------------------------------------------------------------------


class TwoLayers(nn.Module):
    """Two rectified layers, by hand, in one way or another of writing ReLU."""

    def __init__(self, rectify):
        super().__init__()
        self.rectify = rectify
        self.first = nn.Parameter(torch.tensor([[1.0, -1.0], [2.0, 1.0], [-1.0, 3.0]]))
        self.second = nn.Parameter(torch.tensor([[1.0, -2.0, 1.0], [-1.0, 1.0, 2.0]]))
        self.last = nn.Parameter(torch.tensor([[1.0, -1.0], [2.0, 1.0]]))

    def forward(self, x):
        hidden = self.rectify(x @ self.first.T)
        return self.rectify(hidden @ self.second.T) @ self.last.T


def by_hand(x, y):
    """Guided backpropagation in matrices."""
    net = TwoLayers(torch.relu)
    first = x @ net.first.T
    second = first.clamp_min(0) @ net.second.T
    back = net.last[y].clamp_min(0) * (second > 0)
    back = (back @ net.second).clamp_min(0) * (first > 0)
    return (back @ net.first).detach()


@pytest.mark.parametrize(
    "rectify", [nn.ReLU(), nn.ReLU(inplace=True), torch.relu, functional.relu, torch.relu_]
)
def test_every_way_of_writing_relu_is_guided(rectify):
    x = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    y = torch.arange(64) % 2
    box = vector_box(TwoLayers(rectify))
    said = explain(GuidedBackprop(), box, x, label(y))
    assert torch.equal(said.values, by_hand(x, y))
    assert not torch.equal(said.values, explain(PlainGradient(), box, x, label(y)).values)
    assert said.queries.tolist() == said.gradients.tolist() == [1] * 64


def test_a_network_without_relu_is_refused():
    with pytest.raises(UserError, match="no ReLU"):
        explain(GuidedBackprop(), identity_box(), torch.rand(1, 2), label(torch.tensor([0])))


def test_the_next_gradient_is_plain_again():
    torch.manual_seed(0)
    net = SmallCNN(shape=(1, 8, 8))
    x = torch.rand(3, 64)
    box = vector_box(nn.Sequential(nn.Unflatten(1, (1, 8, 8)), net), d=64, classes=10)
    y = label(torch.tensor([0, 1, 2]))
    before = explain(PlainGradient(), box, x, y).values
    explain(GuidedBackprop(), box, x, y)
    assert torch.equal(explain(PlainGradient(), box, x, y).values, before)
