"""TRADES: the second term alone, the first alone, and both by hand."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from pellucid.errors import UserError
from pellucid.train.threat import Threat
from pellucid.train.trades import TRADES, divergence

X = torch.rand(7, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
Y = torch.arange(7) % 3


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def network():
    net = nn.Sequential(nn.Linear(10, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    with torch.no_grad():
        for number, weight in enumerate(net.parameters()):
            weight.copy_(torch.randn(weight.shape, generator=seeded(number)))
    return net


def kl(p, q):
    """Of two rows of probabilities, by its definition."""
    return sum(a * (a / b).log() for a, b in zip(p, q, strict=True))


def test_without_its_second_term_it_is_cross_entropy():
    net = network()
    loss = TRADES(beta=0.0, steps=2).loss(net, X, Y, seeded())
    torch.testing.assert_close(loss, functional.cross_entropy(net(X), Y))


def test_the_divergence_is_kl_and_nothing_from_itself():
    one, other = (torch.randn(4, 3, generator=seeded(n), dtype=torch.float64) for n in (1, 2))
    rows = zip(one.softmax(-1), other.softmax(-1), strict=True)
    torch.testing.assert_close(divergence(one, other), sum(kl(p, q) for p, q in rows))
    torch.testing.assert_close(divergence(one, one + 5), torch.zeros((), dtype=torch.float64))


def test_the_loss_by_hand_row_by_row():
    """The paper's algorithm 1, written down again for one row at a time."""
    net, epsilon, step = network(), 0.1, 0.03
    method = TRADES(threat=Threat(epsilon=epsilon), step=0.3, steps=5, beta=6.0, noise=0.01)
    noise = torch.randn(X.shape, generator=seeded(3), dtype=torch.float64)
    losses = []
    for x, y, drawn in zip(X, Y, noise, strict=True):
        low, high = (x - epsilon).clamp(min=0), (x + epsilon).clamp(max=1)
        own = net(x).softmax(-1)
        z = torch.max(torch.min(x + 0.01 * drawn, high), low)
        for _ in range(5):
            z = z.detach().requires_grad_()
            kl(own.detach(), net(z).softmax(-1)).backward()
            z = torch.max(torch.min(z + step * z.grad.sign(), high), low)
        losses.append(-own[y].log() + 6 * kl(own, net(z).softmax(-1)))
    expected = torch.stack(losses).mean()
    loss = method.loss(net, X, Y, seeded(3))
    torch.testing.assert_close(loss, expected)
    for ours, by_hand in zip(
        torch.autograd.grad(loss, list(net.parameters())),
        torch.autograd.grad(expected, list(net.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(ours, by_hand)  # through both answers of the second term


def test_on_a_linear_network_it_climbs_into_a_corner():
    net = nn.Linear(10, 2).double()
    with torch.no_grad():
        net.weight.copy_(torch.randn(2, 10, generator=seeded(1)))
    x, y = X[:1] * 0.4 + 0.3, Y[:1]
    loss = TRADES(threat=Threat(epsilon=0.1), beta=1.0).loss(net, x, y, seeded())
    toward = 0.1 * (net.weight[1] - net.weight[0]).sign()
    both = [divergence(net(x), net(x + side * toward)) for side in (-1, 1)]
    first = functional.cross_entropy(net(x), y)
    assert any(torch.isclose(loss, first + corner) for corner in both)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"steps": 0}, "needs steps, one or more, not 0"),
        ({"beta": -1.0}, "at least 0, not -1.0"),
        ({"noise": 0.0}, "cannot climb from the row itself"),
    ],
)
def test_what_cannot_be_is_refused(fields, said):
    with pytest.raises(UserError, match=said):
        TRADES(**fields)
