"""What a run found, and what it cost."""

import json
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from pellucid.ball import Ball, NormName
from pellucid.errors import UserError
from pellucid.files import replacing
from pellucid.ledger import Cost
from pellucid.shapes import Batch, Counts, Each, Verdicts


class Status(StrEnum):
    """How a row ended."""

    DONE = "done"
    SPENT = "budget spent"
    MET = "met before the attack"
    NO_START = "no start found"
    BAD_START = "start does not meet the goal"
    INVALID = "the model's answer was not finite"
    CLOCK = "stopped by the clock"
    INTERRUPTED = "interrupted"
    PENDING = "not reached"


UNFINISHED = (Status.CLOCK, Status.INTERRUPTED, Status.PENDING)


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """The outcome of one method on n rows.

    A row that met the goal before the attack counts as a success at distance 0, for nothing.
    """

    settings: str  # JSON of method, seed, budget and rows: a run is resumed under these alone
    x: Batch  # the rows as given
    adversarial: Batch  # the best found; x where nothing was
    success: Verdicts
    status: tuple[Status, ...]
    queries: Counts  # questions asked
    gradients: Counts  # rows that went backwards
    paid: Counts  # answers bought: fewer than queries when stored answers were at hand
    judged: Counts  # questions of the judge: outside the budget
    surrogate_queries: Tensor  # (surrogates, n)
    surrogate_gradients: Tensor  # (surrogates, n)
    found_row: Tensor  # each improvement of a row: the row,
    found_query: Tensor  # which of its queries brought it (0: the judge's),
    found_distance: Tensor  # and how far from x it lay, in the ball's norm
    calls: int  # requests to the model
    judge_calls: int
    seconds: float

    @classmethod
    def blank(cls, settings: str, x: Batch, surrogates: int) -> Self:
        """A run on the rows x of which nothing is done yet."""
        zeros = torch.zeros(len(x), dtype=torch.long)
        books = torch.zeros(surrogates, len(x), dtype=torch.long)
        none = torch.zeros(0, dtype=torch.long)
        return cls(
            settings=settings,
            x=x,
            adversarial=x.clone(),
            success=zeros.bool(),
            status=(Status.PENDING,) * len(x),
            queries=zeros.clone(),
            gradients=zeros.clone(),
            paid=zeros.clone(),
            judged=zeros.clone(),
            surrogate_queries=books.clone(),
            surrogate_gradients=books.clone(),
            found_row=none.clone(),
            found_query=none.clone(),
            found_distance=x.new_zeros(0),
            calls=0,
            judge_calls=0,
            seconds=0.0,
        )

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        return f"Run({self.summary()})"

    @property
    def finished(self) -> Verdicts:
        """Which rows came to their end; the others can be resumed."""
        return torch.tensor([status not in UNFINISHED for status in self.status])

    @property
    def attacked(self) -> Verdicts:
        """Which rows did not meet the goal as they stood."""
        return torch.tensor([status is not Status.MET for status in self.status])

    @property
    def reproducible(self) -> bool:
        """Whether the same call gives the same bits again: a stop half way does not."""
        return bool(self.finished.all())

    @property
    def cost(self) -> Cost:
        """All that was asked of the model, by the judge and by rows that had to begin anew too."""
        return Cost(
            queries=int((torch.maximum(self.queries, self.paid) + self.judged).sum()),
            gradients=int(self.gradients.sum()),
            calls=self.calls + self.judge_calls,
        )

    def distance(self, norm: NormName) -> Each:
        """How far each success lies from x, in the user's units; infinite without success."""
        return Ball(norm).distance(self.adversarial, self.x).masked_fill(~self.success, torch.inf)

    def summary(self) -> dict[str, float | int | bool | dict[str, int] | None]:
        """The figures of the run as plain numbers."""
        attacked = self.attacked
        won = self.success & attacked
        counts = {status.value: self.status.count(status) for status in dict.fromkeys(self.status)}

        queries = self.queries[attacked].double()

        def median(each: Tensor) -> float | None:
            return float(each.double().quantile(0.5)) if len(each) else None

        return {
            "rows": len(self),
            "attacked": int(attacked.sum()),
            "succeeded": int(won.sum()),
            "success_rate": float(won.sum() / attacked.sum()) if bool(attacked.any()) else None,
            "median_l2": median(self.distance("l2")[won]),
            "median_linf": median(self.distance("linf")[won]),
            "mean_queries": float(queries.mean()) if len(queries) else None,
            "most_queries": int(self.queries.max()),
            "paid": int(self.paid.sum()),
            "gradients": int(self.gradients.sum()),
            "judged": int(self.judged.sum()),
            "calls": self.calls,
            "seconds": round(self.seconds, 3),
            "reproducible": self.reproducible,
            "status": counts,
        }

    def stopped(self, status: Status) -> Self:
        """This run, with a reason why the rows not reached yet were not."""
        pending = Status.PENDING
        return replace(self, status=tuple(status if s is pending else s for s in self.status))

    def with_rows(self, rows: Tensor, part: Self) -> Self:
        """This run with the rows of another, later one put in their place.

        What was bought adds up (answers, gradients, the judge's questions, calls, seconds); what
        was asked and found is replaced.
        """
        status = list(self.status)
        for row, new in zip(rows.tolist(), part.status, strict=True):
            status[row] = new
        kept = ~torch.isin(self.found_row, rows)
        changed = {
            name: getattr(self, name).index_copy(0, rows, getattr(part, name))
            for name in ("adversarial", "success", "queries")
        }
        books = {
            name: getattr(self, name).index_copy(1, rows, getattr(part, name))
            for name in ("surrogate_queries", "surrogate_gradients")
        }
        return replace(
            self,
            **changed,
            **books,
            status=tuple(status),
            **{
                name: getattr(self, name).index_add(0, rows, getattr(part, name))
                for name in ("gradients", "paid", "judged")
            },
            found_row=torch.cat([self.found_row[kept], rows[part.found_row]]),
            found_query=torch.cat([self.found_query[kept], part.found_query]),
            found_distance=torch.cat([self.found_distance[kept], part.found_distance]),
            calls=self.calls + part.calls,
            judge_calls=self.judge_calls + part.judge_calls,
            seconds=self.seconds + part.seconds,
        )

    def save(self, path: Path) -> None:
        """Write the run to a safetensors file, whole or not at all."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        tensors = {k: v.contiguous() for k, v in values.items() if isinstance(v, Tensor)}
        facts = {k: v for k, v in values.items() if k not in tensors}
        with replacing(path) as part:
            save_file(tensors, part, {"run": json.dumps(facts)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a run that was saved; UserError if the file holds none."""
        try:
            with safe_open(path, "pt") as file:
                facts = json.loads(file.metadata()["run"])
            tensors = load_file(path)
            status = tuple(Status(name) for name in facts.pop("status"))
            return cls(**tensors, **facts, status=status)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"{path} holds no saved run ({error}): give another path, or remove the file."
            ) from error


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with what had been found by then."""

    def __init__(self, run: Run) -> None:
        """Carry the unfinished run."""
        super().__init__("interrupted")
        self.run = run
