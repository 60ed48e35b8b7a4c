"""Queries of an explainer: a row's question is answered whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf, prod

import torch
from torch import Tensor

from pellucid.answers import Answers
from pellucid.box.protocols import Kind, NoBox
from pellucid.box.window import Window
from pellucid.ledger import Ledger, OutOfQueries
from pellucid.rows import Rows
from pellucid.shapes import RowNumbers


class Allowance(Window):
    """A window whose rows leave when they cannot pay for all the probes of a question.

    Half an answer explains nothing, so nothing is spent on it. Only the rows at work are open:
    they alone share what goes through the network itself.
    """

    def __init__(
        self,
        box: NoBox,
        rows: int,
        budget: int | None,
        *,
        answers: Answers | None = None,
        deadline: float = inf,  # on the monotonic clock
    ) -> None:
        """Open books for so many rows, none of them at work yet."""
        closed = torch.ones(rows, dtype=torch.bool)
        super().__init__(
            box, Ledger(rows, budget, closed=closed), answers=answers, deadline=deadline
        )
        self.short = torch.zeros(rows, dtype=torch.bool)  # rows that have left
        self._working = torch.arange(0)

    @contextmanager
    def working(self, rows: RowNumbers) -> Iterator[None]:
        """Put rows to work, until they are done or none of them can go on."""
        self._working, self.ledger.closed[rows] = rows, False
        try:
            yield
        except OutOfQueries:
            self.short[rows] = True
        finally:
            self.ledger.closed[rows] = True

    def ask(self, kind: Kind, x: Rows, rows: Tensor | None, /) -> Tensor:
        """Answer x (*probes, rows, *shape); NaN or -1 for rows that cannot pay for it."""
        asking = self._working if rows is None else rows
        lead = self.spec.input.lead(x)
        poor = self.ledger.left()[asking] < prod(lead[:-1])
        self.short[asking[poor]] = self.ledger.closed[asking[poor]] = True
        if bool(poor.all()) and not bool(self.short[self._working].all()):
            return self.spec.no_answer(self._nothing(kind), lead)  # others may still go on
        return super().ask(kind, x, asking)
