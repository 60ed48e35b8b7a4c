"""Operators that join tensors, or take parts of them."""

from functools import partial

import torch
from torch import Tensor

from pellucid.onnx.operators.call import Call, Function, Operator, promoted


def concat(call: Call) -> Function:
    """Tensors one after another along an axis."""
    return partial(_concat, axis=call.integer("axis"))


def _concat(*parts: Tensor, axis: int) -> Tensor:
    return torch.cat(parts, axis)


def split(call: Call) -> Function:
    """Parts along an axis, of given lengths or equal ones (the last may then be shorter)."""
    parts = call.integer("num_outputs", len(call.outputs))
    return partial(_split, axis=call.integer("axis"), parts=parts)


def _split(
    x: Tensor, lengths: list[int] | None = None, *, axis: int, parts: int
) -> tuple[Tensor, ...]:
    return x.split(-(-x.shape[axis] // parts) if lengths is None else lengths, axis)


def slices(
    x: Tensor,
    starts: list[int],
    ends: list[int],
    axes: list[int] | None = None,
    steps: list[int] | None = None,
) -> Tensor:
    """Parts of x along some axes, by Python's rules."""
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        x = _part(x, axis % x.ndim, range(x.shape[axis])[start:end:step])
    return x


def _part(x: Tensor, axis: int, places: range) -> Tensor:
    """The tensor at evenly spaced places of an axis."""
    if places.step > 0:
        return x[(slice(None),) * axis + (slice(places.start, places.stop, places.step),)]
    return x.index_select(axis, torch.tensor(places, dtype=torch.int64, device=x.device))


def gather(call: Call) -> Function:
    """The parts of x at given places of an axis."""
    return partial(_gather, axis=call.integer("axis"))


def _gather(x: Tensor, places: Tensor, *, axis: int) -> Tensor:
    axis %= x.ndim
    found = x.index_select(axis, _forwards(places, x.shape[axis]).flatten())
    return found.reshape(x.shape[:axis] + places.shape + x.shape[axis + 1 :])


def _forwards(places: Tensor, size: int) -> Tensor:
    """Places counted from the front; negative ones come from the back."""
    places = places.long()
    return torch.where(places < 0, places + size, places)


def gather_elements(call: Call) -> Function:
    """Single numbers of x: each place names one along an axis."""
    return partial(_gather_elements, axis=call.integer("axis"))


def _gather_elements(x: Tensor, places: Tensor, *, axis: int) -> Tensor:
    return x.gather(axis, _forwards(places, x.shape[axis]))


def triangle(call: Call) -> Function:
    """The upper or the lower triangle of matrices; zeros elsewhere."""
    return partial(_triangle, upper=bool(call.integer("upper", 1)))


def _triangle(x: Tensor, diagonal: list[int] | None = None, *, upper: bool) -> Tensor:
    above = diagonal[0] if diagonal else 0
    return x.triu(above) if upper else x.tril(above)


TABLE = {
    "Concat": Operator(build=concat),
    "Gather": Operator(build=gather),
    "GatherElements": Operator(build=gather_elements),
    "Slice": Operator(
        build=lambda _call: slices,
        numbers=(1, 2, 3, 4),
        carried=promoted(starts=1, ends=2, axes=3),
    ),
    "Split": Operator(build=split, numbers=(1,), carried=promoted(split=1), several=True),
    "Trilu": Operator(build=triangle, numbers=(1,)),
}
