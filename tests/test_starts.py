"""Starts meet the goal, and pay a query a try: by noise, from a sample, blended."""

import math

import pytest
import torch
from tests.subjects import Formula

import pellucid
from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.ball import Ball
from pellucid.box.torch_box import TorchBox
from pellucid.box.views import LabelView
from pellucid.box.window import Window
from pellucid.errors import UserError
from pellucid.goals import hit, misled
from pellucid.ledger import Ledger
from pellucid.rng import Streams
from pellucid.spec import Image, OneClass, Spec, Vector
from pellucid.starts import Blend, NoiseLadder, Sample, Starter, grainy

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


CLASSES = 3
SAMPLE = torch.linspace(0, 1, 12)[:, None].expand(-1, 4).contiguous()
TRUTH = (SAMPLE[:, 0] * CLASSES).long().clamp_max(CLASSES - 1)


def thirds(starter, goal, budget=None):
    """Starts of four rows near zero; the model says into which third of [0, 1] the mean falls."""

    def logits(x):
        third = (x.mean(1) * CLASSES).long().clamp(0, CLASSES - 1)
        return torch.nn.functional.one_hot(third, CLASSES).to(x)

    spec = Spec(input=Vector(shape=(4,), low=0.0, high=1.0), answer=OneClass(size=CLASSES))
    box = TorchBox(module=Formula(logits), spec=spec)
    ledger = Ledger(4, budget)
    x = torch.arange(4.0)[:, None].expand(-1, 4) / 100
    streams = Streams(0, [str(i) for i in range(4)], x)
    start, found = starter(LabelView(Window(box, ledger), torch.arange(4)), goal, x, streams)
    return box, x, start, found, ledger


NONE = torch.zeros(4, dtype=torch.long)


def test_a_sample_with_labels_costs_one_query_where_they_are_right():
    goal = hit(NONE + 2)
    box, _, start, found, ledger = thirds(Sample(x=SAMPLE, y=TRUTH), goal)
    assert found.all()
    assert goal(box.labels(start)).all()
    assert ledger.queries.tolist() == [1] * 4
    assert (start[:, None] == SAMPLE).all(2).any(1).all()
    assert len(start.unique(dim=0)) > 1  # each row draws for itself


def test_a_sample_without_labels_is_asked_one_by_one():
    goal = misled(NONE)
    box, _, start, found, ledger = thirds(Sample(x=SAMPLE, tries=12), goal)
    assert found.all()
    assert goal(box.labels(start)).all()
    assert 1 <= int(ledger.queries.max()) <= 5  # four of the twelve do not meet it


def test_a_sample_that_cannot_help_says_so():
    *_, x, start, found, ledger = thirds(Sample(x=SAMPLE[:4], tries=3), hit(NONE + 2))
    assert not found.any()
    assert torch.equal(start, x)
    assert ledger.queries.tolist() == [3] * 4
    # none of these labels would meet the goal: there is nothing to ask
    *_, found, ledger = thirds(Sample(x=SAMPLE[:4], y=TRUTH[:4]), hit(NONE + 2))
    assert not found.any()
    assert ledger.queries.tolist() == [0] * 4


def test_a_sample_is_told_by_its_content():
    assert repr(Sample(x=SAMPLE)) == repr(Sample(x=SAMPLE.clone()))
    others = (Sample(x=SAMPLE[:3]), Sample(x=SAMPLE, y=TRUTH), Sample(x=SAMPLE, tries=2))
    assert len({repr(sample) for sample in (Sample(x=SAMPLE), *others)}) == 4
    assert isinstance(others[0], Starter)
    with pytest.raises(UserError, match="a label each"):
        Sample(x=SAMPLE, y=TRUTH[:3])


@pytest.mark.parametrize("halvings", [0, 1, 8])
def test_a_blend_ends_within_its_last_half_of_the_boundary(halvings):
    goal = misled(NONE)
    blend = Blend(start=Sample(x=SAMPLE[-1:]), halvings=halvings)
    box, x, start, found, ledger = thirds(blend, goal)
    assert found.all()
    assert goal(box.labels(start)).all()
    assert ledger.queries.tolist() == [1 + halvings] * 4
    share = (start - x)[:, 0] / (1 - x[:, 0])
    exact = (1 / 3 - x[:, 0]) / (1 - x[:, 0])
    assert (share >= exact - 1e-6).all()
    assert (share - exact <= 0.5**halvings + 1e-6).all()


def test_a_blend_of_no_starts_is_no_start():
    *_, x, start, found, _ = thirds(Blend(start=Sample(x=SAMPLE[:1])), misled(NONE))
    assert not found.any()
    assert torch.equal(start, x)


def test_a_budget_that_ends_in_a_blend_loses_nothing():
    goal = misled(NONE)
    box, x, *_ = thirds(Sample(x=SAMPLE[-1:]), goal)
    blend = Blend(start=Sample(x=SAMPLE[-1:]), halvings=8)
    found = pellucid.run(HopSkipJump(), box, x, goal=goal, budget=4, start=blend)
    assert found.success.all()
    assert found.queries.tolist() == [4] * 4
    assert (found.distance("l2") < 0.6 * Ball("l2").distance(SAMPLE[-1:].expand(4, -1), x)).all()
