"""The strongest attack that the house knows, by what may be seen, where to stay, and what to spend.

Costs are those of a row that nothing breaks. What is picked follows the claims of `pma`
and `cgba`.
"""

from pellucid.attack.evade.apgd import APGD
from pellucid.attack.evade.apgd_targeted import APGDTargeted
from pellucid.attack.evade.cascade import Cascade
from pellucid.attack.evade.cgba import CGBA
from pellucid.attack.evade.fab_targeted import FABTargeted
from pellucid.attack.evade.fmn import FMN
from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.attack.evade.pma import PMA, Space
from pellucid.attack.evade.square import Square
from pellucid.ball import Ball
from pellucid.box.protocols import Access
from pellucid.errors import UserError
from pellucid.needs import Attack

STEPS = 100  # of a climb, as in the papers
LEAST = 20  # a climb of PMA that is worth its two halves
SQUARE = 5000  # queries of Square in AutoAttack
FMN_STEPS = 1000  # without a budget


def strongest(
    access: Access, ball: Ball, budget: int | None = None, *, space: Space = "probabilities"
) -> Attack:
    """The attack to use.

    With gradients, in a ball: PMA, then as far as the budget goes targeted APGD, targeted FAB and
    Square on what is left (below 40 queries APGD alone); the nearest success by FMN. With scores,
    in a ball, Square; otherwise in l2 CGBA, which its claim finds nearer on colour and level on
    grey, and HopSkipJump in other norms.

    Args:
        access: what the box grants.
        ball: where to stay; without a radius the nearest success is sought.
        budget: queries a row may make; None for no limit.
        space: where PMA takes margins; logits for a model whose softmax is saturated (`traps`).

    Raises:
        UserError: nothing can be asked.
    """
    if access == "none" or budget == 0:
        raise UserError(
            "Without a question there is no attack: grant labels at least, and a budget."
        )
    if access in ("gradient", "white"):
        return _nearest(ball, budget) if ball.radius is None else _inside(ball, budget, space)
    if access == "score" and ball.radius is not None:
        return Square(ball=ball, steps=budget)
    return CGBA(ball=ball) if ball.norm == "l2" else HopSkipJump(ball=ball)


def _nearest(ball: Ball, budget: int | None) -> Attack:
    return FMN(ball=ball, steps=budget or FMN_STEPS)


def _inside(ball: Ball, budget: int | None, space: Space) -> Attack:
    """The cascade, cut where the budget ends."""
    if budget is not None and budget < 2 * LEAST:
        return APGD(ball=ball, steps=budget)
    whole = 2 * STEPS + 2
    if budget is not None and budget < whole + STEPS + 2:
        return PMA(ball=ball, steps=min(STEPS, (budget - 1) // 2), space=space)
    first = PMA(ball=ball, steps=STEPS, space=space)
    return Cascade(attacks=(first, *_targeted(ball, budget, whole)))


def _targeted(ball: Ball, budget: int | None, spent: int) -> tuple[Attack, ...]:
    """What comes after PMA: at least one class is aimed at."""
    each, fab = STEPS + 1, 9 * (STEPS + 4) + 1
    targets = 9 if budget is None else min(9, (budget - spent) // each)
    apgd = APGDTargeted(ball=ball, steps=STEPS, targets=targets)
    spent += 9 * each + 1
    if budget is not None and budget < spent + fab:
        return (apgd,)
    left = SQUARE if budget is None else min(SQUARE, budget - spent - fab)
    square = (Square(ball=ball, steps=left),) if left >= STEPS else ()
    return (apgd, FABTargeted(ball=ball, steps=STEPS), *square)
