"""The checks of an audit, and how its budget is shared among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, prod, sqrt

from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.attack.evade.pgd import PGD
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.needs import Attack
from pellucid.spec import Dense

JUDGE = 2  # questions a row that a run may put outside its budget: at the start and at the end
STEPS = 40  # of PGD
EPSILON = 0.1  # radius of the linf ball, of the input's range


@dataclass(frozen=True, kw_only=True)
class Check:
    """One attack of an audit."""

    name: str
    system: str  # its slug
    method: Attack
    ball: Ball  # accuracy is told of the rows that stay right in it
    most: int | None  # questions a row that it can use; None: any number


def checks(dense: Dense) -> tuple[Check, ...]:
    """The attacks on such inputs, with radii in their units.

    The l2 radius is half of what the corners of the linf ball are away.

    Raises:
        UserError: the inputs have no bounds, so no radius can be a share of their range.
    """
    span = dense.high - dense.low
    if not isfinite(span):
        raise UserError("An audit's radii are shares of the input's range: open it with bounds.")
    linf = Ball("linf", EPSILON * span)
    l2 = Ball("l2", EPSILON * span * sqrt(prod(dense.shape)) / 2)
    # 2.5 radii in all: the paper's 4/3 do not reach every corner from every start
    climbs = [PGD(ball=ball, steps=STEPS, step=2.5 / STEPS) for ball in (linf, l2)]
    return (
        *(
            Check(
                name=f"pgd-{climb.ball.norm}",
                system="pgd",
                method=climb,
                ball=climb.ball,
                most=climb.steps,
            )
            for climb in climbs
        ),
        Check(
            name="hopskipjump-l2", system="hopskipjump", method=HopSkipJump(), ball=l2, most=None
        ),
    )


def shares(budget: int, spent: int, rows: int, limits: Sequence[int | None]) -> list[int]:
    """Questions a row for each check, by its limit, so that all together stay within a budget.

    They are even; what one check cannot use goes to the others. What is spent already, the clean
    answers and the judges' questions come first.

    Raises:
        UserError: not one question a row and check would be left.
    """
    fixed = spent + rows * (1 + JUDGE * len(limits))
    left = (budget - fixed) // rows
    if left < len(limits):
        raise UserError(
            f"A budget of {budget} questions is too little for {rows} rows and {len(limits)} "
            f"attacks: give {fixed + rows * len(limits)} or more, or fewer rows."
        )
    most = [left if limit is None else limit for limit in limits]
    given = [0] * len(limits)
    for done, i in enumerate(sorted(range(len(limits)), key=most.__getitem__)):
        given[i] = min(most[i], left // (len(limits) - done))
        left -= given[i]
    return given
