"""PMA against linear models, against its schedule written out, and where a softmax saturates."""

from math import cos, pi

import pytest
import torch
from tests.attack.evade.planes import affine, clipped, draws, plane
from torch import nn

import pellucid
from pellucid.attack.evade.pgd import PGD
from pellucid.attack.evade.pma import PMA
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.goals import hit, misled, ordered_topk
from pellucid.rng import Streams, ids_of


@pytest.mark.parametrize("space", ["probabilities", "logits"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize(("share", "wins"), [(1.01, True), (0.99, False)])
def test_the_exact_radius_of_a_plane_decides(space, norm, share, wins):
    on = plane()
    method = PMA(ball=Ball(norm, share * on.radius(norm)), space=space)
    found = pellucid.run(method, on.box, on.x, goal=misled(on.y))
    assert found.success.tolist() == [wins] * len(on.x)
    if not wins:  # two climbs, and a look between them
        assert found.queries.tolist() == [201] * len(on.x)
        assert found.gradients.tolist() == [200] * len(on.x)
        assert found.judged.tolist() == [2] * len(on.x)  # the clean row, and the last iterate


def test_with_bounds_a_row_succeeds_just_where_a_corner_of_the_clipped_cube_does():
    box, x, y, over = clipped(radius=0.2)
    found = pellucid.run(PMA(ball=Ball("linf", 0.2)), box, x, goal=misled(y))
    assert torch.equal(found.success, over)


def network():
    """A small curved network of four classes, and rows with the classes that it gives them."""
    module = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 4)).double()
    for seed, weight in enumerate(module.parameters()):
        weight.data = 2 * draws(*weight.shape, seed=seed)
    x = draws(5, 6, seed=9)
    return module, x, module(x).argmax(1)


@pytest.mark.parametrize("space", ["probabilities", "logits"])
def test_the_schedule_of_the_paper_row_by_row(space):
    module, x, y = network()
    box = pellucid.open(module, access="gradient", shape=(6,), emits="logits")
    radius, steps, half = 1e-3, 12, 6  # too near to win, so that both climbs are seen
    method = PMA(ball=Ball("linf", radius), steps=steps, space=space)
    rng = Streams(0, ids_of(x), x)
    iterates = list(method(box=box, goal=misled(y), x=x, rng=rng))
    assert len(iterates) == 2 * steps
    fresh = Streams(0, ids_of(x), x)
    for run in range(2):
        start = Ball("linf", radius).sample(fresh, x)
        for row in range(len(x)):
            z = start[row]
            for i in range(steps):
                z = z.detach().requires_grad_()
                logits = module(z)
                p = logits.softmax(-1) if space == "probabilities" else logits
                own = p[y[row]]
                other = max(p[c] for c in range(4) if c != y[row])
                loss = own if i < 1 else (other if run else -own) if i < half else other - own
                (gradient,) = torch.autograd.grad(loss, z)
                since = i - half - 1 if i > half else i - 1
                length = 2 * radius * 0.5 * (1 + cos(since / (steps - half) * pi))
                z = (z.detach() + length * gradient.sign() - x[row]).clamp(-radius, radius) + x[row]
                torch.testing.assert_close(iterates[run * steps + i][row], z, rtol=0, atol=1e-12)


def test_a_target_is_what_rises_and_all_others_fall():
    module, x, y = network()
    box = pellucid.open(module, access="gradient", shape=(6,), emits="logits")
    target = (y + 1) % 4
    found = pellucid.run(PMA(ball=Ball("linf", 3.0)), box, x, goal=hit(target))
    assert found.success.all()
    assert torch.equal(box.labels(found.adversarial), target)


@pytest.mark.parametrize("scale", [1, 20, 50])
def test_where_a_softmax_in_float32_has_no_slope_it_nearly_does_as_well_as_the_margin(scale):
    weights, x = draws(5, 8, seed=1).float(), draws(60, 8, seed=2).float()
    box = affine(scale * weights, torch.zeros(5))
    y = box.labels(x)
    ball = Ball("linf", 0.5)
    margin = PGD(ball=ball, steps=120, step=0.25, loss="margin", falling="cosine")
    ours, theirs = (
        pellucid.run(method, box, x, goal=misled(y), budget=None)
        for method in (PMA(ball=ball, steps=60), margin)
    )
    assert int(ours.success.sum()) >= 0.9 * int(theirs.success.sum()) > 25


def test_a_row_that_is_broken_stops_and_the_rest_go_on():
    on = plane()
    near = on.x.clone()
    w = on.w * torch.where(on.y == 1, -1.0, 1.0)[:, None]
    near[::2] += 0.9 * 0.5 / (on.w @ on.w) * w[::2]  # every other row nearly on the plane
    method = PMA(ball=Ball("l2", 0.5 * on.radius("l2")), steps=10)
    found = pellucid.run(method, on.box, near, goal=misled(on.y))
    assert found.success.tolist() == [True, False] * 5
    assert found.queries[1::2].tolist() == [21] * 5
    assert (found.queries[::2] <= 10).all()


def test_what_it_cannot_do_is_said():
    with pytest.raises(UserError, match="give the ball a radius"):
        PMA(ball=Ball("l2"))
    with pytest.raises(UserError, match="2 steps or more, not 1"):
        PMA(steps=1)
    on = plane()
    with pytest.raises(UserError, match="choose a goal that labels decide"):
        pellucid.run(PMA(), on.box, on.x, goal=ordered_topk(torch.tensor([[0, 1]] * len(on.x))))
