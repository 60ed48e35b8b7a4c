"""MI-FGSM against linear models, and against the paper's recursion written out."""

import itertools

import pytest
import torch
from tests.attack.evade.planes import clipped, draws, plane
from torch import nn

import pellucid
from pellucid.attack.evade.mi_fgsm import MIFGSM
from pellucid.attack.evade.pgd import PGD
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.testing.driving import driven
from pellucid.testing.subjects import subject


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize(("share", "wins"), [(1.01, True), (0.99, False)])
def test_the_exact_radius_of_a_plane_decides(norm, share, wins):
    on = plane()
    method = MIFGSM(ball=Ball(norm, share * on.radius(norm)))
    found = pellucid.run(method, on.box, on.x, goal=pellucid.misled(on.y))
    assert found.success.tolist() == [wins] * len(on.x)
    if not wins:
        assert found.queries.tolist() == found.gradients.tolist() == [10] * len(on.x)
        assert found.judged.tolist() == [2] * len(on.x)  # the clean row, and the last iterate


def test_with_bounds_a_row_succeeds_just_where_a_corner_of_the_clipped_cube_does():
    box, x, y, over = clipped(radius=0.2)
    found = pellucid.run(MIFGSM(ball=Ball("linf", 0.2)), box, x, goal=pellucid.misled(y))
    assert torch.equal(found.success, over)


@pytest.mark.parametrize("decay", [0.0, 0.5, 1.0])
def test_the_recursion_of_the_paper_row_by_row(decay):
    module = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 3)).double()
    for weight, seed in zip(module.parameters(), itertools.count(), strict=False):
        weight.data = 2 * draws(*weight.shape, seed=seed)
    x, radius, steps = draws(5, 6, seed=9), 1.5, 8
    y = module(x).argmax(1)
    box = pellucid.open(module, access="gradient", shape=(6,), emits="logits")
    method = MIFGSM(ball=Ball("linf", radius), steps=steps, decay=decay)
    iterates = [z.clone() for z in method(box=box, goal=pellucid.misled(y), x=x)]
    assert len(iterates) == steps
    for row in range(len(x)):
        z, g = x[row], torch.zeros(6, dtype=torch.float64)
        for iterate in iterates:
            z = z.detach().requires_grad_()
            nn.functional.cross_entropy(module(z), y[row]).backward()
            g = decay * g + z.grad / z.grad.abs().sum()
            z = z.detach() + radius / steps * g.sign()
            torch.testing.assert_close(iterate[row], z, rtol=0, atol=1e-12)


def test_without_memory_it_is_pgd_bit_for_bit():
    on, ball = subject(), Ball("linf", 0.25)
    ours = driven(MIFGSM(ball=ball, steps=4, decay=0.0), on).iterates
    theirs = driven(PGD(ball=ball, steps=4, step=0.25, random=False), on).iterates
    assert all(itertools.starmap(torch.equal, zip(ours, theirs, strict=True)))


def test_a_gradient_of_zero_is_forgotten_not_spread():
    flat = nn.Linear(3, 2)
    flat.weight.data.zero_()
    box = pellucid.open(flat, access="gradient", shape=(3,), emits="logits")
    x = torch.rand(2, 3)
    found = [*MIFGSM(ball=Ball("linf", 0.1))(box=box, goal=pellucid.misled(box.labels(x)), x=x)]
    assert all(torch.equal(z, x) for z in found)


def test_a_ball_without_radius_is_refused():
    with pytest.raises(UserError, match="give the ball a radius"):
        MIFGSM(ball=Ball("l2"))
