"""The one driver of explainers: against budget and seed, some rows at a time."""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.answers import Answers
from pellucid.box.protocols import NoBox, WhiteBox, demand
from pellucid.box.views import VIEWS
from pellucid.errors import UserError
from pellucid.explain._allowance import Allowance
from pellucid.explain.attribution import Attribution, Explainer
from pellucid.explain.explanations import Explained
from pellucid.explain.targets import Target
from pellucid.needs import Needs, needs
from pellucid.progress import Listener, Progress, listening
from pellucid.rng import Streams, ids_of
from pellucid.runner import NUMBERS_AT_ONCE, ROWS_AT_ONCE, check_rows
from pellucid.runs import Status
from pellucid.shapes import Batch, Each, RowNumbers

PARTS = ("box", "x", "target", "rng", "data")  # what an explainer may ask for, by name


def explain(
    method: Explainer,
    box: NoBox,
    x: Batch,
    target: Target,
    *,
    budget: int | None = None,
    seed: int = 0,
    data: tuple[Tensor, Tensor | None] | None = None,
    ids: Sequence[str] | None = None,
    answers: Answers | None = None,
    batch: int | None = None,
    progress: bool | Listener | None = None,
) -> Explained:
    """Drive an explainer over the rows of x.

    Args:
        method: an explainer; the box it names in its signature is the box it is shown.
        box: the model; what it grants may be more than the method is shown.
        x: rows (n, *shape) in the user's units.
        target: which number of the model's outputs is explained, for n rows.
        budget: queries a row may make; None for no limit.
        seed: decides, with each row's id, what the row draws.
        data: rows (x, y or None) to compare with, for methods that want them.
        ids: names of the rows; by default their content.
        answers: a store of answers; what it holds is not bought again.
        batch: rows worked on at once; results do not depend on it, memory and calls do.
        progress: show a bar (None: when standard error is a terminal), or a function to call.

    Raises:
        UserError: in a sentence, for anything that does not fit together, and for a budget that
            lets no row be explained.
    """
    began, name = time.monotonic(), type(method).__name__
    wants = needs(method, PARTS)
    _check(name, wants, box, x, target, budget, data, ids)
    window = Allowance(box, len(x), budget, answers=answers)
    kept = _Kept(rows=len(x))
    size = min(batch or ROWS_AT_ONCE, box.spec.rows_per_call)
    if batch is None:
        size = max(1, min(size, NUMBERS_AT_ONCE // (100 * x[0].numel())))

    def attributions(rows: RowNumbers) -> Iterator[Attribution]:
        """What the method says of some rows, given just what its signature names."""
        parts = {
            "x": lambda: x[rows],
            "target": lambda: target[rows],
            "rng": lambda: Streams(seed, _names(x, ids, rows), x),
            "data": lambda: data,
        }
        view = VIEWS[wants.box](window, rows)
        yield from method(box=view, **{part: parts[part]() for part in wants.names - {"box"}})

    with listening(progress) as listener, _guard(name, wants, window):
        for rows in torch.arange(len(x)).split(size):
            with window.working(rows):
                for attribution in attributions(rows):
                    kept.keep(rows, ~window.short[rows], attribution)
            if listener:
                note = f"{int(rows[-1]) + 1} of {len(x)} explained"
                listener(Progress(title=name, share=(int(rows[-1]) + 1) / len(x), note=note))
    if kept.values is None:
        raise UserError(
            f"{name} explains no row with {budget} queries a row: raise the budget, or set the "
            "method's fields so that it asks less."
        )
    return Explained(
        values=kept.values,
        gap=kept.gap,
        agreement=kept.agreement,
        status=_statuses(window),
        queries=window.ledger.queries,
        gradients=window.ledger.gradients,
        paid=window.ledger.paid,
        calls=window.ledger.calls,
        seconds=time.monotonic() - began,
    )


@dataclass(kw_only=True)
class _Kept:
    """The latest whole attribution of each row; NaN where there is none."""

    rows: int
    values: Tensor | None = None
    gap: Each | None = None
    agreement: Each | None = None

    def keep(self, rows: RowNumbers, whole: Tensor, new: Attribution) -> None:
        """Take what is new of the rows of which everything was answered."""
        if bool(whole.any()):
            self.values = self._taken(self.values, rows, whole, new.values)
            if new.gap is not None:
                self.gap = self._taken(self.gap, rows, whole, new.gap)
            if new.agreement is not None:
                self.agreement = self._taken(self.agreement, rows, whole, new.agreement)

    def _taken(self, old: Tensor | None, rows: RowNumbers, whole: Tensor, new: Tensor) -> Tensor:
        if old is None:
            old = new.new_full((self.rows, *new.shape[1:]), torch.nan)
        old[rows[whole]] = new.detach()[whole]
        return old


def _guard(name: str, wants: Needs, window: Allowance) -> AbstractContextManager[None]:
    """Over a network that the method is shown: its passes count, its weights stay."""
    return window.guarding(name) if wants.box is WhiteBox else nullcontext()


def _names(x: Batch, ids: Sequence[str] | None, rows: RowNumbers) -> list[str]:
    """What some rows are called."""
    if ids is None:
        return ids_of(x[rows])
    return [ids[int(row)] for row in rows]


def _statuses(window: Allowance) -> tuple[Status, ...]:
    """How each row ended."""
    ends = zip(window.ledger.invalid.tolist(), window.short.tolist(), strict=True)
    return tuple(
        Status.INVALID if invalid else Status.SPENT if short else Status.DONE
        for invalid, short in ends
    )


def _check(
    name: str,
    wants: Needs,
    box: NoBox,
    x: Batch,
    target: Target,
    budget: int | None,
    data: tuple[Tensor, Tensor | None] | None,
    ids: Sequence[str] | None,
) -> None:
    """What could be wrong with the question itself, each in a sentence, before it is paid."""
    demand(name, wants.box, box)
    check_rows("The input", x, box)
    target.check(box.spec, len(x))
    if budget is not None and budget < 0:
        raise UserError(f"A budget is a number of queries, 0 or more, but it is {budget}.")
    if ids is not None and len(ids) != len(x):
        raise UserError(f"There are {len(ids)} ids for {len(x)} rows: give one a row.")
    if "data" in wants.names and data is None:
        raise UserError(f"{name} needs rows to compare with: pass data=(x, None).")
