"""Traps: models built to show one each, and sound ones that show none."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.attack.evade.planes import draws
from torch import nn

import pellucid
from pellucid.attack.evade.apgd import APGD
from pellucid.attack.evade.square import Square
from pellucid.attack.traps import masked, traps
from pellucid.ball import Ball
from pellucid.box.views import GradView
from pellucid.box.window import Window
from pellucid.errors import UserError
from pellucid.goals import misled
from pellucid.ledger import Ledger
from pellucid.rng import Streams, ids_of

BALL = Ball("linf", 0.1)
ROWS, SIZE, CLASSES = 60, 20, 5


def sound():
    """A curved network in float32 that is nowhere certain."""
    module = nn.Sequential(nn.Linear(SIZE, 16), nn.Tanh(), nn.Linear(16, CLASSES))
    for seed, weight in enumerate(module.parameters()):
        weight.data = (draws(*weight.shape, seed=seed) / 2).float()
    return module


class Louder(nn.Module):
    def forward(self, logits):
        return 40 * logits


class Rounded(nn.Module):
    """Steps in the input: right answers, and no slope."""

    def forward(self, x):
        return (x * 32).round() / 32


class Noisy(nn.Module):
    """Draws anew for every answer, from a generator of its own."""

    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(0)

    def forward(self, x):
        noise = self.rng.normal(size=x.shape)
        return x + 0.01 * torch.from_numpy(noise).to(x)


class Misleading(nn.Module):
    """The answer is the input's, the gradient points the other way."""

    def forward(self, x):
        return 2 * x.detach() - x


def looked(*layers):
    """Rows, a box of the layers, and the names of the traps that are found in it."""
    module = nn.Sequential(*layers)
    box = pellucid.open(module, access="gradient", shape=(SIZE,), bounds=(0.0, 1.0), emits="logits")
    x = torch.rand(ROWS, SIZE, generator=torch.Generator().manual_seed(7))
    y = sound()(x).argmax(1)
    return box, x, y, traps(box, misled(y), x, BALL, Streams(0, ids_of(x), x))


def test_a_sound_model_shows_none():
    assert looked(sound())[3] == ()


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        ((sound(), Louder()), {"saturated softmax"}),
        ((Rounded(), sound()), {"zero gradients", "masked gradients"}),
        ((Misleading(), sound()), {"masked gradients"}),
        ((Noisy(), sound()), {"unsteady answers"}),
    ],
    ids=["louder", "rounded", "misleading", "noisy"],
)
def test_a_model_built_to_trap_shows_its_trap(layers, names):
    found = looked(*layers)[3]
    assert {trap.name for trap in found} == names
    for trap in found:
        assert 0 < trap.share <= 1
        assert f"{trap.share:.0%}" in trap.text
        assert trap.text.endswith(".")


def test_five_queries_and_a_gradient_a_row_and_none_for_those_who_cannot_pay():
    box, x, y, _ = looked(sound())
    ledger = Ledger(ROWS, 100)
    ledger.closed[:7] = True
    view = GradView(Window(box, ledger), torch.arange(ROWS))
    assert traps(view, misled(y), x, BALL, Streams(0, ids_of(x), x)) == ()
    assert ledger.queries.tolist() == [0] * 7 + [5] * (ROWS - 7)
    assert ledger.gradients.tolist() == [0] * 7 + [1] * (ROWS - 7)


def test_an_attack_on_scores_that_does_better_unmasks_gradients():
    box, x, y, _ = looked(Misleading(), sound())
    gradient = pellucid.run(APGD(ball=BALL, steps=20), box, x, goal=misled(y), budget=None)
    scores = pellucid.run(Square(ball=BALL, steps=60), box, x, goal=misled(y), budget=None)
    trap = masked(gradient, scores)
    assert trap is not None
    assert trap.name == "masked gradients"
    assert trap.share == float((scores.success & ~gradient.success).double().mean())
    assert masked(scores, gradient) is None


def test_a_few_rows_by_chance_unmask_nothing():
    box, x, y, _ = looked(sound())
    gradient = pellucid.run(APGD(ball=BALL, steps=20), box, x, goal=misled(y), budget=None)
    assert masked(gradient, gradient) is None
    lucky = gradient.success.clone()
    lucky[(~lucky).nonzero()[:4, 0]] = True
    assert masked(gradient, replace(gradient, success=lucky)) is None  # 4 of 4: p is 0.0625
    lucky[(~lucky).nonzero()[:1, 0]] = True
    assert masked(gradient, replace(gradient, success=lucky)) is not None


def test_a_ball_without_radius_is_refused():
    box, x, y, _ = looked(sound())
    with pytest.raises(UserError, match="give the ball a radius"):
        traps(box, misled(y), x, Ball("l2"), Streams(0, ids_of(x), x))
