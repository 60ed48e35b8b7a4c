"""The noise ladder: pays a query a rung, climbs until the goal is met."""

import math

import pytest
import torch
from tests.subjects import Formula

from pellucid.box.torch_box import TorchBox
from pellucid.box.views import LabelView
from pellucid.box.window import Window
from pellucid.goals import misled
from pellucid.ledger import Ledger
from pellucid.rng import Streams
from pellucid.spec import Image, OneClass, Spec, Vector
from pellucid.starts import NoiseLadder, grainy

IMAGE = Image(shape=(2, 9, 11))


def ladder(source, decide, n=4, budget=None, **fields):
    """Starts of n rows at the middle of the range; the model says decide(x)."""
    logits = Formula(lambda x: torch.stack([torch.zeros(len(x)), decide(x.flatten(1))], 1))
    box = TorchBox(module=logits, spec=Spec(input=source, answer=OneClass(size=2)))
    ledger = Ledger(n, budget)
    view = LabelView(Window(box, ledger), torch.arange(n))
    x = torch.full((n, *source.shape), 0.5)
    goal = misled(torch.zeros(n, dtype=torch.long))
    streams = Streams(0, [str(i) for i in range(n)], x)
    start, found = NoiseLadder(**fields)(view, goal, x, streams)
    return box, goal, start, found, ledger


@pytest.mark.parametrize(
    "source", [IMAGE, Vector(shape=(20,)), Vector(shape=(1,), low=0.0, high=1.0)]
)
def test_starts_meet_the_goal_in_bounds(source):
    box, goal, start, found, ledger = ladder(source, lambda x: (x - 0.5).abs().amax(1) - 0.2)
    assert found.all()
    assert goal(box.labels(start)).all()
    assert box.spec.inside(start).all()
    assert int(ledger.queries.min()) >= 1
    assert int(ledger.queries.max()) <= 100


def test_what_meets_at_once_costs_one_query():
    *_, found, ledger = ladder(IMAGE, lambda x: torch.ones(len(x)))
    assert found.all()
    assert ledger.queries.tolist() == [1] * 4


def test_hopeless_rows_cost_every_rung_and_keep_x():
    *_, start, found, ledger = ladder(IMAGE, lambda x: -torch.ones(len(x)), rungs=7)
    assert not found.any()
    assert ledger.queries.tolist() == [7] * 4
    assert bool((start == 0.5).all())


def test_nan_answers_start_nothing():
    *_, found, _ = ladder(IMAGE, lambda x: torch.full((len(x),), math.nan), rungs=5)
    assert not found.any()


@pytest.mark.parametrize("grain", [1, 4, 14])
def test_squares_of_a_grain_move_together(grain):
    noise = grainy(Streams(0, ["a", "b"], torch.zeros(())), IMAGE, grain)
    assert noise.shape == (2, 2, 9, 11)
    for top in range(0, 9, grain):
        for left in range(0, 11, grain):
            square = noise[..., top : top + grain, left : left + grain]
            assert bool((square == square[..., :1, :1]).all())
    squares = math.ceil(9 / grain) * math.ceil(11 / grain)
    assert len(noise.unique()) == 2 * 2 * squares
