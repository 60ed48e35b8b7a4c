"""Operators that make tensors from sizes, and those that change the type of numbers."""

from math import ceil

import torch
from torch import Tensor

from pellucid.onnx.operators.call import Call, Function, Operator, limited, promoted

FORMS = ("value", "value_float", "value_floats", "value_int", "value_ints")


def constant(call: Call) -> Function:
    """A tensor that stands in the file."""
    if not call.constants:
        raise call.unknown("with a value that is sparse or text")
    return _given


def _given(value: Tensor) -> Tensor:
    return value


def filled(shape: list[int], value: Tensor | None = None) -> Tensor:
    """A tensor of one number; 0 (float32) unless another is given."""
    value = torch.zeros(1) if value is None else value
    return value.flatten().expand(limited(shape)) if shape else value.reshape(())


def steps(start: Tensor, limit: Tensor, delta: Tensor) -> Tensor:
    """Evenly spaced numbers from `start` up to but without `limit`."""
    first, end, step = start.item(), limit.item(), delta.item()
    limited([max(0, ceil((end - first) / step))])
    return torch.arange(first, end, step, dtype=start.dtype, device=start.device)


def cast(x: Tensor, like: Tensor) -> Tensor:
    """The tensor in the type of `like`, which follows where the module is moved."""
    return x.to(like.dtype)


def _target(call: Call) -> dict[int, Tensor]:
    return {1: torch.empty(0, dtype=call.dtype("to"))}


TABLE = {
    "Cast": Operator(build=lambda _call: cast, carried=_target),
    "CastLike": Operator(build=lambda _call: cast),
    "Constant": Operator(build=constant, carried=promoted(**dict.fromkeys(FORMS, 0))),
    "ConstantOfShape": Operator(
        build=lambda _call: filled, numbers=(0,), carried=promoted(value=1)
    ),
    "Range": Operator(build=lambda _call: steps),
}
