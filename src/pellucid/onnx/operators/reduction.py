"""Reductions along axes."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from pellucid.onnx.operators.call import Call, Function, Operator, promoted

Reducer = Callable[..., Tensor]  # (x, axes, keepdim)


def mean(x: Tensor, axes: list[int], keepdim: bool) -> Tensor:
    """The mean."""
    return x.mean(axes, keepdim)


def total(x: Tensor, axes: list[int], keepdim: bool) -> Tensor:
    """The sum."""
    return x.sum(axes, keepdim)


def product(x: Tensor, axes: list[int], keepdim: bool) -> Tensor:
    """The product."""
    for axis in sorted((axis % x.ndim for axis in axes), reverse=True):
        x = x.prod(axis, keepdim)
    return x


def norm1(x: Tensor, axes: list[int], keepdim: bool) -> Tensor:
    """The sum of the absolute values."""
    return x.abs().sum(axes, keepdim)


def norm2(x: Tensor, axes: list[int], keepdim: bool) -> Tensor:
    """The Euclidean norm; its gradient at 0 is 0."""
    return torch.linalg.vector_norm(x, 2, axes, keepdim)


def square_sum(x: Tensor, axes: list[int], keepdim: bool) -> Tensor:
    """The sum of the squares."""
    return x.square().sum(axes, keepdim)


def log_sum(x: Tensor, axes: list[int], keepdim: bool) -> Tensor:
    """The logarithm of the sum."""
    return x.sum(axes, keepdim).log()


def _reduction(reducer: Reducer) -> Operator:
    def build(call: Call) -> Function:
        return partial(
            _over,
            reducer=reducer,
            keepdim=bool(call.integer("keepdims", 1)),
            none_is_all=not call.integer("noop_with_empty_axes"),
        )

    return Operator(build=build, numbers=(1,), carried=promoted(axes=1))


def _over(
    x: Tensor,
    axes: list[int] | None = None,
    *,
    reducer: Reducer,
    keepdim: bool,
    none_is_all: bool,
) -> Tensor:
    """The tensor with some of its axes reduced."""
    if not axes:
        if not none_is_all:
            return x
        axes = list(range(x.ndim))
    return reducer(x, axes, keepdim)


def arg_max(call: Call) -> Function:
    """Where the largest number is: the first of equal ones, or the last."""
    return partial(
        _arg_max,
        axis=call.integer("axis"),
        keepdim=bool(call.integer("keepdims", 1)),
        last=bool(call.integer("select_last_index")),
    )


def arg_min(call: Call) -> Function:
    """Where the smallest number is."""
    return partial(
        _arg_min,
        axis=call.integer("axis"),
        keepdim=bool(call.integer("keepdims", 1)),
        last=bool(call.integer("select_last_index")),
    )


def _arg_max(x: Tensor, *, axis: int, keepdim: bool, last: bool) -> Tensor:
    if last:
        return x.shape[axis] - 1 - x.flip(axis).argmax(axis, keepdim)
    return x.argmax(axis, keepdim)


def _arg_min(x: Tensor, *, axis: int, keepdim: bool, last: bool) -> Tensor:
    return _arg_max(-x, axis=axis, keepdim=keepdim, last=last)


def top(call: Call) -> Function:
    """The k largest (or smallest) numbers along an axis, and where they are."""
    return partial(
        _top,
        axis=call.integer("axis", -1),
        largest=bool(call.integer("largest", 1)),
        ordered=bool(call.integer("sorted", 1)),
    )


def _top(
    x: Tensor, k: list[int], *, axis: int, largest: bool, ordered: bool
) -> tuple[Tensor, Tensor]:
    values, places = torch.topk(x, k[0], axis, largest, ordered)
    return values, places


def cumulative_sum(call: Call) -> Function:
    """The sums of all numbers up to each, along an axis."""
    return partial(
        _cumulative_sum,
        exclusive=bool(call.integer("exclusive")),
        reverse=bool(call.integer("reverse")),
    )


def _cumulative_sum(x: Tensor, axis: list[int], *, exclusive: bool, reverse: bool) -> Tensor:
    along = axis[0]
    x = x.flip(along) if reverse else x
    sums = x.cumsum(along)
    if exclusive:
        first = torch.zeros_like(x.narrow(along, 0, 1))
        sums = torch.cat([first, sums.narrow(along, 0, x.shape[along] - 1)], along)
    return sums.flip(along) if reverse else sums


TABLE = {
    "ArgMax": Operator(build=arg_max),
    "ArgMin": Operator(build=arg_min),
    "CumSum": Operator(build=cumulative_sum, numbers=(1,)),
    "ReduceL1": _reduction(norm1),
    "ReduceL2": _reduction(norm2),
    "ReduceLogSum": _reduction(log_sum),
    "ReduceLogSumExp": _reduction(torch.logsumexp),
    "ReduceMax": _reduction(torch.amax),
    "ReduceMean": _reduction(mean),
    "ReduceMin": _reduction(torch.amin),
    "ReduceProd": _reduction(product),
    "ReduceSum": _reduction(total),
    "ReduceSumSquare": _reduction(square_sum),
    "TopK": Operator(build=top, numbers=(1,), carried=promoted(k=1), several=True),
}
