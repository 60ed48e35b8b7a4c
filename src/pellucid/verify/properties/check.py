"""Checks a property: verifiers in turn, against a budget and the clock, until one decides."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol, runtime_checkable

from pellucid.box.protocols import LADDER, granted
from pellucid.errors import UserError
from pellucid.ledger import Cost, OutOfQueries, OutOfTime
from pellucid.verify.properties.bisect import Bisect
from pellucid.verify.properties.falsify import Falsify
from pellucid.verify.properties.instance import Instance
from pellucid.verify.properties.property import Property
from pellucid.verify.properties.raw import Raw
from pellucid.verify.properties.verdict import Verdict


@runtime_checkable
class Verifier(Protocol):
    """What tries to decide a property."""

    @property
    def access(self) -> type:
        """The least box that it must be shown."""
        ...

    # (instance, seed): what is known so far, as often as can be; the last item is the result
    __call__: Callable[..., Iterator[Verdict]]


# bounds of whole regions cost no question, so they come first
VERIFIERS: tuple[Verifier, ...] = (Bisect(most_inputs=0), Falsify(), Bisect())


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What is known of a property, and what it cost to know."""

    verdict: Verdict
    cost: Cost
    seconds: float


def check_property(
    model: Raw,
    question: Property,
    *,
    budget: int | None = 50_000,
    seconds: float | None = 60.0,
    seed: int = 0,
    verifiers: Sequence[Verifier] = VERIFIERS,
) -> Checked:
    """Decide a property, if it can be done so.

    Args:
        model: as `pellucid.verify.properties.raw.raw` makes it of an opened model.
        question: as `pellucid.verify.properties.vnnlib.read` reads it.
        budget: questions in all, those that replay a counterexample included.
        seconds: when to stop; each verifier but the last has half of what is left. A stop by the
            clock is not reproducible.
        seed: decides what is drawn.
        verifiers: who tries, in this order; one that needs more than is granted is left out.

    Raises:
        BadProperty: the property speaks of another model.
    """
    began = time.monotonic()
    if seconds is not None and not seconds > 0:
        raise UserError(f"A property is checked in some seconds, above 0, not in {seconds}.")
    end = inf if seconds is None else began + seconds
    instance = Instance(model, question, budget=budget, deadline=end)
    allowed = [v for v in verifiers if LADDER.index(v.access) <= LADDER.index(granted(model.box))]
    verdict = Verdict(answer="unknown", reason="no verifier can work with so little access")
    for verifier in allowed:
        now = time.monotonic()
        until = end if verifier is allowed[-1] else now + (end - now) / 2
        verdict = _asked(verifier, instance, seed, until)
        if verdict.decided:
            break
    took = time.monotonic() - began
    return Checked(verdict=verdict, cost=instance.cost, seconds=took)


def _asked(verifier: Verifier, instance: Instance, seed: int, until: float) -> Verdict:
    """What a verifier finds out in time."""
    verdict = Verdict(answer="unknown", reason="there was no time")
    try:
        for verdict in verifier(instance, seed):
            if verdict.decided:
                return verdict
            if time.monotonic() > until:
                return Verdict(answer="unknown", reason=f"the time was over, and {verdict.reason}")
    except OutOfQueries:
        return Verdict(answer="unknown", reason=f"the budget was spent, and {verdict.reason}")
    except OutOfTime:
        return Verdict(answer="unknown", reason=f"the time was over, and {verdict.reason}")
    return verdict
