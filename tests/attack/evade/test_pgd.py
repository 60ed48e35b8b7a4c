"""PGD against linear models, where the least radius that works is known."""

import itertools
import math

import pytest
import torch
from torch import nn

import pellucid
from pellucid.attack.evade.pgd import PGD
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.rng import Streams, ids_of
from pellucid.testing.driving import driven
from pellucid.testing.subjects import subject

DIMENSIONS, ROWS, MARGIN = 12, 10, 0.5


def draws(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def linear(w, b):
    """Two classes, the second where w . x + b > 0."""
    model = nn.Linear(len(w), 2, dtype=w.dtype)
    with torch.no_grad():
        model.weight.copy_(torch.stack([0 * w, w]))
        model.bias.copy_(torch.tensor([0.0, b]))
    return model


@pytest.fixture
def rows():
    """Weights, bias, and rows on both sides of the plane, each with a margin of MARGIN."""
    w, b, x = draws(DIMENSIONS, seed=1), 0.3, draws(ROWS, DIMENSIONS, seed=2)
    side = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(ROWS // 2)
    x = x + ((MARGIN * side - (x @ w + b)) / (w @ w))[:, None] * w
    return w, b, x, (side > 0).long()


@pytest.mark.parametrize("random", [True, False])
@pytest.mark.parametrize(("norm", "dual"), [("linf", 1), ("l2", 2)])
@pytest.mark.parametrize(("share", "successes"), [(1.01, ROWS), (0.99, 0)])
def test_the_exact_radius_of_a_plane_decides(rows, norm, dual, random, share, successes):
    w, b, x, y = rows
    radius = share * MARGIN / float(torch.linalg.vector_norm(w, dual))
    box = pellucid.open(linear(w, b), access="gradient", shape=(DIMENSIONS,), emits="logits")
    method = PGD(ball=Ball(norm, radius), steps=150, random=random)
    found = pellucid.run(method, box, x, goal=pellucid.misled(y), budget=None)
    assert int(found.success.sum()) == successes
    assert (found.distance(norm)[found.success] <= radius * (1 + 1e-9)).all()


@pytest.mark.parametrize("random", [True, False])
def test_with_bounds_a_row_succeeds_just_where_a_corner_of_the_clipped_cube_does(random):
    d, radius = 8, 0.2
    w, b = draws(d, seed=3), -0.1
    x = torch.rand(40, d, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    y = (x @ w + b > 0).long()
    low, high = (x - radius).clamp(0, 1), (x + radius).clamp(0, 1)
    corners = torch.stack(
        [
            torch.where(torch.tensor(choice), high, low)
            for choice in itertools.product([True, False], repeat=d)
        ]
    )
    over = ((corners @ w + b > 0) != (y == 1)).any(0)
    assert 0 < int(over.sum()) < len(x)
    box = pellucid.open(
        linear(w, b), access="gradient", shape=(d,), bounds=(0.0, 1.0), emits="logits"
    )
    method = PGD(ball=Ball("linf", radius), steps=70, random=random)
    found = pellucid.run(method, box, x, goal=pellucid.misled(y), budget=None)
    assert torch.equal(found.success, over)


def test_a_step_is_a_query_and_a_gradient(rows):
    w, b, x, y = rows
    box = pellucid.open(linear(w, b), access="gradient", shape=(DIMENSIONS,), emits="logits")
    out_of_reach = 0.5 * MARGIN / float(w.abs().sum())
    method = PGD(ball=Ball("linf", out_of_reach), steps=7)
    found = pellucid.run(method, box, x, goal=pellucid.misled(y), budget=100)
    assert found.queries.tolist() == found.gradients.tolist() == [7] * ROWS
    assert found.judged.tolist() == [2] * ROWS  # the clean row, and the last iterate
    assert found.calls == 7


def test_a_row_stops_at_its_first_success(rows):
    w, b, x, y = rows
    box = pellucid.open(linear(w, b), access="gradient", shape=(DIMENSIONS,), emits="logits")
    ball = Ball("linf", 10.5 / 3 * MARGIN / float(w.abs().sum()))  # a step is a third, and a bit
    found = pellucid.run(
        PGD(ball=ball, steps=40, step=0.1, random=False), box, x, goal=pellucid.misled(y)
    )
    # the clean row is asked again for its gradient, then three thirds of the way are asked
    assert found.queries.tolist() == [4] * ROWS
    assert found.success.all()


@pytest.mark.parametrize("ball", [Ball("linf", 0.3), Ball("l2", 0.8)], ids=lambda ball: ball.norm)
def test_iterates_stay_in_the_ball_and_steps_have_their_length(ball):
    on = subject(bounds=(-50.0, 50.0), dtype=torch.float64)
    method = PGD(ball=ball, steps=12, step=0.2)
    iterates = driven(method, on).iterates
    assert len(iterates) == 12
    for z in iterates:
        assert (ball.distance(z, on.x) <= ball.radius * (1 + 1e-12)).all()
    for before, after in itertools.pairwise(iterates):
        assert (ball.distance(before, after) <= 0.2 * ball.radius * (1 + 1e-9)).all()


def test_it_begins_at_random_or_at_x():
    on = subject()
    for random in (True, False):
        driven(PGD(steps=1, random=random), on)
        assert torch.equal(on.tally.asked[0], on.x) is not random


def test_a_ball_without_radius_is_refused():
    with pytest.raises(UserError, match="give the ball a radius"):
        PGD(ball=Ball("l2"))


def test_steps_can_fall_by_a_quarter_of_a_cosine_whatever_is_climbed(rows):
    w, b, x, y = rows
    box = pellucid.open(linear(w, b), access="gradient", shape=(DIMENSIONS,), emits="logits")
    ball, steps = Ball("l2", 1.0), 6
    for loss in ("ce", "margin", "probability-margin"):
        method = PGD(ball=ball, steps=steps, step=0.02, random=False, loss=loss, falling="cosine")
        z = x
        iterates = method(box=box, goal=pellucid.misled(y), x=x, rng=Streams(0, ids_of(x), x))
        for number, iterate in enumerate(iterates):
            length = 0.02 * math.cos(math.pi / 2 * number / steps)
            # in a linear model all losses of two classes climb straight to the other side
            way = torch.where(y == 1, -1, 1)[:, None] * w * length / w.norm()
            torch.testing.assert_close(iterate - z, way, rtol=0, atol=1e-12)
            z = iterate
        assert number == steps - 1
