"""HopSkipJump against a plane and a sphere, whose distances are known."""

import math

import pytest
import torch
from torch import nn

import pellucid
from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.ball import Ball
from pellucid.starts import NoiseLadder
from pellucid.testing.driving import driven
from pellucid.testing.subjects import subject

DIMENSIONS, ROWS, BUDGET = 64, 8, 10_000


class Plane(nn.Module):
    """The second class where w . x + b > 0."""

    def __init__(self, w, b):
        super().__init__()
        self.w, self.b = nn.Parameter(w), b

    def forward(self, x):
        margin = x @ self.w + self.b
        return torch.stack([-margin, margin], 1)


class Outside(nn.Module):
    """The second class where |x - c| >= R."""

    def __init__(self, c, radius):
        super().__init__()
        self.c, self.radius = nn.Parameter(c), radius

    def forward(self, x):
        margin = torch.linalg.vector_norm(x - self.c, dim=1) - self.radius
        return torch.stack([-margin, margin], 1)


def draws(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def attack(model, x, y, norm, budget=BUDGET, bounds=None):
    box = pellucid.open(model, access="label", shape=(DIMENSIONS,), bounds=bounds, emits="logits")
    return pellucid.run(
        HopSkipJump(ball=Ball(norm)), box, x, goal=pellucid.misled(y), budget=budget
    )


def plane(norm):
    """A plane, rows on both sides of it, and how far each is from it."""
    w, b, x = draws(DIMENSIONS, seed=1), 0.3, draws(ROWS, DIMENSIONS, seed=2)
    margin = x @ w + b
    dual = {"l2": 2, "linf": 1}[norm]
    return Plane(w, b), x, (margin > 0).long(), margin.abs() / torch.linalg.vector_norm(w, dual)


@pytest.mark.slow
@pytest.mark.parametrize("bounds", [None, (-8.0, 8.0)])
@pytest.mark.parametrize(("norm", "factor"), [("l2", 1.02), ("linf", 1.10)])
def test_it_comes_near_the_exact_distance_of_a_plane(norm, factor, bounds):
    model, x, y, exact = plane(norm)
    found = attack(model, x, y, norm, bounds=bounds)
    ratio = found.distance(norm) / exact
    assert (ratio <= factor).all()
    assert (ratio >= 1 - 1e-4).all()


@pytest.mark.slow
def test_it_comes_near_the_exact_distance_of_a_sphere():
    centre, radius, x = 0.5 * draws(DIMENSIONS, seed=1), 12.0, draws(ROWS, DIMENSIONS, seed=2)
    exact = radius - torch.linalg.vector_norm(x - centre, dim=1)
    assert (exact > 1).all()
    found = attack(Outside(centre, radius), x, torch.zeros(ROWS, dtype=torch.long), "l2")
    ratio = found.distance("l2") / exact
    assert (ratio <= 1.02).all()
    assert (ratio >= 1 - 1e-4).all()


@pytest.mark.slow
def test_more_queries_come_nearer():
    model, x, y, exact = plane("l2")
    ratios = [(attack(model, x, y, "l2", budget).distance("l2") / exact) for budget in (500, 4000)]
    assert ((ratios[1] - 1) < 0.5 * (ratios[0] - 1)).all()
    assert (ratios[1] <= 1.05).all()


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_every_iterate_meets_the_goal_and_the_walk_comes_nearer(norm):
    on = subject(shape=(30,))
    ball = Ball(norm)
    iterates = driven(HopSkipJump(ball=ball, steps=8, probes=20), on, budget=10_000).iterates
    distances = [ball.distance(z, on.x) for z in iterates]
    assert len(distances) == 9
    assert all(on.goal(on.box.labels(z)).all() for z in iterates)
    assert (distances[-1] / distances[0]).median() < 0.9  # one failed jump may end farther away


def test_probes_are_as_many_and_as_long_as_the_paper_says():
    on = subject(shape=(30,))
    method = HopSkipJump(steps=4, probes=20, draw=1000)
    iterates = driven(method, on, budget=10_000).iterates
    rows = len(on.x)
    # a question of many probes is a normal's; the first has a tenth of the range as its length
    asked = [question for question in on.tally.asked if len(question) > rows]
    assert [len(question) // rows for question in asked] == [
        int(20 * math.sqrt(step)) for step in (1, 2, 3, 4)
    ]
    for step, (question, z) in enumerate(zip(asked, iterates, strict=False), 1):
        probes = question.reshape(-1, rows, 30)
        length = 0.1 if step == 1 else Ball("l2").distance(z, on.x) / 30
        moved = torch.linalg.vector_norm(probes - z, dim=2)
        clipped = ((probes == 0) | (probes == 1)).any(2)
        due = torch.as_tensor(length).expand(moved.shape)
        assert torch.allclose(moved[~clipped], due[~clipped], rtol=1e-3)


@pytest.mark.slow
def test_a_row_pays_for_bisections_probes_and_jumps_and_no_more():
    model, x, y, _ = plane("l2")
    steps, start = 5, x + 3 * (1 - 2 * y[:, None]) * model.w.detach()
    box = pellucid.open(model, access="label", shape=(DIMENSIONS,), emits="logits")
    method = HopSkipJump(steps=steps)
    found = pellucid.run(method, box, x, goal=pellucid.misled(y), budget=None, start=start, batch=1)
    # a row at a time, a call is a probe's, a jump's or a halving's: it has one row or many
    probes = sum(int(method.probes * math.sqrt(step)) for step in range(1, steps + 1))
    others = found.queries - probes
    halvings = math.ceil(math.log2(DIMENSIONS**1.5))  # theta of the paper is 1 / (d sqrt(d))
    assert (others >= (steps + 1) * halvings + steps).all()
    assert (others <= (steps + 1) * (halvings + 2) + 3 * steps).all()
    assert (found.judged <= 3).all()  # the clean row, the start, and an end that was not asked


def test_rows_without_a_start_ask_for_no_more():
    model, x, y, _ = plane("l2")
    found = pellucid.run(
        HopSkipJump(),
        pellucid.open(model, access="label", shape=(DIMENSIONS,), emits="logits"),
        x,
        goal=pellucid.hit(y) & pellucid.misled(y),
        start=NoiseLadder(rungs=7),
    )
    assert not found.success.any()
    assert found.queries.tolist() == [7] * ROWS or set(found.queries.tolist()) <= {0, 7}
