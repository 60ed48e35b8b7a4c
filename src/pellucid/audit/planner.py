"""The planner: which checks of a plan can be made, and how many questions each may ask."""

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.audit.access import named
from pellucid.audit.check import STAGES, Check, Ground, Price, stage_of
from pellucid.audit.finding import NotTested
from pellucid.box.protocols import LADDER, granted
from pellucid.errors import UserError

ANY = 2**40  # questions that a check may ask where nothing limits them


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A check that can be made, with its share of the budget."""

    check: Check
    price: Price
    budget: int  # questions in all


def planned(
    checks: Sequence[Check], ground: Ground, budget: int | None, spent: int
) -> tuple[tuple[Planned, ...], tuple[NotTested, ...]]:
    """The checks that spec, access and budget allow, and why the others are not among them.

    Every check gets the least that it needs, in the order of the plan while that can be paid;
    what is left is shared evenly among those that can use more.

    Args:
        checks: of the plan.
        ground: the model and the rows.
        budget: questions in all; None: as many as the checks can use.
        spent: questions that opening the model has cost.

    Raises:
        UserError: nothing that asks the model can be done.
    """
    grants, chosen, denied = granted(ground.box), [], []
    left = None if budget is None else budget - spent
    for check in checks:
        reason = _denied(check, grants) or check.refusal(ground)
        price = Price(least=0, most=0) if reason else check.price(ground)
        if reason is None and left is not None and price.least > left:
            reason = f"its {price.least:,} questions, which are more than the budget leaves"
        if reason is not None:
            denied.append(NotTested(check=check.name, reason=reason))
            continue
        chosen.append((check, price))
        left = None if left is None else left - price.least
    if not any(price.least for _, price in chosen):
        reasons = "; ".join(f"{one.check}: {one.reason}" for one in denied)
        raise UserError(f"Of this plan nothing can be tested ({reasons}).")
    shares = _shares([price for _, price in chosen], left)
    found = [
        Planned(check=check, price=price, budget=share)
        for (check, price), share in zip(chosen, shares, strict=True)
    ]
    return tuple(found), (*denied, *_missing(checks, ground))


def _denied(check: Check, grants: type) -> str | None:
    if LADDER.index(check.access) <= LADDER.index(grants):
        return None
    return f"it needs access '{named(check.access)}', which was not granted"


def _missing(checks: Sequence[Check], ground: Ground) -> list[NotTested]:
    """The stages of which the plan has no check at all."""
    reason = "the plan has no check of this stage" if len(ground.data) else "want of labelled rows"
    there = {stage_of(check.name) for check in checks}
    return [
        NotTested(check=stage, reason=reason)
        for stage in STAGES
        if stage not in there and stage != "property"  # which a specification brings
    ]


def _shares(prices: Sequence[Price], left: int | None) -> list[int]:
    """Questions in all for each check: its least, and an even part of what is left."""
    most = [ANY if price.most is None else price.most for price in prices]
    if left is None:
        return most
    given = [price.least for price in prices]
    wants = [m - g for m, g in zip(most, given, strict=True)]
    for done, i in enumerate(sorted(range(len(wants)), key=wants.__getitem__)):
        more = min(wants[i], left // (len(wants) - done))
        given[i], left = given[i] + more, left - more
    return given
