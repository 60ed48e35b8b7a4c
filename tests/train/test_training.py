"""Trainers as wholes: what they cost, and that they do what they are for."""

import pytest
import torch
from torch import nn

from pellucid import data
from pellucid.errors import UserError
from pellucid.fit import accuracy
from pellucid.models.builtin import DIGITS_CNN
from pellucid.testing.trainer import network, rows
from pellucid.train.course import Course
from pellucid.train.fast_training import FastTraining
from pellucid.train.pgd_training import PGDTraining
from pellucid.train.standard import Standard
from pellucid.train.threat import Threat
from pellucid.train.trades import TRADES

COURSE = Course(epochs=8, batch=64, rate=5e-3)
THREAT = Threat(epsilon=0.1)


class Passes(nn.Module):
    """Counts the rows that go forwards and back."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.forwards, self.backwards = inner, 0, 0

    def forward(self, x):
        self.forwards += len(x)
        answer = self.inner(x)
        if answer.requires_grad:
            answer.register_hook(self.back)
        return answer

    def back(self, gradient):
        self.backwards += len(gradient)


@pytest.mark.parametrize(
    ("make", "passes"),
    [
        (Standard, 1),
        (PGDTraining, 8),
        (lambda course: PGDTraining(course=course, steps=3), 4),
        (FastTraining, 2),
        (TRADES, 12),
        (lambda course: TRADES(course=course, steps=3), 5),
    ],
)
def test_the_cost_is_what_the_docstring_says(make, passes):
    x, y = rows()
    net = Passes(network())
    list(make(course=Course(epochs=2, batch=10))(net, (x, y), torch.Generator().manual_seed(0)))
    figures = 1 + 2 * len(x)  # the question at the door, and the accuracy after each epoch
    assert net.forwards - figures == passes * 2 * len(x)
    assert net.backwards == passes * 2 * len(x)


@pytest.fixture(scope="module")
def digits():
    return data.load("digits", "train"), data.load("digits", "test")


def hardness(method, digits):
    """Accuracy on the test rows as they are, and under PGD."""
    train, test = digits
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = DIGITS_CNN()
    list(method(net, (train.x, train.y), torch.Generator().manual_seed(0)))
    near = THREAT.worst(net, test.x, test.y, torch.Generator().manual_seed(1), steps=20, step=0.125)
    return accuracy(net, test.x, test.y), accuracy(net, near, test.y)


@pytest.fixture(scope="module")
def plain(digits):
    return hardness(Standard(course=COURSE), digits)


@pytest.mark.parametrize(
    "method",
    [
        pytest.param(FastTraining(threat=THREAT, course=COURSE), id="fast-training"),
        pytest.param(
            PGDTraining(threat=THREAT, steps=4, step=0.5, course=COURSE),
            id="pgd-training",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            TRADES(threat=THREAT, steps=4, step=0.5, course=COURSE),
            id="trades",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_is_hardened_withstands_more(method, plain, digits):
    """Measured under attack: plain 0.52; fast 0.70, PGD 0.69, TRADES 0.77."""
    clean, attacked = hardness(method, digits)
    assert clean > 0.9
    assert attacked > plain[1] + 0.15


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Course(rate=0.0), "rate of a course must be positive, not 0.0"),
        (lambda: PGDTraining(steps=0), "needs steps, one or more, not 0"),
    ],
)
def test_what_cannot_be_is_refused(make, said):
    with pytest.raises(UserError, match=said):
        make()


def test_a_course_of_one_step_can_be_run():
    x, y = rows()
    method = Standard(course=Course(epochs=1, batch=100))
    *_, net = method(network(), (x, y), torch.Generator().manual_seed(0))
    assert all(weight.isfinite().all() for weight in net.parameters())
