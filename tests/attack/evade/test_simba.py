"""SimBA on a plane, where every step, query and distance can be told beforehand."""

import pytest
import torch
from torch import nn

import pellucid
from pellucid.attack.evade.simba import SimBA
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.rng import Streams, ids_of
from pellucid.testing.driving import driven
from pellucid.testing.subjects import subject

D, ROWS, EPSILON = 20, 6, 0.25


def draws(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plane(margin):
    """Weights, a box, and rows so far from the plane in margin."""
    w, x = draws(D, seed=1), draws(ROWS, D, seed=2)
    x = x - ((x @ w + margin) / (w @ w))[:, None] * w
    model = nn.Linear(D, 2, bias=False, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.stack([0 * w, w]))
    return w, pellucid.open(model, access="score", shape=(D,), emits="logits"), x


def test_on_a_plane_every_step_and_query_is_known():
    margin = 2.0
    w, box, x = plane(margin)
    goal = pellucid.misled(torch.zeros(ROWS, dtype=torch.long))
    found = pellucid.run(SimBA(epsilon=EPSILON), box, x, goal=goal, budget=None, seed=5)
    order = Streams(5, ids_of(x), x).uniform(1, (D,))[0].argsort(1)
    for row in range(ROWS):
        left, queries, z = margin, 1, x[row].clone()
        for place in order[row].tolist():
            left -= EPSILON * abs(float(w[place]))
            queries += 1 if w[place] < 0 else 2  # down is asked first
            z[place] += EPSILON * float(w[place].sign())
            if left < 0:
                break
        assert left < 0
        assert int(found.queries[row]) == queries
        assert torch.allclose(found.adversarial[row], z)


def test_no_direction_comes_twice_before_all_have_come():
    w, box, x = plane(0.999 * 2 * EPSILON * float(draws(D, seed=1).abs().sum()))
    goal = pellucid.misled(torch.zeros(ROWS, dtype=torch.long))
    run = pellucid.run(SimBA(epsilon=EPSILON, steps=2 * D), box, x, goal=goal, budget=None)
    assert run.success.all()  # two rounds are just enough
    short = pellucid.run(SimBA(epsilon=EPSILON, steps=D), box, x, goal=goal, budget=None)
    assert not short.success.any()
    assert short.queries.tolist() == [1 + D + int((w > 0).sum())] * ROWS


@pytest.mark.parametrize(("shape", "waves"), [((5,), None), ((2, 3, 4), None), ((2, 3, 4), 9)])
def test_the_directions_are_an_orthonormal_basis(shape, waves):
    method, d = SimBA(waves=waves), torch.Size(shape).numel()
    x = torch.zeros(d, *shape, dtype=torch.float64)
    every = method._directions(torch.arange(d), method._basis(x), x).reshape(d, d)
    assert torch.allclose(every @ every.T, torch.eye(d, dtype=torch.float64), atol=1e-12)


def test_few_waves_are_the_lowest():
    x = torch.zeros(4, 1, 6, 6, dtype=torch.float64)
    method = SimBA(waves=2)
    every = method._directions(torch.arange(4), method._basis(x), x)
    assert torch.allclose(every[0], torch.full_like(every[0], 1 / 6))
    # half a period at most: a wave changes its sign once or never along a line
    changes = (every.sign().diff(dim=-1) != 0).sum(-1).amax((1, 2))
    assert changes.tolist() == [0, 1, 0, 1]


def test_a_step_that_the_bounds_undo_costs_nothing():
    w, _, _ = plane(1.0)
    model = nn.Linear(D, 2, bias=False, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.stack([0 * w, -w.abs()]))  # only down helps, and none is left
        model.bias = nn.Parameter(torch.tensor([0.0, -1.0], dtype=torch.float64))
    box = pellucid.open(model, access="score", shape=(D,), bounds=(0.0, 1.0), emits="logits")
    goal = pellucid.misled(torch.zeros(1, dtype=torch.long))
    x = torch.zeros(1, D, dtype=torch.float64)
    found = pellucid.run(SimBA(steps=D), box, x, goal=goal, budget=None)
    assert found.queries.tolist() == [1 + D]


def test_the_loss_never_falls():
    on = subject(shape=(1, 5, 5), dtype=torch.float64)
    method = SimBA(ball=Ball("l2", 0.1), steps=30, epsilon=0.05)
    losses = torch.stack([on.goal.loss(on.box.scores(z)) for z in driven(method, on).iterates])
    assert (losses.diff(dim=0) >= 0).all()
    assert (losses[-1] > losses[0]).any()


def test_bad_fields_are_refused():
    for fields in ({"epsilon": 0.0}, {"waves": 0}):
        with pytest.raises(UserError, match="positive length along at least one wave"):
            SimBA(**fields)
