"""CWA against its algorithm written out with loops, row by row, and what its parts are for."""

import pytest
import torch
from tests.attack.evade.surrogate_nets import boxes, nets, of_size_one, rows, streams
from torch.nn import functional

import pellucid
from pellucid.attack.evade.cwa import CWA
from pellucid.attack.input_transforms import InputTransforms, Smoothing
from pellucid.ball import Ball
from pellucid.errors import UserError

EPSILON = 0.5


def ends(method, surrogates, x, goal):
    box = surrogates[0]
    parts = method(box=box, goal=goal, x=x, surrogates=surrogates, rng=streams(x))
    return [z.clone() for z in parts]


def slope(outs, z, y, sign=1):
    at = z.detach().requires_grad_()
    (sign * functional.cross_entropy(outs(at), y)).backward()
    return at.grad


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize(("back", "inner"), [(1 / 15, 10.3), (0.0, 0.2), (0.3, 0.05)])
def test_the_algorithm_row_by_row(back, inner, targeted):
    modules = nets(3)
    x, y = rows(modules)
    y, sign = ((y + 1) % 4, -1) if targeted else (y, 1)
    goal = pellucid.hit(y) if targeted else pellucid.misled(y)
    method = CWA(ball=Ball("linf", EPSILON), steps=5, step=0.2, back=back, inner=inner, decay=0.9)
    found = ends(method, boxes(modules), x, goal)
    assert len(found) == 5

    def mean(at):
        return sum(net(at) for net in modules) / 3

    for row in range(len(x)):
        middle, own = x[row : row + 1], y[row : row + 1]
        z, u, v = middle, 0.0, 0.0

        def inside(p, middle=middle):
            return middle + (p - middle).clamp(-EPSILON, EPSILON)

        for iterate in found:
            p = inside(z - back * EPSILON * slope(mean, z, own, sign).sign()) if back else z
            for net in modules:
                g = slope(net, p, own, sign)
                u = 0.9 * u + g / g.norm()
                p = inside(p + inner * EPSILON * 12**0.5 * u)
            v = 0.9 * v + of_size_one(p - z)
            z = inside(z + 0.2 * EPSILON * v.sign())
            torch.testing.assert_close(iterate[row], z[0], rtol=0, atol=1e-10)


def test_the_papers_beta_is_the_default_on_its_own_images():
    inner, epsilon, values = CWA().inner, 16 / 255, 3 * 224 * 224
    assert inner * epsilon * values**0.5 == pytest.approx(250, rel=0.01)


def test_what_is_asked_of_each_surrogate():
    modules = nets(3)
    x, y = rows(modules)
    victim, *surrogates = boxes(modules)
    for back, asked in ((1 / 15, 6), (0.0, 3)):
        method = CWA(ball=Ball("linf", 0.01), steps=3, back=back)
        found = pellucid.run(method, victim, x, goal=pellucid.misled(y), surrogates=surrogates)
        assert found.surrogate_queries.tolist() == [[asked] * len(x)] * 2
        assert found.surrogate_gradients.tolist() == [[asked] * len(x)] * 2
        assert found.queries.tolist() == [0] * len(x)


def test_a_surrogate_without_slope_moves_nothing():
    flat = nets(2)
    for net in flat:
        net[3].weight.data.zero_()
    x, y = rows(flat)
    for z in ends(CWA(ball=Ball("linf", EPSILON)), boxes(flat), x, pellucid.misled(y)):
        assert torch.equal(z, x)


def test_smoothing_reaches_both_kinds_of_step():
    modules = nets(2)
    x, y = rows(modules)
    goal, surrogates = pellucid.misled(y), boxes(modules)
    transforms = InputTransforms(smoothing=Smoothing(width=3))
    plain = ends(CWA(ball=Ball("linf", EPSILON), inner=0.1), surrogates, x, goal)
    smooth = ends(
        CWA(ball=Ball("linf", EPSILON), inner=0.1, transforms=transforms), surrogates, x, goal
    )
    assert not torch.equal(plain[-1], smooth[-1])


def test_a_ball_without_radius_is_refused():
    with pytest.raises(UserError, match="give the ball a radius"):
        CWA(ball=Ball("l2"))
