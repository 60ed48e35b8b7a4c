"""Rows that go backwards: counted once a pass, whichever way the gradient takes."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd import forward_ad

from pellucid.errors import UserError
from pellucid.rows import Rows


def own_node(x: Rows) -> Rows:
    """The same input as a node of the graph that belongs to one question alone."""
    return x.view_as(x) if isinstance(x, Tensor) and x.requires_grad else x


def count_gradients(asked: Rows, got: Tensor, book: Callable[[], object]) -> None:
    """Call `book` once for each backward pass that leaves `got` or reaches `asked`.

    `asked` must be a node of its own: a hook on a tensor shared by questions counts for all.
    Most passes do both; a second derivative can reach the input by another way, and the
    derivative of an activation never gets there.
    """
    seen = -1  # the last pass that was booked

    def hook(gradient: Tensor) -> None:
        nonlocal seen
        if _wrapped(gradient):
            raise UserError(
                "Vectorised gradients (is_grads_batched, jacrev) cannot be counted: "
                "take them one output at a time."
            )
        if (now := torch._C._current_graph_task_id()) != seen:
            seen = now
            book()

    for end in (asked, got):
        if isinstance(end, Tensor) and end.requires_grad:
            end.register_hook(hook)


def refuse_uncounted(x: Rows) -> None:
    """Gradients and batches that would pass by the hooks are refused at the door."""
    if not isinstance(x, Tensor):
        return
    if _wrapped(x) or forward_ad.unpack_dual(x).tangent is not None:
        raise UserError(
            "Questions under function transforms (vmap, jacrev, jvp) cannot be counted: "
            "use probe axes for many inputs, and torch.autograd.grad on box.logits."
        )


def _wrapped(x: Tensor) -> bool:
    """Whether a function transform stands behind x: such tensors have no storage of their own."""
    try:
        x.data_ptr()
    except RuntimeError:
        return True
    return False
