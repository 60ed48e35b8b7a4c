"""GeoDA against a plane, whose distance it should find almost at once."""

import math

import pytest
import torch
from torch import nn

import pellucid
from pellucid.attack.evade.geoda import GeoDA
from pellucid.ball import Ball
from pellucid.testing.driving import driven
from pellucid.testing.subjects import subject

D, ROWS = 32, 6


def draws(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def attack(method, budget=None):
    """Rows two units of margin from a plane; and their exact distance."""
    w, x, beside = draws(D, seed=1), draws(ROWS, D, seed=2), draws(ROWS, D, seed=3)
    x = x - ((x @ w + 2) / (w @ w))[:, None] * w
    start = x + beside + ((2 + 3 - beside @ w) / (w @ w))[:, None] * w
    model = nn.Linear(D, 2, bias=False, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.stack([0 * w, w]))
    box = pellucid.open(model, access="label", shape=(D,), emits="logits")
    goal = pellucid.misled(torch.zeros(ROWS, dtype=torch.long))
    found = pellucid.run(method, box, x, goal=goal, budget=budget, start=start)
    dual = {"l2": 2, "linf": 1}[method.ball.norm]
    return found, 2 / float(torch.linalg.vector_norm(w, dual))


@pytest.mark.parametrize(("norm", "factor"), [("l2", 1.04), ("linf", 1.12)])
def test_it_comes_near_the_exact_distance_of_a_plane(norm, factor):
    found, exact = attack(GeoDA(ball=Ball(norm)), 2000)
    ratio = found.distance(norm) / exact
    assert (ratio >= 1 - 1e-9).all()
    assert (ratio <= factor).all()


def test_each_step_takes_more_probes_than_the_last():
    on = subject(shape=(20,))
    driven(GeoDA(steps=4, probes=20, draw=1000), on, budget=10_000)
    asked = [len(question) // len(on.x) for question in on.tally.asked]
    due = [20, 28, 40, 56]  # 20 * 0.6^(-2 step / 3)
    assert [count for count in asked if count > 1] == due


def test_a_row_pays_for_probes_rays_and_bisections_and_no_more():
    method = GeoDA(steps=3, probes=20)
    found, _ = attack(method)
    others = found.queries - (20 + 28 + 40)
    first = math.log2(20 / method.tolerance)  # the start is less than 20 away
    step = math.log2(4 / method.tolerance) + 1
    assert (others <= first + 3 * (step + 2)).all()
    assert (others >= 3).all()


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_every_iterate_meets_the_goal(norm):
    on = subject(shape=(30,))
    ball = Ball(norm)
    iterates = driven(GeoDA(ball=ball, steps=4), on, budget=10_000).iterates
    assert len(iterates) == 5
    assert all(on.goal(on.box.labels(z)).all() for z in iterates)
    first, *later = (ball.distance(z, on.x) for z in iterates)
    assert (torch.stack(later).amin(0) / first).median() < 0.95  # one ray may end farther away


def test_in_images_it_probes_in_low_waves():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(2 * 8 * 8, 2))
    box = pellucid.open(model, access="label", shape=(2, 8, 8), emits="logits")
    x = 0.5 + 0.01 * torch.randn(3, 2, 8, 8)
    goal = pellucid.misled(box.labels(x))
    for waves, alike in ((1, True), (None, False)):
        method = GeoDA(waves=waves, steps=1, probes=30)
        found = pellucid.run(method, box, x, goal=goal, budget=200)
        moved = (found.adversarial - x)[found.success]
        assert len(moved)
        flat = moved - moved.mean((2, 3), keepdim=True)  # the lowest wave is a constant
        assert found.success.any()
        if alike:
            assert (flat.flatten(1).norm(dim=1) < moved.flatten(1).norm(dim=1)).all()
