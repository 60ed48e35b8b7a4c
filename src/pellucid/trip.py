"""One batch of rows on its way through a method, with all its books."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from pellucid.answers import Answers
from pellucid.box.protocols import NoBox, WhiteBox
from pellucid.box.views import VIEWS, LabelView
from pellucid.box.window import Window
from pellucid.goals import Goal
from pellucid.ledger import Ledger, OutOfQueries, OutOfTime
from pellucid.needs import Attack, Needs
from pellucid.rng import Streams
from pellucid.runs import Run, Status
from pellucid.shapes import Batch, Counts, RowNumbers, Verdicts
from pellucid.starts import Starter
from pellucid.watch import Best


class Trip:
    """Drives a method over rows that share their calls."""

    def __init__(
        self,
        method: Attack,
        wants: Needs,
        box: NoBox,
        x: Batch,
        goal: Goal,
        rng: Streams,
        *,
        budget: int | None,
        surrogates: Sequence[NoBox],
        start: Tensor | Starter,  # a start a row, or a way to find one
        data: tuple[Tensor, Tensor | None] | None,
        answers: Answers | None,
        deadline: float,  # on the monotonic clock; may be infinite
    ) -> None:
        """Open the books; nothing is asked yet."""
        self.method, self._wants, self._box = method, wants, box
        self._x, self._goal, self._rng, self._data, self._start = x, goal, rng, data, start
        self._began = time.monotonic()
        self._status = [Status.PENDING] * len(x)
        self.ledger = Ledger(len(x), budget)
        self._budget = budget
        self.best = Best(x, goal, method.ball, box.spec, self.ledger.closed)
        self._window = Window(box, self.ledger, watch=self.best, answers=answers, deadline=deadline)
        # given starts, clean answers and unasked last iterates: outside the budget
        self._judge = Window(box, Ledger(len(x)), watch=None, answers=answers)
        self._others = [
            Window(other, Ledger(len(x), closed=self.ledger.closed), deadline=deadline)
            for other in surrogates
        ]

    def steps(self) -> Iterator[int]:
        """Attack; yields the number of each step. Rows get their status as it is known."""
        every = torch.arange(len(self._x))
        try:
            live, last = self._still_unmet(every), None
            try:
                live, begin = self._find_starts(live)
                with self._guards():
                    for step, iterate in enumerate(self._iterates(live, begin), 1):
                        last = iterate
                        yield step
            except OutOfQueries:
                pass
            if last is not None:
                self._judge_last(live, last.detach().to(self._x))
        except OutOfTime:
            self._mark(self.ledger.closed.nonzero()[:, 0], Status.DONE)
            self._mark(every, Status.CLOCK)
            return
        self._mark(self.ledger.closed.nonzero()[:, 0], Status.DONE)
        self._mark((self.ledger.invalid & ~self.best.success).nonzero()[:, 0], Status.INVALID)
        if self._wants.box is not NoBox:
            spent = self.ledger.queries >= self.ledger.budget
            self._mark(spent.nonzero()[:, 0], Status.SPENT)
        self._mark(every, Status.DONE)

    def outcome(self, settings: str) -> Run:
        """What was found so far; rows that have not come to their end are `interrupted`."""
        self._mark(self.ledger.closed.nonzero()[:, 0], Status.DONE)
        self._mark(torch.arange(len(self._x)), Status.INTERRUPTED)
        blank = Run.blank(settings, self._x, len(self._others))
        none = (blank.found_row, blank.found_query, blank.found_distance)
        found = [torch.cat(parts) for parts in zip(none, *self.best.found, strict=True)]
        others, none_asked = self._others, blank.surrogate_queries[:0]
        return replace(
            blank,
            adversarial=self.best.points,
            success=self.best.success,
            status=tuple(self._status),
            queries=self.ledger.queries,
            gradients=self.ledger.gradients,
            paid=self.ledger.paid,
            judged=self._judge.ledger.queries,
            surrogate_queries=torch.cat([none_asked, *(o.ledger.queries[None] for o in others)]),
            surrogate_gradients=torch.cat(
                [none_asked, *(o.ledger.gradients[None] for o in others)]
            ),
            found_row=found[0],
            found_query=found[1],
            found_distance=found[2],
            calls=self.ledger.calls,
            judge_calls=self._judge.ledger.calls,
            seconds=time.monotonic() - self._began,
        )

    def _still_unmet(self, every: RowNumbers) -> Tensor:
        """The rows that do not meet the goal as they stand, once the judge has looked."""
        met = self._verdict(self._x, every)
        self._mark(every[self._judge.ledger.invalid], Status.INVALID)
        self._mark(every[met], Status.MET)
        self.ledger.closed |= self._judge.ledger.invalid | met
        return every[~self.ledger.closed]

    def _find_starts(self, live: RowNumbers) -> tuple[Tensor, dict[str, Batch]]:
        """The rows that have a start, and the starts, if the method wants any."""
        if "start" not in self._wants.names or not len(live):
            return live, {}
        if isinstance(self._start, Tensor):
            points = self._start[live]
            found = self._verdict(points, live)
            self._mark(live[~found], Status.BAD_START)
        else:
            view = LabelView(self._window, live)
            points, found = self._start(view, self._goal[live], self._x[live], self._rng[live])
            poor = live[~found]
            self._mark(poor[self.ledger.left()[poor] > 0], Status.NO_START)
            self._mark(poor, Status.SPENT)
        self.ledger.closed[live[~found]] = True
        return live[found], {"start": points[found]}

    def _iterates(self, live: Counts, begin: dict[str, Batch]) -> Iterator[Batch]:
        """What the method yields, given just what its signature names."""
        if not len(live):
            return
        supplies = {
            "goal": self._goal[live],
            "x": self._x[live],
            "rng": self._rng[live],
            "data": self._data,
            "budget": self._budget,
            **begin,
        }
        if self._wants.surrogates is not None:
            supplies["surrogates"] = [
                VIEWS[self._wants.surrogates](other, live) for other in self._others
            ]
        parts = {name: part for name, part in supplies.items() if name in self._wants.names}
        view = VIEWS[self._wants.box](self._window, live)
        yield from self.method(box=view, **parts)

    @contextmanager
    def _guards(self) -> Iterator[None]:
        """Over every network that the method is shown: its passes count, its weights stay."""
        shown = [self._window] if self._wants.box is WhiteBox else []
        if self._wants.surrogates is WhiteBox:
            shown += self._others
        with ExitStack() as guards:
            for window in shown:
                guards.enter_context(window.guarding(type(self.method).__name__))
            yield

    def _judge_last(self, live: Counts, last: Batch) -> None:
        """Judge the iterates that the method ended on and may never have asked about."""
        new = (last != self.best.points[live]).flatten(1).any(1)
        new &= ~self.ledger.closed[live] & self._box.spec.inside(last)
        if bool(new.any()):
            self._verdict(last[new], live[new])

    def _verdict(self, z: Batch, rows: Counts) -> Verdicts:
        """The judge's own question about rows, shown to the keeper of the best as query 0."""
        kind = "scores" if self._goal.needs_scores else "labels"
        answer = self._judge.ask(kind, z, rows)
        self.best(z, answer, rows, torch.zeros_like(rows))
        return self._goal[rows](answer)

    def _mark(self, rows: Counts, status: Status) -> None:
        """Give a status to those of the rows that have none."""
        for row in rows.tolist():
            if self._status[row] is Status.PENDING:
                self._status[row] = status
