"""Operators that lay numbers out anew, and those that speak of sizes."""

from functools import partial
from math import prod

import torch
from torch import Tensor

from pellucid.onnx.operators.call import Call, Function, Operator, limited, plain, promoted


def reshape(call: Call) -> Function:
    """Another shape: -1 is what is left, 0 the input's own size (or 0, with allowzero).

    A file made for a fixed number of rows names it as the first size. Where more rows are to go
    through, this size stands for as many rows as come.
    """
    return partial(_reshape, zeros=bool(call.integer("allowzero")), rows=call.rows)


def _reshape(x: Tensor, shape: list[int], *, zeros: bool, rows: int | None) -> Tensor:
    if not zeros:
        shape = [size or x.shape[axis] for axis, size in enumerate(shape)]
    if rows is not None and x.ndim and shape[:1] == [rows]:
        shape = [x.shape[0], *shape[1:]]
    return x.reshape(shape)


def flatten(call: Call) -> Function:
    """A matrix: the axes before `axis` in one, the rest in the other."""
    return partial(_flatten, axis=call.integer("axis", 1))


def _flatten(x: Tensor, *, axis: int) -> Tensor:
    if axis == 1 and x.ndim > 1:
        return x.flatten(1)
    return x.reshape(prod(x.shape[:axis]), prod(x.shape[axis:]))


def transpose(call: Call) -> Function:
    """The axes in another order; reversed, unless one is given."""
    return partial(_transpose, order=call.integers("perm"))


def _transpose(x: Tensor, *, order: list[int] | None) -> Tensor:
    return x.permute(order or list(range(x.ndim))[::-1])


def squeeze(x: Tensor, axes: list[int] | None = None) -> Tensor:
    """Without axes of size 1: those given, or all."""
    return x.squeeze() if axes is None else x.squeeze(tuple(axes))


def unsqueeze(x: Tensor, axes: list[int]) -> Tensor:
    """With new axes of size 1, at places of the result."""
    rank = x.ndim + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = x.unsqueeze(axis)
    return x


def expand(x: Tensor, shape: list[int]) -> Tensor:
    """A tensor broadcast with a shape."""
    return x.expand(limited(list(torch.broadcast_shapes(x.shape, shape)), of=x))


def tile(x: Tensor, repeats: list[int]) -> Tensor:
    """A tensor again and again along each axis."""
    limited([size * times for size, times in zip(x.shape, repeats, strict=True)], of=x)
    return x.repeat(repeats)


def sizes(call: Call) -> Function:
    """The shape of x as a tensor, or a part of it."""
    end = call.integer("end") if "end" in call.attributes else None
    return partial(_sizes, start=call.integer("start"), end=end)


def _sizes(x: Tensor, *, start: int, end: int | None) -> Tensor:
    return torch.tensor(x.shape[start:end], dtype=torch.int64)


def size(x: Tensor) -> Tensor:
    """How many numbers x holds."""
    return torch.tensor(x.numel())


def depth_to_space(call: Call) -> Function:
    """Channels become blocks of places."""
    crd = call.text("mode", "DCR") == "CRD"
    return partial(_depth_to_space, block=call.integer("blocksize"), crd=crd)


def _depth_to_space(x: Tensor, *, block: int, crd: bool) -> Tensor:
    n, channels, height, width = x.shape
    depth = channels // block**2
    if crd:
        x = x.reshape(n, depth, block, block, height, width).permute(0, 1, 4, 2, 5, 3)
    else:
        x = x.reshape(n, block, block, depth, height, width).permute(0, 3, 4, 1, 5, 2)
    return x.reshape(n, depth, height * block, width * block)


def space_to_depth(call: Call) -> Function:
    """Blocks of places become channels."""
    return partial(_space_to_depth, block=call.integer("blocksize"))


def _space_to_depth(x: Tensor, *, block: int) -> Tensor:
    n, channels, height, width = x.shape
    x = x.reshape(n, channels, height // block, block, width // block, block)
    x = x.permute(0, 3, 5, 1, 2, 4)
    return x.reshape(n, channels * block**2, height // block, width // block)


TABLE = {
    "DepthToSpace": Operator(build=depth_to_space),
    "Expand": Operator(build=lambda _call: expand, numbers=(1,)),
    "Flatten": Operator(build=flatten),
    "Reshape": Operator(build=reshape, numbers=(1,)),
    "Shape": Operator(build=sizes),
    "Size": plain(size),
    "SpaceToDepth": Operator(build=space_to_depth),
    "Squeeze": Operator(build=lambda _call: squeeze, numbers=(1,), carried=promoted(axes=1)),
    "Tile": Operator(build=lambda _call: tile, numbers=(1,)),
    "Transpose": Operator(build=transpose),
    "Unsqueeze": Operator(build=lambda _call: unsqueeze, numbers=(1,), carried=promoted(axes=1)),
}
