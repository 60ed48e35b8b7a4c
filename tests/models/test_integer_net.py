"""The integer-valued network: exact, and so blind to batch mates."""

import numpy as np
import pytest
import torch

from pellucid.models import IntegerNet

SHAPES = [(64,), (1, 8, 8), (1, 28, 28), (3, 32, 32)]


def by_hand(net, x):
    """Logits in units of 1 / (16 ties), in 64-bit integers."""
    weights = (net.linear1.weight, net.linear2.weight)
    first, second = (weight.detach().numpy().astype(np.int64) for weight in weights)
    whole = np.rint(16 * x.flatten(1).double().numpy()).astype(np.int64) - 8
    classes = len(second)
    ties = 2 ** int(np.ceil(np.log2(classes)))
    return np.maximum(whole @ first.T, 0) @ second.T * ties + np.arange(classes), 16 * ties


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_logits_are_exact(shape, dtype):
    net = IntegerNet(shape, classes=10, seed=3).to(dtype)
    x = torch.rand(33, *shape, generator=torch.Generator().manual_seed(0), dtype=dtype)
    whole, unit = by_hand(net, x)
    np.testing.assert_array_equal(net(x).detach().double().numpy() * unit, whole)


@pytest.mark.parametrize("shape", SHAPES)
def test_worst_case_stays_exact(shape):
    """All terms of one sign: the largest sum that inputs in [0, 1] can make."""
    net = IntegerNet(shape, seed=1)
    with torch.no_grad():
        net.linear1.weight.fill_(1)
        net.linear2.weight.fill_(1)
    x = torch.ones(3, *shape)
    whole, unit = by_hand(net, x)
    np.testing.assert_array_equal(net(x).detach().double().numpy() * unit, whole)


def test_bits_do_not_depend_on_the_batch():
    net = IntegerNet((1, 28, 28), seed=0)
    x = torch.rand(67, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    whole = net(x)
    for size in (1, 2, 3, 8, 64):
        assert torch.equal(torch.cat([net(part) for part in x.split(size)]), whole)
    order = torch.randperm(67, generator=torch.Generator().manual_seed(2))
    assert torch.equal(net(x[order]), whole[order])


def test_gradients_do_not_depend_on_the_batch():
    net = IntegerNet((64,), seed=0)
    x = torch.rand(19, 64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    (together,) = torch.autograd.grad(net(x)[:, 4].sum(), x)
    alone = [torch.autograd.grad(net(row)[:, 4].sum(), row)[0] for row in x.split(1)]
    assert torch.equal(together, torch.cat(alone))
    assert together.abs().max() > 0
    assert torch.equal(together, together.round())


def test_gradient_is_the_slope_between_grid_points():
    net = IntegerNet((64,), seed=0).double()
    grid = torch.randint(17, (500, 64), generator=torch.Generator().manual_seed(0)) / 16
    hidden = net.linear1(16 * (grid.double() - 0.5)).abs().amin(dim=1)
    assert hidden.max() > 1  # a row at which no step of one grid unit switches a ReLU
    x = grid.double()[hidden.argmax(), None].requires_grad_()
    (slope,) = torch.autograd.grad(net(x)[0, 0], x)
    moved = torch.eye(64, dtype=torch.float64) / 16 + x.detach()
    rise = 16 * (net(moved)[:, 0] - net(x)[0, 0])
    assert torch.equal(slope[0], rise)


def test_every_class_is_met_and_none_ties():
    net = IntegerNet((1, 8, 8), classes=10, seed=0)
    x = torch.rand(2000, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    scores = net(x)
    assert len(scores.argmax(dim=1).unique()) >= 8
    assert (scores.sort(dim=1).values.diff(dim=1) > 0).all()


def test_seed_decides_and_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    one, same, other = (IntegerNet((64,), seed=seed) for seed in (5, 5, 6))
    x = torch.rand(50, 64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(one(x), same(x))
    assert not torch.equal(one(x), other(x))
    assert torch.equal(torch.get_rng_state(), before)
