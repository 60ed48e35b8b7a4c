"""What a run cost, row by row."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.shapes import Counts

UNLIMITED = 2**62


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What was asked of the model."""

    queries: int = 0  # questions, the judge's included
    gradients: int = 0  # rows that went backwards
    calls: int = 0  # requests, however many rows each carried

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            queries=self.queries + other.queries,
            gradients=self.gradients + other.gradients,
            calls=self.calls + other.calls,
        )


class OutOfQueries(Exception):
    """No row can pay for another question: the run is over, and nothing is lost."""


class OutOfTime(Exception):
    """The clock has stopped the run."""


class Ledger:
    """The books of one spender on one box.

    A question costs a query a row, an answer bought is `paid`, a row that goes backwards is a
    gradient, and a request to the model, however many rows it carries, is a call. A row that has
    spent its budget, or is `closed`, asks for nothing more.
    """

    def __init__(self, rows: int, budget: int | None = None, closed: Tensor | None = None) -> None:
        """Open books for so many rows; spenders on several boxes may share `closed`."""
        self.budget = UNLIMITED if budget is None else budget
        self.queries: Counts = torch.zeros(rows, dtype=torch.long)
        self.gradients: Counts = torch.zeros(rows, dtype=torch.long)
        self.paid: Counts = torch.zeros(rows, dtype=torch.long)
        self.calls = 0
        self.closed = torch.zeros(rows, dtype=torch.bool) if closed is None else closed
        self.invalid = torch.zeros(rows, dtype=torch.bool)  # rows with a non-finite answer

    @property
    def cost(self) -> Cost:
        """All that was asked so far."""
        return Cost(
            queries=int(self.queries.sum()), gradients=int(self.gradients.sum()), calls=self.calls
        )

    def left(self) -> Counts:
        """How many more questions each row can ask."""
        return (self.budget - self.queries).masked_fill(self.closed, 0)
