"""What a check of an audit is: it can be refused, priced, and run."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Literal, Protocol, get_args, runtime_checkable

from pellucid.answers import Answers
from pellucid.audit.finding import Found
from pellucid.audit.severity import Limits
from pellucid.box.protocols import NoBox
from pellucid.data import Dataset
from pellucid.opening import Opened
from pellucid.progress import Listener

Stage = Literal["clean", "falsify", "property", "prove", "explain", "forensics"]
STAGES: tuple[Stage, ...] = get_args(Stage)  # in the order in which they run


class CannotTest(Exception):
    """What a check needs is not there, which shows only as it runs; the message is the reason."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """Questions in all that a check puts to the model."""

    least: int  # with fewer it cannot run
    most: int | None  # for more it has no use; None: it can use any number


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """What all checks of an audit share."""

    box: NoBox  # shows what the audit was granted
    data: Dataset
    limits: Limits
    seed: int = 0
    answers: Answers | None = None  # what they hold is not bought again
    unfinished: Path | None = None  # a folder for checkpoints, by which a killed check goes on
    progress: bool | Listener = False
    deadline: float = inf  # on the monotonic clock
    earlier: Mapping[str, Found] = field(default_factory=dict)  # by check, in their order
    opened: Opened | None = None  # the model, where it was opened here and not handed over boxed

    def part(self, title: str, done: int, of: int) -> bool | Listener:
        """Whom to tell of one of so many parts of the work; False: nobody."""
        listener = self.progress
        if isinstance(listener, bool):
            return listener
        return lambda p: listener(replace(p, title=title, share=(done + p.share) / of))


@runtime_checkable
class Check(Protocol):
    """A check: a frozen dataclass whose fields a plan may set."""

    @property
    def name(self) -> str:
        """Its stage and name, such as "clean.calibration"."""
        ...

    @property
    def access(self) -> type:
        """The least box that it must be shown."""
        ...

    def refusal(self, ground: Ground, /) -> str | None:
        """Why this model or these rows cannot be checked so; None: they can.

        A clause that reads on after "Not tested: ..., for". Nothing is asked.
        """
        ...

    def price(self, ground: Ground, /) -> Price:
        """What it would cost, before anything is asked."""
        ...

    def __call__(self, ground: Ground, budget: int, /) -> Found:
        """Run with at most so many questions in all, the judge's included.

        Raises:
            CannotTest: with the reason why this check cannot be made here.
            OutOfTime: the deadline has passed.
        """
        ...


def stage_of(check: str) -> Stage:
    """The stage in which a check of this name runs."""
    return next(stage for stage in STAGES if check.startswith(f"{stage}."))
