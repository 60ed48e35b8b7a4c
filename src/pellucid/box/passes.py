"""Passes through a module itself: counted by hooks, and charged to the rows of a run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pellucid.ledger import Ledger, OutOfQueries
from pellucid.shapes import Counts


@contextmanager
def counting(module: nn.Module, ledger: Ledger, exempt: Callable[[], bool]) -> Iterator[None]:
    """Charge every pass of `module` but those made while `exempt()` holds.

    A pass is pooled work: the rows that are still open share it equally, rounded up. It cannot be
    masked, so OutOfQueries rises when one of them cannot pay its share.
    """
    payers = torch.arange(0)

    def charge(_module: nn.Module, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        nonlocal payers
        if not exempt():
            payers = _charge(ledger, _inputs(args, kwargs))

    def watch_gradient(
        _module: nn.Module, args: tuple[object, ...], kwargs: dict[str, object], output: Tensor
    ) -> None:
        if not exempt() and output.requires_grad:
            rows, inputs = payers, _inputs(args, kwargs)
            output.register_hook(lambda _: _book(ledger.gradients, rows, inputs))

    handles = [
        module.register_forward_pre_hook(charge, with_kwargs=True),
        module.register_forward_hook(watch_gradient, with_kwargs=True),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _inputs(args: tuple[object, ...], kwargs: dict[str, object]) -> int:
    """How many inputs a pass carries: the first axis of its first tensor."""
    return next((len(a) for a in (*args, *kwargs.values()) if isinstance(a, Tensor)), 1)


def _charge(ledger: Ledger, inputs: int) -> Tensor:
    """Book a pass of so many inputs to the open rows, which it returns."""
    left = ledger.left()
    rows = (left > 0).nonzero()[:, 0]
    if not len(rows) or bool((left[rows] < -(-inputs // len(rows))).any()):
        raise OutOfQueries
    _book(ledger.queries, rows, inputs)
    _book(ledger.paid, rows, inputs)
    ledger.calls += 1
    return rows


def _book(books: Counts, rows: Tensor, inputs: int) -> None:
    """Share so many inputs among rows, rounded up."""
    books.index_add_(0, rows, torch.full_like(rows, -(-inputs // len(rows))))
