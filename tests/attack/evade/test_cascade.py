"""Cascades: what one attack leaves, the next one gets, and nobody pays twice."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from tests.attack.evade.planes import affine, draws, plane

import pellucid
from pellucid.attack.evade.apgd import APGD
from pellucid.attack.evade.apgd_targeted import APGDTargeted
from pellucid.attack.evade.auto_attack import AutoAttack
from pellucid.attack.evade.cascade import Cascade
from pellucid.attack.evade.fab_targeted import FABTargeted
from pellucid.attack.evade.fgsm import FGSM
from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.attack.evade.pgd import PGD
from pellucid.attack.evade.pma import PMA
from pellucid.attack.evade.pma_plus import PMAPlus
from pellucid.attack.evade.square import Square
from pellucid.ball import Ball
from pellucid.box.protocols import LabelBox, WhiteBox, granted
from pellucid.errors import UserError
from pellucid.goals import misled
from pellucid.shapes import Batch

SMALL = Ball("linf", 1e-4)  # in which nothing is broken


def network(classes=6, rows=24):
    weights, x = draws(classes, 5, seed=1), draws(rows, 5, seed=3)
    box = affine(weights, draws(classes, seed=2))
    return box, x, box.labels(x)


def spent(method, box, x, y, budget=None):
    return pellucid.run(method, box, x, goal=misled(y), budget=budget)


def test_only_rows_that_the_first_left_are_attacked_by_the_second():
    box, x, y = network()
    first, second = PGD(ball=Ball("linf", 0.3), steps=3, step=0.2), PGD(ball=Ball("linf", 0.3))
    alone = spent(first, box, x, y)
    both = spent(Cascade(attacks=(first, second)), box, x, y)
    assert 0 < int(alone.success.sum()) < int(both.success.sum()) < len(x)
    early = both.queries <= 3
    assert alone.success[early].all()
    assert torch.equal(both.adversarial[early], alone.adversarial[early])
    whole = 3 + 1 + 40  # the look between the two is a query too
    assert both.queries[~both.success].unique().tolist() == [whole]
    assert both.gradients[~both.success].unique().tolist() == [whole - 1]


def test_a_last_iterate_that_only_the_look_finds_is_a_success():
    on = plane()
    ball = Ball("linf", 1.01 * on.radius("linf"))
    found = spent(Cascade(attacks=(FGSM(ball=ball), PGD(ball=ball))), on.box, on.x, on.y)
    assert found.success.all()
    assert found.queries.tolist() == [2] * len(on.x)  # the step, and the look at where it led
    assert found.judged.tolist() == [1] * len(on.x)


def test_a_success_outside_the_ball_keeps_a_row_in():
    box, x, y = network()
    attacks = (FABTargeted(ball=SMALL, steps=5, targets=2), Square(ball=SMALL, steps=7))
    found = spent(Cascade(attacks=attacks), box, x, y)
    fab = spent(attacks[0], box, x, y)
    assert not found.success.any()
    assert torch.equal(found.queries, fab.queries + 1 + 7)


@dataclass(frozen=True, kw_only=True)
class Onlooker:
    """Says what it is granted by failing on it."""

    ball: Ball = SMALL  # where

    def __call__(self, box: LabelBox, x: Batch) -> Iterator[Batch]:
        assert granted(box) is LabelBox
        box.labels(x)
        half = torch.arange(len(x)) % 2 == 0
        box[half].labels(x[half])
        yield x


@dataclass(frozen=True, kw_only=True)
class Insider(Onlooker):
    """Wants the network."""

    def __call__(self, box: WhiteBox, x: Batch) -> Iterator[Batch]:
        yield 0 * x + box.module(x).amax()


def test_a_part_sees_no_more_than_it_names_and_asks_about_its_own_rows():
    box, x, y = network()
    found = spent(Cascade(attacks=(Onlooker(), Onlooker())), box, x, y)
    assert found.queries.tolist() == [2 + 1 + 2, 1 + 1 + 1] * (len(x) // 2)


@pytest.mark.parametrize("budget", [0, 1, 25, 26, 27, 60, 500])
def test_no_row_passes_the_budget_wherever_it_ends(budget):
    box, x, y = network()
    box.rows = 0
    found = spent(PMAPlus(ball=Ball("linf", 0.05), steps=12), box, x, y, budget)
    assert (found.queries <= budget).all()
    assert box.rows == int(found.queries.sum() + found.judged.sum())


def test_pma_plus_costs_what_it_says():
    box, x, y = network()
    found = spent(PMAPlus(ball=SMALL, steps=10, targets=3), box, x, y)
    assert found.queries.tolist() == [2 * 10 + 3 * 11 + 2] * len(x)
    assert found.gradients.tolist() == [(2 + 3) * 10] * len(x)
    more = spent(PMAPlus(ball=SMALL, steps=10, targets=3, fab=True), box, x, y)
    assert (more.queries > found.queries).all()
    assert (more.queries <= found.queries + 1 + 3 * 14).all()


def test_auto_attack_is_its_four_attacks_in_order():
    box, x, y = network()
    method = AutoAttack(ball=SMALL, steps=10, targets=2, queries=30)
    kinds = [type(attack) for attack in method.cascade().attacks]
    assert kinds == [APGD, APGDTargeted, FABTargeted, Square]
    found = spent(method, box, x, y)
    assert (found.queries >= 10 + 1 + 2 * 11 + 1 + 2 * 2 + 1 + 30).all()
    assert (found.queries <= 10 + 2 * 11 + 2 * 14 + 30 + 3).all()


@pytest.mark.slow
def test_the_whole_is_no_weaker_than_any_part():
    box, x, y = network(rows=60)
    ball = Ball("linf", 0.4)
    whole = spent(AutoAttack(ball=ball, steps=15, queries=60), box, x, y)
    for part in AutoAttack(ball=ball, steps=15, queries=60).cascade().attacks:
        assert int(whole.success.sum()) >= int(spent(part, box, x, y).success.sum())


def test_what_cannot_be_joined_is_said():
    with pytest.raises(UserError, match="name one or more"):
        Cascade(attacks=())
    with pytest.raises(UserError, match="HopSkipJump needs more: run it by itself"):
        Cascade(attacks=(PMA(), HopSkipJump(ball=PMA().ball)))
    with pytest.raises(UserError, match="Insider needs more"):
        Cascade(attacks=(Insider(),))
    with pytest.raises(UserError, match="one ball with a radius"):
        Cascade(attacks=(PMA(), APGD(ball=Ball("linf", 0.1))))
    with pytest.raises(UserError, match="one ball with a radius"):
        Cascade(attacks=(FABTargeted(),))
    for method in (PMAPlus, AutoAttack):
        with pytest.raises(UserError, match="give the ball a radius"):
            method(ball=Ball("l2"))
