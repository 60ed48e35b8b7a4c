"""The strongest attack fits the access, the ball and the budget."""

import pytest
import torch
from tests.attack.evade.planes import affine, draws

import pellucid
from pellucid.attack.evade.apgd import APGD
from pellucid.attack.evade.cascade import Cascade
from pellucid.attack.evade.cgba import CGBA
from pellucid.attack.evade.fmn import FMN
from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.attack.evade.pma import PMA
from pellucid.attack.evade.square import Square
from pellucid.attack.strongest import strongest
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.goals import misled

LINF, NEAREST = Ball("linf", 0.1), Ball("l2")


@pytest.mark.parametrize(
    ("access", "ball", "budget", "expected"),
    [
        ("gradient", LINF, 39, APGD(ball=LINF, steps=39)),
        ("gradient", LINF, 101, PMA(ball=LINF, steps=50)),
        ("white", LINF, 303, PMA(ball=LINF)),
        ("gradient", NEAREST, 70, FMN(ball=NEAREST, steps=70)),
        ("white", NEAREST, None, FMN(ball=NEAREST, steps=1000)),
        ("score", LINF, 900, Square(ball=LINF, steps=900)),
        ("score", LINF, None, Square(ball=LINF)),
        ("score", NEAREST, 900, CGBA(ball=NEAREST)),
        ("label", LINF, 900, HopSkipJump(ball=LINF)),
        ("label", NEAREST, None, CGBA(ball=NEAREST)),
    ],
)
def test_what_is_picked(access, ball, budget, expected):
    assert strongest(access, ball, budget) == expected


@pytest.mark.parametrize(
    ("budget", "targets", "parts"),
    [(304, 1, 2), (505, 3, 2), (1200, 9, 2), (2100, 9, 3), (2200, 9, 4), (None, 9, 4)],
)
def test_a_cascade_goes_as_far_as_the_budget(budget, targets, parts):
    method = strongest("gradient", LINF, budget)
    assert isinstance(method, Cascade)
    names = ["PMA", "APGDTargeted", "FABTargeted", "Square"]
    assert [type(attack).__name__ for attack in method.attacks] == names[:parts]
    assert vars(method.attacks[1])["targets"] == targets


@pytest.mark.slow
@pytest.mark.parametrize(
    "budget",
    [
        10,
        39,
        150,
        304,
        pytest.param(1111, marks=pytest.mark.slow),
        pytest.param(2600, marks=pytest.mark.slow),
    ],
)
def test_a_row_that_nothing_breaks_is_not_cut_off(budget):
    classes = 10
    box = affine(draws(classes, 5, seed=1), draws(classes, seed=2))
    x = draws(4, 5, seed=3)
    method = strongest("gradient", Ball("linf", 1e-5), budget)
    found = pellucid.run(method, box, x, goal=misled(box.labels(x)), budget=budget)
    assert not found.success.any()
    assert set(found.status) <= {"done", "budget spent"}
    last = method.attacks[-1] if isinstance(method, Cascade) else method
    whole = pellucid.run(method, box, x, goal=misled(box.labels(x)), budget=None)
    assert torch.equal(whole.queries, found.queries)
    assert (found.queries >= budget / 2).all(), last


@pytest.mark.parametrize("budget", [100, 2000])
def test_margins_are_taken_in_logits_where_a_softmax_is_saturated(budget):
    method = strongest("gradient", LINF, budget, space="logits")
    first = method.attacks[0] if isinstance(method, Cascade) else method
    assert isinstance(first, PMA)
    assert first.space == "logits"


def test_nothing_can_be_asked():
    for access, budget in (("none", None), ("gradient", 0)):
        with pytest.raises(UserError, match="Without a question there is no attack"):
            strongest(access, LINF, budget)
