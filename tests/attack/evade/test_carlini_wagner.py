"""Carlini-Wagner, against torch's own Adam and where the nearest adversarial point is known."""

import pytest
import torch
from tests.attack.evade.nearest import bounded, draws, linear, tiny

import pellucid
from pellucid.attack.evade._adam import Adam
from pellucid.attack.evade._tanh_space import space_of
from pellucid.attack.evade.carlini_wagner import CarliniWagner
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.goals import misled
from pellucid.spec import Vector


@pytest.mark.slow
@pytest.mark.parametrize("subject", [linear, bounded, tiny])
def test_it_comes_near_the_exact_distance(subject):
    known = subject("l2")
    found = known.attacked(CarliniWagner(searches=7, steps=120, rate=0.05, first=0.1))
    ratio = found.distance("l2") / known.exact
    assert ratio.median() <= 1.02
    assert (ratio <= 1.05).double().mean() >= 0.8
    if subject is not tiny:  # whose exact distances are those of a grid
        assert (ratio >= 1 - 1e-9).all()


def test_adam_moves_as_the_library_s_does():
    w = torch.nn.Parameter(draws(3, 5, seed=1))
    theirs = torch.optim.Adam([w], lr=0.01)
    ours, rows, at = Adam(w.detach(), 0.01), torch.arange(3), w.detach().clone()
    for step in range(1, 20):
        w.grad = draws(3, 5, seed=step)
        at = at + ours.step(rows, w.grad, step)
        theirs.step()
        assert torch.allclose(at, w.detach(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-3.0, 5.0), (-torch.inf, torch.inf)])
def test_the_change_of_variable_goes_there_and_back(bounds):
    low, high = (max(bounds[0], -10.0), min(bounds[1], 10.0))
    x = torch.linspace(low, high, 50, dtype=torch.float64)[None]
    space = space_of(Vector(shape=(50,), low=bounds[0], high=bounds[1]))
    w = space.leave(x).requires_grad_()
    back = space.enter(w)
    assert torch.allclose(back, x, atol=1e-5)
    (due,) = torch.autograd.grad(back.sum(), w)
    assert torch.allclose(space.slope(w.detach()), due, rtol=1e-6)


def test_a_row_pays_a_query_and_a_gradient_a_step_and_goes_on_when_its_loss_stalls():
    known = tiny("l2")
    patient = known.attacked(CarliniWagner(searches=3, steps=50, patience=1e9))
    assert patient.queries.tolist() == patient.gradients.tolist() == [150] * len(known.x)
    found = known.attacked(CarliniWagner(searches=3, steps=50))
    assert torch.equal(found.queries, found.gradients)
    assert (found.queries < 150).any()


def test_kappa_asks_for_confidence():
    known = linear("l2")
    method = CarliniWagner(searches=1, steps=150, first=100.0, kappa=5.0, rate=0.05, patience=1e9)
    *_, last = method(known.box, misled(known.y), known.x)
    assert (misled(known.y).margin(known.box.logits(last)) > 4.5).all()
    timid = CarliniWagner(searches=1, steps=150, first=100.0, rate=0.05, patience=1e9)
    *_, last = timid(known.box, misled(known.y), known.x)
    assert (misled(known.y).margin(known.box.logits(last)) < 4.5).all()


def test_a_radius_ends_a_row_at_its_first_success():
    known = linear("l2")
    wide = known.attacked(CarliniWagner(first=10.0, ball=Ball("l2", 5.0), rate=0.05))
    assert wide.success.all()
    assert (wide.queries < 100).all()


def test_another_norm_is_refused():
    with pytest.raises(UserError, match="give it an l2 ball"):
        pellucid.attack.evade.carlini_wagner.CarliniWagner(ball=Ball("linf"))
