"""APGD against linear models, and against the paper's algorithm written out for one row."""

import itertools
import math

import pytest
import torch
from tests.attack.evade.planes import clipped, draws, plane
from torch import nn

import pellucid
from pellucid.attack.evade._auto_pgd import checkpoints, climb
from pellucid.attack.evade._losses import LOSSES
from pellucid.attack.evade.apgd import APGD
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.testing.driving import driven
from pellucid.testing.subjects import subject


@pytest.mark.parametrize("random", [True, False])
@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize(("share", "wins"), [(1.01, True), (0.99, False)])
def test_the_exact_radius_of_a_plane_decides(norm, random, share, wins):
    on = plane()
    method = APGD(ball=Ball(norm, share * on.radius(norm)), steps=30, random=random)
    found = pellucid.run(method, on.box, on.x, goal=pellucid.misled(on.y))
    assert found.success.tolist() == [wins] * len(on.x)


def test_with_bounds_a_row_succeeds_just_where_a_corner_of_the_clipped_cube_does():
    box, x, y, over = clipped(radius=0.2)
    found = pellucid.run(APGD(ball=Ball("linf", 0.2)), box, x, goal=pellucid.misled(y))
    assert torch.equal(found.success, over)


def test_forty_steps_are_forty_one_forwards():
    on = plane()
    on.box.calls = on.box.rows = 0
    method = APGD(ball=Ball("linf", 0.5 * on.radius("linf")), steps=40)
    found = pellucid.run(method, on.box, on.x, goal=pellucid.misled(on.y), budget=100)
    assert found.queries.tolist() == found.gradients.tolist() == [40] * len(on.x)
    assert found.judged.tolist() == [2] * len(on.x)  # the clean row, and the last iterate
    assert on.box.rows == (1 + 41) * len(on.x)


@pytest.mark.parametrize("steps", [1, 6, 20, 40, 100, 1000])
def test_checkpoints_are_those_of_the_paper(steps):
    p = [0.0, 0.22]
    while p[-1] < 1:
        p.append(p[-1] + max(p[-1] - p[-2] - 0.03, 0.06))
    expected = {math.ceil(round(share * steps, 9)) for share in p[1:-1]}
    assert checkpoints(steps) == expected
    if steps == 100:
        assert sorted(expected) == [22, 41, 57, 70, 80, 87, 93, 99]


def network():
    """Three classes with folds enough that steps must be halved."""
    module = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 4)).double()
    for weight, seed in zip(module.parameters(), itertools.count(), strict=False):
        weight.data = 2 * draws(*weight.shape, seed=seed)
    return module


def written_out(loss, inside, steepest, x, radius, steps):
    """Algorithm 1 for one row: x^(1), x^(2), ... and the lengths of its steps."""

    def f(z):
        z = z.detach().requires_grad_()
        value = loss(z)
        (gradient,) = torch.autograd.grad(value, z)
        return value.item(), gradient

    marks = sorted(checkpoints(steps))
    xs, values, eta = [x], [f(x)[0]], [2 * radius]
    best, f_max = x, values[0]
    lengths_at, best_at, rises, found = [eta[0]], [f_max], 0, []
    for k in range(steps):
        if k:
            value = f(xs[k])[0]
            rises += value > values[k - 1]
            values.append(value)
            if value > f_max:
                best, f_max = xs[k], value
        if k in marks:
            j = marks.index(k)
            too_few = rises < 0.75 * (k - (marks[j - 1] if j else 0))
            # the length at the last checkpoint but one, and at the last
            same_length = j > 0 and lengths_at[-1] == lengths_at[-2]
            lengths = eta[-1]
            if too_few or (same_length and best_at[-1] == f_max):
                lengths, xs[k], values[k] = eta[-1] / 2, best, f_max
            eta.append(lengths)
            lengths_at.append(lengths)
            best_at.append(f_max)
            rises = 0
        z = inside(xs[k] + eta[-1] * steepest(f(xs[k])[1]), x)
        if k:
            z = inside(xs[k] + 0.75 * (z - xs[k]) + 0.25 * (xs[k] - xs[k - 1]), x)
        xs.append(z)
        found.append(z)
    return found, eta


@pytest.mark.parametrize("name", ["ce", "dlr"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_algorithm_of_the_paper_row_by_row(norm, name):
    module, radius, steps = network(), 1.5, 60
    x = draws(8, 6, seed=9)
    goal, ball = pellucid.misled(module(x).argmax(1)), Ball(norm, radius)
    box = pellucid.open(module, access="gradient", shape=(6,), emits="logits", bounds=(-3.0, 3.0))
    settings = {"steps": steps, "momentum": 0.75, "rho": 0.75}
    iterates = [z.clone() for z in climb(box, LOSSES[name], goal, ball, x, x, **settings)]
    assert len(iterates) == steps

    def inside(z, x):
        delta = z - x
        if norm == "linf":
            return (x + delta.clamp(-radius, radius)).clamp(-3, 3)
        return (x + delta * min(1, radius / float(delta.norm()))).clamp(-3, 3)

    def steepest(g):
        return g.sign() if norm == "linf" else g / g.norm()

    halvings = []
    for row in range(len(x)):
        own = goal[torch.tensor([row])]
        expected, lengths = written_out(
            lambda z, own=own: LOSSES[name](own, module(z[None]))[0],
            inside,
            steepest,
            x[row],
            radius,
            steps,
        )
        halvings.append(round(math.log2(lengths[0] / lengths[-1])))
        for ours, theirs in zip(iterates, expected, strict=True):
            torch.testing.assert_close(ours[row], theirs, rtol=0, atol=1e-8)
    assert len(set(halvings)) > 1  # rows go their own ways
    assert max(halvings) > 1


@pytest.mark.parametrize("ball", [Ball("linf", 0.3), Ball("l2", 0.8)], ids=lambda ball: ball.norm)
def test_iterates_stay_in_the_ball(ball):
    on = subject(bounds=(-50.0, 50.0), dtype=torch.float64)
    iterates = driven(APGD(ball=ball, steps=12), on).iterates
    assert len(iterates) == 12
    for z in iterates:
        assert (ball.distance(z, on.x) <= ball.radius * (1 + 1e-12)).all()


def test_it_begins_at_random_or_at_x():
    on = subject()
    for random in (True, False):
        driven(APGD(steps=1, random=random), on)
        assert torch.equal(on.tally.asked[0], on.x) is not random


def test_a_ball_without_radius_is_refused():
    with pytest.raises(UserError, match="give the ball a radius"):
        APGD(ball=Ball("l2"))


def test_an_unknown_loss_is_refused():
    with pytest.raises((UserError, TypeError)):  # the type check of the tests may come first
        APGD(loss="cross")
