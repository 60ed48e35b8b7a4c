"""What surrogates can do to attacks made on them: be silent, stand in another order, not fit."""

import pytest
import torch
from tests.attack.evade.surrogate_nets import boxes, nets, rows, streams
from torch import nn

import pellucid
from pellucid.attack.evade.adaea import AdaEA
from pellucid.attack.evade.cwa import CWA
from pellucid.attack.evade.ensemble_mi_fgsm import EnsembleMIFGSM
from pellucid.ball import Ball
from pellucid.errors import UserError

BALL = Ball("linf", 0.5)
METHODS = [
    EnsembleMIFGSM(ball=BALL, steps=4),
    EnsembleMIFGSM(ball=BALL, steps=4, fuse="probabilities", back=0.1),
    AdaEA(ball=BALL, steps=4, noise=0.0),
    CWA(ball=BALL, steps=4),
]


class Silent(nn.Module):
    """A network that answers NaN where the first value is above a bound."""

    def __init__(self, inner, bound):
        super().__init__()
        self.inner, self.bound = inner, bound

    def forward(self, x):
        lost = x.flatten(1)[:, :1] > self.bound
        return self.inner(x) * torch.where(lost, torch.nan, 1.0).to(x)


def ends(method, surrogates, x, goal):
    box = surrogates[0]
    parts = method(box=box, goal=goal, x=x, surrogates=surrogates, rng=streams(x))
    return [z.clone() for z in parts]


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_row_that_a_surrogate_does_not_answer_harms_no_other(method):
    modules = nets(3)
    x, y = rows(modules)
    x[:, 0, 0, 0] = torch.tensor([-3.0, -3.0, 3.0, -3.0])
    goal = pellucid.misled(y)
    heard = ends(method, boxes(modules), x, goal)
    silent = ends(method, boxes([modules[0], Silent(modules[1], 0.0), modules[2]]), x, goal)
    others = torch.tensor([0, 1, 3])
    for a, b in zip(heard, silent, strict=True):
        assert b.isfinite().all()
        torch.testing.assert_close(a[others], b[others], rtol=0, atol=1e-12)
        assert (BALL.distance(b, x) <= BALL.limit(x)).all()


@pytest.mark.parametrize("method", METHODS[:3], ids=repr)
def test_the_order_of_surrogates_does_not_matter(method):
    modules = nets(3)
    x, y = rows(modules)
    goal = pellucid.misled(y)
    one, other = (ends(method, boxes(some), x, goal) for some in (modules, modules[::-1]))
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_surrogate_of_another_size_is_named(method):
    modules = nets(2)
    x, y = rows(modules)
    victim, fitting = boxes(modules)
    (other,) = boxes(nets(1, shape=(2, 4, 2)), shape=(2, 4, 2))
    with pytest.raises(UserError, match=r"Surrogate 2 takes inputs of shape \(2, 4, 2\)"):
        pellucid.run(method, victim, x, goal=pellucid.misled(y), surrogates=[fitting, other])
