"""FGSM against linear models, where one step is all it takes."""

import inspect

import pytest
import torch
from tests.attack.evade.planes import clipped, plane

import pellucid
from pellucid.attack.evade.fgsm import FGSM
from pellucid.attack.evade.pgd import PGD
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.testing.driving import driven
from pellucid.testing.subjects import subject


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize(("share", "wins"), [(1.01, True), (0.99, False)])
def test_the_exact_radius_of_a_plane_decides(norm, share, wins):
    on = plane()
    method = FGSM(ball=Ball(norm, share * on.radius(norm)))
    found = pellucid.run(method, on.box, on.x, goal=pellucid.misled(on.y))
    assert found.success.tolist() == [wins] * len(on.x)
    assert found.queries.tolist() == found.gradients.tolist() == [1] * len(on.x)
    assert found.judged.tolist() == [2] * len(on.x)  # the clean row, and where the step leads


def test_with_bounds_a_row_succeeds_just_where_a_corner_of_the_clipped_cube_does():
    box, x, y, over = clipped(radius=0.2)
    found = pellucid.run(FGSM(ball=Ball("linf", 0.2)), box, x, goal=pellucid.misled(y))
    assert torch.equal(found.success, over)


@pytest.mark.parametrize("ball", [Ball("linf", 0.1), Ball("l2", 0.7)], ids=lambda ball: ball.norm)
def test_it_is_one_step_of_pgd_bit_for_bit(ball):
    on = subject()
    (ours,) = driven(FGSM(ball=ball), on).iterates
    (theirs,) = driven(PGD(ball=ball, steps=1, step=1.0, random=False), on).iterates
    assert torch.equal(ours, theirs)


def test_it_draws_nothing():
    assert "rng" not in inspect.signature(FGSM.__call__).parameters


def test_a_ball_without_radius_is_refused():
    with pytest.raises(UserError, match="give the ball a radius"):
        FGSM(ball=Ball("l2"))
