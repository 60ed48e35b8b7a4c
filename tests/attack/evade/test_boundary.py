"""The boundary attack against a plane, and its steps against their geometry."""

import itertools
import math

import pytest
import torch
from torch import nn

import pellucid
from pellucid.attack.evade.boundary import BoundaryAttack, Rate
from pellucid.ball import Ball
from pellucid.rng import Streams
from pellucid.testing.driving import driven
from pellucid.testing.subjects import subject

D, ROWS = 8, 6
L2 = Ball("l2")


def draws(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plane():
    """Two classes, rows of the first, and a start each on the other side of the plane."""
    w, x = draws(D, seed=1), draws(ROWS, D, seed=2)
    x = x - ((x @ w + 2) / (w @ w))[:, None] * w  # all two units of margin away
    model = nn.Linear(D, 2, bias=False, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.stack([0 * w, w]))
    beside = draws(ROWS, D, seed=3)
    start = x + beside + ((2 + 3 - beside @ w) / (w @ w))[:, None] * w
    box = pellucid.open(model, access="label", shape=(D,), emits="logits")
    return box, x, start, 2 / float(torch.linalg.vector_norm(w))


def attack(method, budget):
    box, x, start, exact = plane()
    goal = pellucid.misled(torch.zeros(ROWS, dtype=torch.long))
    return pellucid.run(method, box, x, goal=goal, budget=budget, start=start), exact


@pytest.mark.slow
def test_it_comes_near_the_exact_distance_of_a_plane():
    found, exact = attack(BoundaryAttack(), 600)
    ratio = found.distance("l2") / exact
    assert (ratio >= 1 - 1e-9).all()
    assert (ratio <= 1.1).all()


def test_a_step_is_a_query_and_a_tenth_step_two():
    found, _ = attack(BoundaryAttack(steps=45), None)
    assert found.queries.tolist() == [45 + 4] * ROWS
    assert found.calls == 45


def test_a_row_that_is_done_leaves_the_work():
    box, x, start, exact = plane()
    far = L2.distance(start, x)
    ball = Ball("l2", 1.05 * float(far.min()))
    assert (far > ball.radius).any()
    goal = pellucid.misled(torch.zeros(ROWS, dtype=torch.long))
    found = pellucid.run(BoundaryAttack(ball=ball), box, x, goal=goal, budget=600, start=start)
    assert exact < ball.radius
    assert found.success.all()
    assert found.queries.tolist().count(0) < ROWS
    assert len(set(found.queries.tolist())) > 1
    assert found.calls <= int(found.queries.max())


def test_every_iterate_meets_the_goal_and_none_is_farther():
    on = subject(shape=(30,))
    iterates = driven(BoundaryAttack(steps=80), on).iterates
    distances = [L2.distance(z, on.x) for z in iterates]
    assert len(iterates) == 80
    assert all(on.goal(on.box.labels(z)).all() for z in iterates)
    assert all((b <= a).all() for a, b in itertools.pairwise(distances))
    assert (distances[-1] < distances[0]).all()


def test_a_step_turns_by_its_angle_and_then_comes_nearer_by_its_share():
    box, x, start, _ = plane()
    around, towards = draws(ROWS, seed=4).abs() / 10, draws(ROWS, seed=5).abs() / 10
    method, rng = BoundaryAttack(), Streams(0, [str(i) for i in range(ROWS)], x)
    beside = method._beside(box, start, x, around, rng)
    radius = L2.distance(start, x)
    assert torch.allclose(L2.distance(beside, x), radius)
    cosine = ((beside - x) * (start - x)).sum(1) / radius**2
    assert torch.allclose(cosine, (1 + around**2).rsqrt())  # the angle whose tangent is `around`
    nearer = method._nearer(box, start, x, beside, towards)
    assert torch.allclose(L2.distance(nearer, x), (1 - towards) * radius)
    turned = ((nearer - x) * (beside - x)).sum(1)
    assert torch.allclose(turned, L2.distance(nearer, x) * L2.distance(beside, x))


@pytest.mark.parametrize("window", [1, 4])
def test_a_rate_is_judged_once_a_window_for_each_row(window):
    rate = Rate(3, window)
    outcomes = torch.tensor([[True, False, False], [True, False, True], [True, False, False]] * 4)
    for number, met in enumerate(outcomes, 1):
        factor = rate.judge(met, 0.2, 0.5, 1.5)
        if number % window:
            assert factor.tolist() == [1.0, 1.0, 1.0]
            continue
        share = outcomes[number - window : number].double().mean(0)
        due = [1.5 if s > 0.5 else 1 / 1.5 if s < 0.2 else 1.0 for s in share.tolist()]
        assert factor.tolist() == pytest.approx(due)
    assert math.isclose(float(Rate(3, 1)[torch.tensor([2])].judge(~met[:1], 0.2, 0.5, 2.0)), 0.5)
