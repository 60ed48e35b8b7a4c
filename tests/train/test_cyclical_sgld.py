"""Cyclical SGLD, against the posterior of a Gaussian and the cosine in closed form."""

from math import cos, pi

import pytest
import torch
from torch import Generator, nn

from pellucid.errors import UserError
from pellucid.fit import Stats
from pellucid.testing.trainer import network, rows
from pellucid.train._langevin import Langevin
from pellucid.train.cyclical_sgld import CyclicalSGLD

QUICK = CyclicalSGLD(cycles=2, epochs=3, samples=2, rate=0.1, batch=16)


def chains(lr, scale, steps, decay=0.0):
    """Many weights, each a chain of its own for a Gaussian of mean 3 and deviation 2."""
    weight = nn.Parameter(torch.full((40_000,), 5.0))
    langevin = Langevin(
        [weight],
        lr=lr,
        decay=decay,
        scale=scale,
        noisy=lambda _: True,
        rng=Generator().manual_seed(0),
    )
    for _ in range(steps):
        langevin.zero_grad()
        ((weight - 3) ** 2 / (2 * 2**2)).sum().backward()
        langevin.step()
    return weight.detach()


def test_the_chain_of_a_gaussian_loss_has_its_mean_and_variance():
    drawn = chains(lr=0.1, scale=1.0, steps=300)
    assert abs(drawn.mean() - 3) < 0.05 * 3
    assert abs(drawn.var() - 4) < 0.05 * 4


@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_long_steps_and_small_scales_give_the_variance_of_the_autoregression(scale):
    drawn, lr = chains(lr=2.0, scale=scale, steps=60), 2.0
    due = scale**2 * 4 / (1 - lr / (2 * 4))
    assert abs(drawn.var() - due) < 0.03 * due
    assert abs(drawn.mean() - 3) < 0.05 * scale


def test_weight_decay_is_a_gaussian_prior():
    drawn = chains(lr=0.1, scale=1.0, steps=300, decay=0.25)  # as sure as the loss, around zero
    assert abs(drawn.mean() - 1.5) < 0.05
    assert abs(drawn.var() - 2) < 0.05 * 2


def test_the_rate_falls_by_half_a_cosine_and_starts_again():
    length = 12
    shares = [QUICK.share(step, length) for step in range(2 * length)]
    due = [(cos(pi * step / length) + 1) / 2 for step in range(length)]
    assert shares == pytest.approx(2 * due)
    assert shares[0] == 1
    assert shares[length // 2] == 0.5


class Recorder(nn.Module):
    """One weight without a slope, and what it was at each step."""

    def __init__(self, classes):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(5000))
        self.classes, self.seen = classes, []

    def forward(self, x):
        if self.training:
            self.seen.append(self.weight.detach().clone())
        return x.new_zeros(len(x), self.classes) + 0 * self.weight.sum()


def test_noise_comes_in_the_last_epochs_alone_with_the_rate_of_its_step():
    module, (x, y) = Recorder(2), rows()
    method = CyclicalSGLD(cycles=2, epochs=3, samples=1, rate=0.1, decay=0.0, batch=16)
    list(method(module, (x, y), Generator().manual_seed(0)))
    moved = torch.stack([*module.seen, module.weight.detach()]).diff(dim=0).std(1)
    batches = 4
    assert len(moved) == 2 * 3 * batches
    for step, deviation in enumerate(moved.tolist()):
        rate = 0.1 * method.share(step, 3 * batches)
        noisy = step // batches % 3 == 2
        due = (2 * rate) ** 0.5 / batches if noisy else 0.0
        assert deviation == pytest.approx(due, rel=0.05)


def drawn(method, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Flatten(), nn.Linear(16, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    return module, list(method.draw(module, rows(), Generator().manual_seed(seed)))


def test_samples_are_the_ends_of_each_cycle_with_their_own_statistics():
    module, items = drawn(QUICK)
    kinds = ["epoch" if isinstance(item, Stats) else "sample" for item in items]
    assert kinds == 2 * ["epoch", "epoch", "sample", "epoch", "sample"]
    samples = [item for item in items if isinstance(item, nn.Module)]
    means = [sample.get_buffer("2.running_mean") for sample in samples]
    assert not any(sample.training for sample in samples)
    assert all(sample is not module for sample in samples)
    assert len({tuple(mean.tolist()) for mean in means}) == 4
    assert torch.equal(means[-1], module.get_buffer("2.running_mean"))


def test_as_a_trainer_it_ends_on_the_last_sample():
    module = network()
    *_, sample = QUICK.draw(network(), rows(), Generator().manual_seed(4))
    *_, last = QUICK(module, rows(), Generator().manual_seed(4))
    assert last is module
    for name, weight in sample.state_dict().items():
        assert torch.equal(weight, module.state_dict()[name])


def test_before_the_first_noise_a_snapshot_ensemble_is_the_same():
    quiet = CyclicalSGLD(cycles=2, epochs=3, samples=2, rate=0.1, batch=16, noise=False)
    ours, theirs = drawn(QUICK)[1], drawn(quiet)[1]
    assert ours[0].loss == theirs[0].loss  # the first epoch of a cycle has no noise
    assert not torch.equal(ours[2].get_parameter("1.weight"), theirs[2].get_parameter("1.weight"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"samples": 4, "epochs": 3}, "as many epochs as samples"),
        ({"cycles": 0}, "a cycle or more"),
        ({"rate": 0.0}, "a rate above 0"),
        ({"batch": 0}, "batches of a row"),
    ],
)
def test_what_cannot_be_drawn_is_refused(fields, said):
    with pytest.raises(UserError, match=said):
        CyclicalSGLD(**fields)
