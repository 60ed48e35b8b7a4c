"""Small models and methods that the tests of the spine share."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from pellucid.ball import Ball
from pellucid.box.protocols import GradBox, LabelBox
from pellucid.box.torch_box import TorchBox
from pellucid.goals import Goal
from pellucid.models.integer_net import IntegerNet
from pellucid.rng import Streams
from pellucid.shapes import Batch
from pellucid.spec import OneClass, Spec, Vector


class Counting(nn.Module):
    """A module whose own forward counts the rows it sees, and the passes."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.rows, self.passes = inner, 0, 0

    def forward(self, x):
        self.rows, self.passes = self.rows + len(x), self.passes + 1
        return self.inner(x)


class Formula(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def vector_box(module, d=2, classes=2, low=-1e6, high=1e6, rows_per_call=1000, **facts):
    """A box of a module that takes vectors of d numbers."""
    spec = Spec(
        input=Vector(shape=(d,), low=low, high=high),
        answer=OneClass(size=classes),
        rows_per_call=rows_per_call,
    )
    return TorchBox(module=module, spec=spec, **facts)


def identity_box(d=2, **facts):
    """A box whose logits are the input."""
    return vector_box(Formula(lambda x: x), d=d, classes=d, **facts)


def integer_rows(n, d=6, seed=0):
    """Rows in [0, 1] for the integer subject."""
    return torch.rand(n, d, generator=torch.Generator().manual_seed(seed))


def integer_box(d=6, pad=1):
    """The integer subject, counted by its own forward; no padding."""
    return vector_box(
        Counting(IntegerNet((d,), classes=3, seed=1)), d=d, classes=3, low=0.0, high=1.0, pad=pad
    )


NEAREST, NEAR = Ball("l2"), Ball("l2", 2.0)


@dataclass(frozen=True, kw_only=True)
class Wander:
    """Asks about `probes` random points a step around x, and yields the first of them."""

    ball: Ball = NEAREST
    steps: int = 10
    probes: int = 3
    width: float = 0.3

    def __call__(self, box: LabelBox, goal: Goal, x: Batch, rng: Streams) -> Iterator[Batch]:
        for _ in range(self.steps):
            z = box.spec.clamp(x + self.width * rng.normal(self.probes, x.shape[1:]))
            goal(box.labels(z))
            yield z[0]


@dataclass(frozen=True, kw_only=True)
class Climb:
    """Steps along the gradient of the margin: its bits are exact on the integer subject."""

    ball: Ball = NEAR
    steps: int = 10

    def __call__(self, box: GradBox, goal: Goal, x: Batch) -> Iterator[Batch]:
        z = x
        for _ in range(self.steps):
            z = z.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(goal.margin(box.logits(z)).sum(), z)
            z = box.spec.clamp(self.ball.project(z.detach() + self.ball.steepest(gradient), x))
            yield z
