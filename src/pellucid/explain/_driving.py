"""What drivers of explainers and of metrics share: some rows at a time, and the books of it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from math import inf
from typing import Generic, TypeVar

import torch
from torch import Tensor

from pellucid.answers import Answers
from pellucid.box.protocols import NoBox, WhiteBox, demand
from pellucid.box.views import VIEWS
from pellucid.errors import UserError
from pellucid.explain._allowance import Allowance
from pellucid.explain.targets import Target
from pellucid.needs import Needs
from pellucid.progress import Listener, Progress, listening
from pellucid.rng import Streams, ids_of
from pellucid.runner import NUMBERS_AT_ONCE, ROWS_AT_ONCE, check_rows
from pellucid.runs import Status
from pellucid.shapes import Batch, Counts, RowNumbers

Parts = Mapping[str, Callable[[RowNumbers], object]]  # what a method may ask for about some rows

Said = TypeVar("Said")


@dataclass(frozen=True, eq=False, kw_only=True)
class Driven:
    """What was said of n rows, and what it cost."""

    kept: dict[str, Tensor]  # of each part the latest whole one of each row, else NaN
    status: tuple[Status, ...]  # "not reached" where there was nothing to ask about
    queries: Counts
    gradients: Counts
    paid: Counts
    calls: int
    seconds: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Drive(Generic[Said]):
    """A method, the rows that it is led over, and on what terms.

    Raises:
        UserError: in a sentence, for anything that does not fit together.
    """

    method: Callable[..., Iterator[Said]]  # each thing it says replaces the one before
    wants: Needs
    box: NoBox
    x: Batch
    target: Target
    budget: int | None
    seed: int
    ids: Sequence[str] | None
    answers: Answers | None
    batch: int | None
    deadline: float = inf  # on the monotonic clock
    progress: bool | Listener | None

    def __post_init__(self) -> None:
        """Say what is wrong with the question itself before it is paid."""
        demand(self.name, self.wants.box, self.box)
        check_rows("The input", self.x, self.box)
        self.target.check(self.box.spec, len(self.x))
        if self.budget is not None and self.budget < 0:
            raise UserError(f"A budget is a number of queries, 0 or more, but it is {self.budget}.")
        if self.ids is not None and len(self.ids) != len(self.x):
            raise UserError(
                f"There are {len(self.ids)} ids for {len(self.x)} rows: give one a row."
            )

    @property
    def name(self) -> str:
        """What the method is called."""
        return type(self.method).__name__

    def over(
        self, rows: RowNumbers, parts: Parts, read: Callable[[Said], Mapping[str, Tensor | None]]
    ) -> Driven:
        """Lead the method over some rows, and keep the latest that it says of each.

        Args:
            rows: which rows; of the others nothing is asked.
            parts: what it may ask for by name besides box, x, target and rng.
            read: what it says of m rows, by name: each (m, ...), or None where it has none.

        Raises:
            OutOfTime: the deadline has passed.
        """
        began = time.monotonic()
        window = Allowance(
            self.box, len(self.x), self.budget, answers=self.answers, deadline=self.deadline
        )
        kept = _Kept(rows=len(self.x))
        with listening(self.progress) as listener, self._guard(window):
            done = 0
            for some in rows.split(self._at_once()):
                with window.working(some):
                    for said in self._ask(window, some, parts):
                        kept.keep(some, ~window.short[some], read(said))
                done += len(some)
                if listener:
                    note = f"{done} of {len(rows)} rows"
                    listener(Progress(title=self.name, share=done / len(rows), note=note))
        return Driven(
            kept=kept.parts,
            status=_statuses(window, rows),
            queries=window.ledger.queries,
            gradients=window.ledger.gradients,
            paid=window.ledger.paid,
            calls=window.ledger.calls,
            seconds=time.monotonic() - began,
        )

    def _ask(self, window: Allowance, rows: RowNumbers, parts: Parts) -> Iterator[Said]:
        """What the method says of some rows, given just what its signature names."""
        supplied = {
            "x": lambda some: self.x[some],
            "target": lambda some: self.target[some],
            "rng": self._streams,
            **parts,
        }
        view = VIEWS[self.wants.box](window, rows)
        asked = {part: supplied[part](rows) for part in self.wants.names - {"box"}}
        yield from self.method(box=view, **asked)

    def _streams(self, rows: RowNumbers) -> Streams:
        """The random streams of some rows, by their ids."""
        ids = self.ids
        names = ids_of(self.x[rows]) if ids is None else [ids[int(row)] for row in rows]
        return Streams(self.seed, names, self.x)

    def _at_once(self) -> int:
        """How many rows are worked on together."""
        most = self.box.spec.rows_per_call
        if self.batch is not None:
            return min(self.batch, most)
        return max(1, min(ROWS_AT_ONCE, most, NUMBERS_AT_ONCE // (100 * self.x[0].numel())))

    def _guard(self, window: Allowance) -> AbstractContextManager[None]:
        """Over a network that the method is shown: its passes count, its weights stay."""
        return window.guarding(self.name) if self.wants.box is WhiteBox else nullcontext()


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """The latest whole parts of each row; NaN where there is none."""

    rows: int
    parts: dict[str, Tensor] = field(default_factory=dict)

    def keep(self, rows: RowNumbers, whole: Tensor, said: Mapping[str, Tensor | None]) -> None:
        """Take what is new of the rows of which everything was answered."""
        if not bool(whole.any()):
            return
        for name, new in said.items():
            if new is not None:
                if name not in self.parts:
                    self.parts[name] = new.new_full((self.rows, *new.shape[1:]), torch.nan)
                self.parts[name][rows[whole]] = new.detach()[whole]


def _statuses(window: Allowance, rows: RowNumbers) -> tuple[Status, ...]:
    """How each row ended."""
    reached = torch.zeros_like(window.short).index_fill_(0, rows, True)
    ends = zip(reached.tolist(), window.ledger.invalid.tolist(), window.short.tolist(), strict=True)
    return tuple(
        Status.PENDING
        if not there
        else Status.INVALID
        if invalid
        else Status.SPENT
        if short
        else Status.DONE
        for there, invalid, short in ends
    )
