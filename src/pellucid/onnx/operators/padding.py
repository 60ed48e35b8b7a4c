"""Padding at the ends of axes."""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from pellucid.onnx.operators.call import Call, Function, Operator, limited, promoted

_MODES = ("constant", "edge", "reflect", "wrap")


def pad(call: Call) -> Function:
    """More (or with negative pads, fewer) places before and after each axis."""
    mode = call.text("mode", "constant")
    if mode not in _MODES:
        raise call.unknown(f"in mode {mode!r}")
    return partial(_pad, mode=mode)


def _pad(
    x: Tensor,
    pads: list[int],
    value: list[float] | None = None,
    axes: list[int] | None = None,
    *,
    mode: str,
) -> Tensor:
    if not any(pads):
        return x
    axes = list(range(x.ndim)) if axes is None else [axis % x.ndim for axis in axes]
    ends = zip(pads[: len(axes)], pads[len(axes) :], strict=True)
    margins = dict(zip(axes, ends, strict=True))
    limited([size + sum(margins.get(axis, (0, 0))) for axis, size in enumerate(x.shape)], of=x)
    if mode == "constant":
        flat = [end for axis in reversed(range(x.ndim)) for end in margins.get(axis, (0, 0))]
        return functional.pad(x, flat, value=value[0] if value else 0.0)
    for axis, (before, after) in margins.items():
        size = x.shape[axis]
        places = torch.arange(-before, size + after, device=x.device)
        x = x.index_select(axis, _source(places, size, mode))
    return x


def _source(places: Tensor, size: int, mode: str) -> Tensor:
    """The places within an axis that places beyond it are filled from."""
    if mode == "edge":
        return places.clamp(0, size - 1)
    if mode == "wrap":
        return places % size
    there_and_back = places % max(2 * (size - 1), 1)  # a mirror at each end
    return (size - 1) - ((size - 1) - there_and_back).abs()


TABLE = {
    "Pad": Operator(build=pad, numbers=(1, 2, 3), carried=promoted(pads=1, value=2)),
}
