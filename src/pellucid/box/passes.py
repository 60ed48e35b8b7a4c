"""Passes through a module itself: counted by hooks, and charged to the rows of a run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from pellucid.box.gradients import count_gradients, own_node, refuse_uncounted
from pellucid.ledger import Ledger, OutOfQueries

Arguments = tuple[tuple[object, ...], dict[str, object]]


@contextmanager
def counting(module: nn.Module, ledger: Ledger, exempt: Callable[[], bool]) -> Iterator[None]:
    """Charge every pass of `module` but those made while `exempt()` holds.

    A pass is pooled work: the rows that are still open share it equally, rounded up. It cannot be
    masked, so OutOfQueries rises when one of them cannot pay its share.
    """
    payers = torch.arange(0)

    def charge(
        _module: nn.Module, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> Arguments:
        nonlocal payers
        if exempt():
            return args, kwargs
        for x in _tensors(args, kwargs):
            refuse_uncounted(x)
        payers = _charge(ledger, _inputs(args, kwargs))
        return (
            tuple(own_node(a) if isinstance(a, Tensor) else a for a in args),
            {k: own_node(a) if isinstance(a, Tensor) else a for k, a in kwargs.items()},
        )

    def watch_gradient(
        _module: nn.Module, args: tuple[object, ...], kwargs: dict[str, object], output: Tensor
    ) -> None:
        if not exempt():
            book = partial(_book, ledger.gradients, payers, _inputs(args, kwargs))
            count_gradients(_tensors(args, kwargs)[0], output, book)

    handles = [
        module.register_forward_pre_hook(charge, with_kwargs=True),
        module.register_forward_hook(watch_gradient, with_kwargs=True),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _tensors(args: tuple[object, ...], kwargs: dict[str, object]) -> list[Tensor]:
    return [a for a in (*args, *kwargs.values()) if isinstance(a, Tensor)]


def _inputs(args: tuple[object, ...], kwargs: dict[str, object]) -> int:
    """How many inputs a pass carries: the first axis of its first tensor."""
    return len(_tensors(args, kwargs)[0])


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


def _book(books: Tensor, rows: Tensor, inputs: int) -> None:
    """Share so many inputs among rows, rounded up."""
    books.index_add_(0, rows, torch.full_like(rows, -(-inputs // len(rows))))
