"""The losses that attacks climb, against the formulas of their papers."""

from decimal import Decimal, localcontext

import pytest
import torch
from tests.attack.evade.planes import affine, draws

from pellucid.attack.evade._losses import (
    LOSSES,
    climbing,
    dlr,
    probability_margin,
    targeted_dlr,
)
from pellucid.goals import hit, misled

LOGITS = draws(50, 7, seed=5)
Y = torch.arange(50) % 7
FIRST, SECOND, THIRD, FOURTH = LOGITS.sort(dim=1, descending=True).values.T[:4]
EACH = torch.arange(50)


def test_dlr_is_equation_6():
    own = LOGITS[EACH, Y]
    other = torch.where(own == FIRST, SECOND, FIRST)
    expected = -(own - other) / (FIRST - THIRD)
    torch.testing.assert_close(dlr(misled(Y), LOGITS), expected)


def test_targeted_dlr_is_equation_7_wherever_the_model_is_right():
    y, target = LOGITS.argmax(1), LOGITS.argsort(1)[EACH, EACH % 6]  # any but the first
    expected = -(LOGITS[EACH, y] - LOGITS[EACH, target]) / (FIRST - (THIRD + FOURTH) / 2)
    torch.testing.assert_close(targeted_dlr(hit(target), LOGITS), expected)


@pytest.mark.parametrize("loss", [dlr, targeted_dlr])
@pytest.mark.parametrize("goal", [misled(Y), hit(Y), ~hit(Y) & misled((Y + 1) % 7)])
def test_neither_scale_nor_shift_matters(loss, goal):
    torch.testing.assert_close(loss(goal, 1e3 * LOGITS - 40), loss(goal, LOGITS))


@pytest.mark.parametrize("loss", [*LOSSES.values(), targeted_dlr])
@pytest.mark.parametrize("classes", [2, 3, 4, 7])
def test_any_number_of_classes_has_a_slope(loss, classes):
    logits = LOGITS[:, :classes].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(hit(Y % classes), logits).sum(), logits)
    assert gradient.isfinite().all()
    if classes != 3 or loss is not dlr:  # of three the last's lag is all of the scale
        assert (gradient != 0).any(1).all()


@pytest.mark.parametrize("loss", [*LOSSES.values(), targeted_dlr])
def test_equal_logits_have_a_finite_slope(loss):
    logits = torch.zeros(3, 5, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(misled(Y[:3]), logits).sum(), logits)
    assert gradient.isfinite().all()


def test_climbing_tells_the_loss_and_its_gradient():
    weights, x = draws(7, 4, seed=6), draws(50, 4, seed=7)
    value, gradient = climbing(affine(weights, draws(7, seed=8)), dlr, misled(Y), x)
    step = 1e-6 * draws(50, 4, seed=9)
    further, _ = climbing(affine(weights, draws(7, seed=8)), dlr, misled(Y), x + step)
    torch.testing.assert_close(further - value, (gradient * step).sum(1), rtol=1e-3, atol=1e-9)
    assert not value.requires_grad


@pytest.mark.slow
@pytest.mark.parametrize("lead", [1, 30, 300])
def test_the_probability_margin_climbs_as_exact_arithmetic_would(lead):
    y = LOGITS.argmax(1)
    logits = (lead * LOGITS).float().requires_grad_()
    value = probability_margin(misled(y), logits)
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    for row, own in enumerate(y.tolist()):
        exact = slope_in_digits([Decimal(z) for z in logits[row].tolist()], own)
        most = max(abs(slope) for slope in exact)
        expected = torch.tensor([float(slope / most) for slope in exact])
        torch.testing.assert_close(gradient[row], expected, rtol=1e-5, atol=1e-30)
    softmax = logits.detach().double().softmax(1)
    torch.testing.assert_close(value, misled(y).margin(softmax), rtol=1e-9, atol=1e-12)


def slope_in_digits(logits, own):
    """The gradient of max p_j - p_y by the logits, in a thousand digits."""
    with localcontext(prec=1000):
        odds = [z.exp() for z in logits]
        p = [o / sum(odds) for o in odds]
        best = max((i for i in range(len(p)) if i != own), key=lambda i: p[i])
        return [
            p[best] * ((i == best) - p[i]) - p[own] * ((i == own) - p[i]) for i in range(len(p))
        ]
