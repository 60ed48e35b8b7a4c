"""The entropy penalty, against its own formula and by what it does to gaps."""

import pytest
import torch
from torch import nn

from pellucid.errors import UserError
from pellucid.train.course import Course
from pellucid.train.entropy_penalty import EntropyPenalty
from pellucid.train.standard import Standard


def rows(n=60):
    rng = torch.Generator().manual_seed(0)
    y = torch.arange(n) % 3
    return torch.randn(n, 5, generator=rng) + torch.eye(3, 5)[y], y


def trained(method):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Linear(5, 3)
    for _ in method(module, rows(), torch.Generator().manual_seed(1)):
        pass
    return module


def entropy(module):
    with torch.no_grad():
        return torch.distributions.Categorical(logits=module(rows()[0])).entropy().mean()


@pytest.mark.parametrize("beta", [0.0, 0.5, -0.2])
def test_it_is_cross_entropy_and_entropy(beta):
    (x, y), module, rng = rows(), trained(Standard(course=Course(epochs=1))), torch.Generator()
    mean = torch.distributions.Categorical(logits=module(x)).entropy().mean()
    due = nn.functional.cross_entropy(module(x), y) + beta * mean
    assert torch.allclose(EntropyPenalty(beta=beta).loss(module, x, y, rng), due)


def test_without_beta_it_is_standard_training():
    course = Course(epochs=3, batch=16, rate=0.05)
    ours, theirs = (
        trained(EntropyPenalty(beta=0.0, course=course)),
        trained(Standard(course=course)),
    )
    assert torch.allclose(ours.weight, theirs.weight, atol=1e-5)


def test_answers_grow_surer_with_beta():
    course = Course(epochs=10, batch=16, rate=0.05)
    found = [entropy(trained(EntropyPenalty(beta=b, course=course))) for b in (-0.3, 0.0, 0.5)]
    assert found[0] > found[1] > found[2]


def test_a_beta_without_end_is_refused():
    with pytest.raises(UserError, match="must be finite"):
        EntropyPenalty(beta=float("nan"))
