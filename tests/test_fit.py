"""The training loop: closed forms, the same bits again, and nothing left behind."""

import sys
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.optim import SGD
from torch.optim.lr_scheduler import LambdaLR

from pellucid.extras import MissingExtra
from pellucid.fit import BadTraining, accuracy, cross_entropy, fit

X = torch.rand(50, 6, generator=torch.Generator().manual_seed(0))
Y = (X.sum(dim=1) > 3).long()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def linear():
    net = nn.Linear(6, 2)
    with torch.no_grad():
        net.weight.copy_(torch.linspace(-1, 1, 12).reshape(2, 6))
        net.bias.zero_()
    return net


def dropping():
    """A network that draws random numbers of its own while it trains."""
    return nn.Sequential(nn.Dropout(0.5), linear())


def trained(net, seed=0, epochs=3, batch=8, rate=0.5, **more):
    optimiser = partial(SGD, lr=rate)
    return net, list(
        fit(net, X, Y, epochs=epochs, batch=batch, optimiser=optimiser, rng=seeded(seed), **more)
    )


def weights(net):
    return torch.cat([weight.detach().flatten() for weight in net.parameters()])


def test_one_full_batch_is_one_gradient_step():
    net, _ = trained(linear(), epochs=1, batch=50)
    by_hand = linear()
    functional.cross_entropy(by_hand(X), Y).backward()
    expected = torch.cat([(w - 0.5 * w.grad).detach().flatten() for w in by_hand.parameters()])
    torch.testing.assert_close(weights(net), expected)


def test_every_row_is_seen_once_an_epoch_in_another_order():
    seen = []

    def objective(module, x, y, rng):
        seen.append(x.clone())
        return cross_entropy(module, x, y, rng)

    trained(linear(), epochs=2, batch=8, objective=objective)
    assert [len(x) for x in seen] == 2 * [8, 8, 8, 8, 8, 8, 2]
    first, second = torch.cat(seen[:7]), torch.cat(seen[7:])
    assert not torch.equal(first, second)
    for epoch in (first, second):
        assert sorted(epoch.tolist()) == sorted(X.tolist())


def test_stats_of_a_network_that_stands_still():
    net, stats = trained(linear(), epochs=2, batch=8, rate=0.0)
    assert [(s.epoch, s.step) for s in stats] == [(1, 7), (2, 14)]
    expected = functional.cross_entropy(net(X), Y).item()
    assert [s.loss for s in stats] == pytest.approx(2 * [expected], rel=1e-5)
    right = (net(X).argmax(dim=1) == Y).double().mean().item()
    assert [s.accuracy for s in stats] == pytest.approx(2 * [right])
    assert 0 < stats[0].seconds < stats[1].seconds


def test_it_learns():
    net = linear()
    before = accuracy(net, X, Y)
    with torch.no_grad():
        net.weight.neg_()
    assert accuracy(net, X, Y) == pytest.approx(1 - before)  # the other way round
    _, stats = trained(net, epochs=30)
    assert stats[-1].accuracy >= 0.9
    assert accuracy(net, X, Y, batch=7) == pytest.approx(stats[-1].accuracy)


@pytest.mark.parametrize("make", [linear, dropping])
def test_same_seed_same_bits(make):
    one, first = trained(make(), seed=4)
    torch.rand(9)  # the global generator has no say
    two, second = trained(make(), seed=4)
    other, _ = trained(make(), seed=5)
    assert torch.equal(weights(one), weights(two))
    assert [s.loss for s in first] == [s.loss for s in second]
    assert not torch.equal(weights(one), weights(other))


def test_objective_draws_from_the_seed():
    draws = []

    def objective(module, x, y, rng):
        draws.append(torch.rand((), generator=rng).item())
        return cross_entropy(module, x, y, rng)

    trained(linear(), seed=1, objective=objective)
    trained(linear(), seed=1, objective=objective)
    trained(linear(), seed=2, objective=objective)
    a, b, c = (draws[i : i + 21] for i in (0, 21, 42))
    assert a == b
    assert len(set(a) | set(c)) == 42


def test_global_generator_is_left_as_found_between_epochs():
    net, before = dropping(), torch.get_rng_state()
    for _ in fit(net, X, Y, epochs=3, batch=8, optimiser=partial(SGD, lr=0.1), rng=seeded()):
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(torch.get_rng_state(), before)


def test_modes_are_each_part_s_own_again():
    net = dropping()
    net[0].eval()
    modes = []
    net[1].register_forward_hook(lambda part, *_: modes.append(part.training))
    for _ in fit(net, X, Y, epochs=2, batch=50, optimiser=partial(SGD, lr=0.1), rng=seeded()):
        assert [part.training for part in net.modules()] == [True, False, True]
    assert modes == [False, True, False, True, False]  # the door; training, then its accuracy
    net.eval()
    accuracy(net, X, Y)
    assert not any(part.training for part in net.modules())


def test_modes_are_restored_after_an_error():
    net = dropping().eval()

    def objective(*_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        trained(net, objective=objective)
    assert not any(part.training for part in net.modules())


def test_schedule_is_stepped_with_the_optimiser():
    told = []

    def schedule(optimiser, steps):
        told.append(steps)
        return LambdaLR(optimiser, lambda step: float(step < 1))  # stands still after one step

    long, _ = trained(linear(), epochs=3, batch=8, schedule=schedule)
    assert told == [21]
    seen = []

    def objective(module, x, y, rng):
        seen.append((x, y))
        return cross_entropy(module, x, y, rng)

    trained(linear(), epochs=1, batch=8, objective=objective)
    by_hand = linear()
    functional.cross_entropy(by_hand(seen[0][0]), seen[0][1]).backward()
    expected = torch.cat([(w - 0.5 * w.grad).detach().flatten() for w in by_hand.parameters()])
    torch.testing.assert_close(weights(long), expected)


@pytest.mark.parametrize(
    ("rows", "epochs", "batch", "said"),
    [
        (0, 1, 8, "as many labels as rows, not 0 for 0"),
        (50, 0, 8, "at least 1, not 0 and 8"),
        (50, 1, 0, "at least 1, not 1 and 0"),
    ],
)
def test_impossible_training_is_refused(rows, epochs, batch, said):
    wrong = fit(
        linear(), X[:rows], Y[:rows], epochs=epochs, batch=batch, optimiser=SGD, rng=seeded()
    )
    with pytest.raises(BadTraining, match=said):
        next(wrong)


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (X[:, 1:], Y, r"takes no rows of shape \(5,\)"),
        (X, Y + 1, "2 classes, 0 to 1, but a row has the label 2"),
        (X, Y - 1, "a row has the label -1"),
        (X / X.new_tensor([1, 0, 1, 1, 1, 1]), Y, "NaN or infinity"),
    ],
)
def test_rows_that_cannot_be_trained_on_are_refused(x, y, said):
    net = linear()
    wrong = fit(net, x, y, epochs=1, batch=8, optimiser=partial(SGD, lr=0.1), rng=seeded())
    with pytest.raises(BadTraining, match=said):
        next(wrong)
    torch.testing.assert_close(weights(net), weights(linear()))


def test_no_gradient_is_left():
    net, _ = trained(linear())
    assert all(weight.grad is None for weight in net.parameters())


def test_missing_fabric_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    with pytest.raises(MissingExtra, match=r"pip install 'pellucid\[train\]'"):
        trained(linear())
