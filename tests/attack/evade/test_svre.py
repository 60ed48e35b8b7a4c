"""SVRE against its algorithm written out with loops, row by row."""

from itertools import islice

import pytest
import torch
from tests.attack.evade.surrogate_nets import boxes, nets, of_size_one, rows, streams
from torch.nn import functional

import pellucid
from pellucid.attack.evade.svre import SVRE
from pellucid.ball import Ball
from pellucid.errors import UserError

EPSILON = 0.5


def slope(outs, z, y, sign=1):
    at = z.detach().requires_grad_()
    (sign * functional.cross_entropy(outs(at), y)).backward()
    return at.grad


@pytest.mark.parametrize("targeted", [False, True])
def test_the_algorithm_row_by_row(targeted):
    modules = nets(3)
    x, y = rows(modules)
    y, sign = ((y + 1) % 4, -1) if targeted else (y, 1)
    goal = pellucid.hit(y) if targeted else pellucid.misled(y)
    method = SVRE(ball=Ball("linf", EPSILON), steps=3, draws=5, decay=0.9, inner_decay=0.8, seed=4)
    surrogates = boxes(modules)
    parts = method(box=surrogates[0], goal=goal, x=x, surrogates=surrogates, rng=streams(x))
    found = [z.clone() for z in parts]
    assert len(found) == 3

    def mean(at):
        return sum(net(at) for net in modules) / 3

    for row in range(len(x)):
        middle, own = x[row : row + 1], y[row : row + 1]

        def inside(p, middle=middle):
            return middle + (p - middle).clamp(-EPSILON, EPSILON)

        order, z, velocity = method.drawn(3), middle, 0.0
        for iterate in found:
            p, gathered = z, 0.0
            for net in (modules[which] for which in islice(order, 5)):
                g = slope(net, p, own, sign) - slope(net, z, own, sign) + slope(mean, z, own, sign)
                gathered = 0.8 * gathered + of_size_one(g)
                p = inside(p + 0.1 * EPSILON * gathered.sign())
            velocity = 0.9 * velocity + of_size_one(gathered)
            z = inside(z + 0.1 * EPSILON * velocity.sign())
            torch.testing.assert_close(iterate[row], z[0], rtol=0, atol=1e-10)


def test_all_surrogates_are_drawn_alike_and_by_the_seed():
    first, again = (torch.tensor(list(islice(SVRE().drawn(4), 4000))) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, torch.tensor(list(islice(SVRE(seed=1).drawn(4), 4000))))
    assert (first.bincount(minlength=4) - 1000).abs().max() < 100  # 3.6 standard deviations


def test_what_is_asked_of_each_surrogate():
    modules = nets(3)
    x, y = rows(modules)
    victim, *surrogates = boxes(modules)
    method = SVRE(ball=Ball("linf", EPSILON), steps=2, draws=6)
    found = pellucid.run(method, victim, x, goal=pellucid.misled(y), surrogates=surrogates)
    times = torch.tensor(list(islice(method.drawn(2), 12))).bincount(minlength=2)
    assert (found.surrogate_queries == (2 + times)[:, None]).all()
    assert (found.surrogate_gradients == (4 + times)[:, None]).all()
    assert (found.queries == 0).all()


def test_it_needs_a_radius_and_a_draw():
    with pytest.raises(UserError, match="give the ball a radius"):
        SVRE(ball=Ball("linf"))
    with pytest.raises(UserError, match="give draws, not 0"):
        SVRE(draws=0)
