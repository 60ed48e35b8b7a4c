"""The inner problem of adversarial training: never outside, and exact where it can be known."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from pellucid.errors import UserError
from pellucid.train.fast_training import FastTraining
from pellucid.train.pgd_training import PGDTraining
from pellucid.train.threat import Threat


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def linear(d=12):
    net = nn.Linear(d, 2)
    with torch.no_grad():
        net.weight.copy_(torch.randn(2, d, generator=seeded(1)))
    return net


X = 0.3 + 0.4 * torch.rand(9, 12, generator=seeded(2))
Y = torch.arange(9) % 2


def loss_at_the_corner(net, epsilon):
    """The cross-entropy where each value is moved by epsilon against the row's class."""
    toward = (net.weight[1] - net.weight[0]).sign() * (1 - 2 * Y)[:, None]
    return functional.cross_entropy(net(X + epsilon * toward), Y)


@settings(deadline=None, max_examples=25)
@given(
    epsilon=st.floats(1e-4, 2.0),
    low=st.floats(-3, 0),
    width=st.floats(0.1, 5),
    steps=st.integers(0, 4),
    step=st.floats(0.01, 3),
    seed=st.integers(0, 99),
)
def test_no_point_leaves_ball_or_bounds(epsilon, low, width, steps, step, seed):
    threat = Threat(epsilon=epsilon, low=low, high=low + width)
    x = low + width * torch.rand(9, 12, generator=seeded(seed))
    x = x.clamp(low, low + width)
    threat.check(x)
    start = threat.anywhere(x, seeded(seed))
    for near in (start, threat.worst(linear(), x, Y, seeded(seed), steps=steps, step=step)):
        assert (near - x).abs().max() <= epsilon * (1 + 1e-5) + 1e-6
        assert near.min() >= torch.tensor(low)
        assert near.max() <= torch.tensor(low + width)


def test_the_start_is_uniform_in_the_ball():
    x = torch.full((2000, 3), 0.5)
    moved = (Threat(epsilon=0.2).anywhere(x, seeded()) - x) / 0.2
    assert abs(moved.mean()) < 0.03
    assert abs(moved.square().mean() - 1 / 3) < 0.02
    assert moved.abs().max() > 0.99


@pytest.mark.parametrize(
    "method",
    [
        PGDTraining(threat=Threat(epsilon=0.1), steps=8, step=0.25),
        FastTraining(threat=Threat(epsilon=0.1), step=2.0),
    ],
)
def test_on_a_linear_network_the_worst_point_is_the_corner(method):
    net = linear()
    expected = loss_at_the_corner(net, 0.1)
    torch.testing.assert_close(method.loss(net, X, Y, seeded()), expected)


def test_the_fast_step_is_one_of_a_quarter_more_than_the_radius():
    """So it ends in a corner only where the start was in the upper five eighths of the way."""
    net, threat = linear(), Threat(epsilon=0.1)
    method = FastTraining(threat=threat)
    toward = (net.weight[1] - net.weight[0]).sign() * (1 - 2 * Y)[:, None]
    start = (threat.anywhere(X, seeded(4)) - X) / 0.1
    by_hand = X + 0.1 * (start + 1.25 * toward).clamp(-1, 1)
    expected = functional.cross_entropy(net(by_hand), Y)
    torch.testing.assert_close(method.loss(net, X, Y, seeded(4)), expected)
    assert expected < loss_at_the_corner(net, 0.1)


def test_more_steps_find_more():
    net = nn.Sequential(nn.Linear(12, 30), nn.Tanh(), nn.Linear(30, 2))
    with torch.no_grad():
        for number, weight in enumerate(net.parameters()):
            weight.copy_(torch.randn(weight.shape, generator=seeded(number)))

    def found(steps):
        near = Threat(epsilon=0.2).worst(net, X, Y, seeded(), steps=steps, step=2.5 / 20)
        return functional.cross_entropy(net(near), Y)

    assert found(20) > found(3) > found(0)


def test_the_weights_get_no_gradient_from_the_climb():
    net = linear()
    Threat().worst(net, X, Y, seeded(), steps=3, step=0.5)
    assert all(weight.grad is None for weight in net.parameters())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"epsilon": 0.0}, "must be positive, not 0.0"),
        ({"epsilon": float("nan")}, "must be positive"),
        ({"low": 1.0}, r"low \(1.0\) must be below its high \(1.0\)"),
    ],
)
def test_a_threat_that_cannot_be_is_refused(fields, said):
    with pytest.raises(UserError, match=said):
        Threat(**fields)


@pytest.mark.parametrize("outside", [-0.01, 1.01])
def test_rows_out_of_bounds_are_refused_not_clamped(outside):
    x = X.clone()
    x[3, 4] = outside
    with pytest.raises(UserError, match=r"between 0.0 and 1.0: set the threat's low and high"):
        PGDTraining()(linear(), (x, Y), seeded())
    PGDTraining(threat=Threat(low=-1.0, high=2.0))(linear(), (x, Y), seeded())
