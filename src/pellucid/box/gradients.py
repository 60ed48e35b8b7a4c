"""Rows that go backwards: counted once a pass, whichever way the gradient takes."""

import torch
from torch import Tensor
from torch.autograd import forward_ad

from pellucid.errors import UserError
from pellucid.ledger import Ledger
from pellucid.rows import Rows
from pellucid.shapes import Counts


def count_gradients(asked: Tensor | None, got: Tensor, ledger: Ledger, who: Counts) -> Tensor:
    """Book a gradient to the rows `who` each time one flows from `got` or into `asked`.

    Most passes flow through both and are booked at the outputs; a second derivative can reach
    the input by another way, and the derivative of an activation never gets there.
    """
    if not got.requires_grad:
        return got
    booked = False

    def at_outputs(gradient: Tensor) -> None:
        nonlocal booked
        _book(gradient, ledger, who)
        booked = True

    def at_inputs(gradient: Tensor) -> None:
        nonlocal booked
        if not booked:
            _book(gradient, ledger, who)
        booked = False

    got.register_hook(at_outputs)
    if asked is not None:
        asked.register_hook(at_inputs)
    return got


def refuse_uncounted(x: Rows) -> None:
    """Gradients that would pass by the hooks are refused at the door."""
    if not isinstance(x, Tensor):
        return
    if _wrapped(x) or forward_ad.unpack_dual(x).tangent is not None:
        raise UserError(
            "Gradients by functorch or in forward mode (vmap, jacrev, jvp) cannot be counted: "
            "use torch.autograd.grad on box.logits."
        )


def _book(gradient: Tensor, ledger: Ledger, who: Counts) -> None:
    if _wrapped(gradient):
        raise UserError(
            "Vectorised gradients (is_grads_batched, jacrev) cannot be counted: "
            "take them one output at a time."
        )
    ledger.gradients.index_add_(0, who, torch.ones_like(who))


def _wrapped(x: Tensor) -> bool:
    """Whether a function transform stands behind x: such tensors have no storage of their own."""
    try:
        x.data_ptr()
    except RuntimeError:
        return True
    return False
