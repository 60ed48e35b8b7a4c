"""Pools: the largest or the mean number of a window, or of all that there is."""

from functools import partial
from math import inf

import torch
from torch import Tensor
from torch.nn import functional

from pellucid.onnx.operators.call import Call, Function, Operator, plain
from pellucid.onnx.operators.window import Window, padded, symmetric

_LARGEST = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
_MEAN = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}
_SUMS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}

Margins = list[tuple[int, int]]


def max_pool(call: Call) -> Function:
    """The largest number of each window; padding is below every number."""
    return partial(
        _max_pool,
        window=Window.of(call),
        kernel=_kernel(call),
        ceil=bool(call.integer("ceil_mode")),
    )


def _kernel(call: Call) -> tuple[int, ...]:
    kernel = tuple(call.integers("kernel_shape") or ())
    if len(kernel) not in _LARGEST:
        raise call.unknown(f"over {len(kernel)} axes")
    return kernel


def _max_pool(x: Tensor, *, window: Window, kernel: tuple[int, ...], ceil: bool) -> Tensor:
    rank = len(kernel)
    steps, gaps = window.steps(rank), window.gaps(rank)
    margins = window.margins(tuple(x.shape[2:]), kernel)
    padding = (0,) * rank
    if _within_reach(margins, kernel):
        padding = tuple(before for before, _ in margins)
    else:
        x = padded(x, _reaching(x, window, kernel, margins) if ceil else margins, value=-inf)
    return _LARGEST[rank](x, kernel, steps, padding, gaps, ceil)


def _within_reach(margins: Margins, kernel: tuple[int, ...]) -> bool:
    """Whether torch's pools can pad so by themselves."""
    reach = zip(margins, kernel, strict=True)
    return symmetric(margins) and all(2 * before <= size for (before, _), size in reach)


def _reaching(x: Tensor, window: Window, kernel: tuple[int, ...], margins: Margins) -> Margins:
    """Margins that give a last window its room where sizes are rounded up (ceil_mode)."""
    rank = len(kernel)
    axes = zip(x.shape[2:], kernel, window.steps(rank), window.gaps(rank), margins, strict=True)
    return [
        (before, after + _lack(size + before, after, (width - 1) * gap + 1, stride))
        for size, width, stride, gap, (before, after) in axes
    ]


def _lack(size: int, after: int, span: int, stride: int) -> int:
    """What the last window lacks; one that would start in the padding after is left out."""
    free = size + after - span
    last = -(-free // stride) * stride
    return last - free if last < size else 0


def average_pool(call: Call) -> Function:
    """The mean of each window; padding counts as zeros, or (the default) not at all."""
    return partial(
        _average_pool,
        window=Window.of(call),
        kernel=_kernel(call),
        ceil=bool(call.integer("ceil_mode")),
        counted=bool(call.integer("count_include_pad")),
    )


def _average_pool(
    x: Tensor, *, window: Window, kernel: tuple[int, ...], ceil: bool, counted: bool
) -> Tensor:
    rank = len(kernel)
    margins = window.margins(tuple(x.shape[2:]), kernel)
    if _within_reach(margins, kernel) and set(window.gaps(rank)) == {1}:
        padding = tuple(before for before, _ in margins)
        return _MEAN[rank](x, kernel, window.steps(rank), padding, ceil, counted)
    reaching = _reaching(x, window, kernel, margins) if ceil else margins
    lacking = [
        (0, all_after - after) for (_, after), (_, all_after) in zip(margins, reaching, strict=True)
    ]
    ones = padded(torch.ones_like(x[:1, :1]), margins, value=float(counted))
    counts = _sums(padded(ones, lacking), window, kernel)
    return _sums(padded(x, reaching), window, kernel) / counts


def _sums(x: Tensor, window: Window, kernel: tuple[int, ...]) -> Tensor:
    """The sum of each window, channel by channel."""
    rank, channels = len(kernel), x.shape[1]
    ones = x.new_ones(channels, 1, *kernel)
    return _SUMS[rank](x, ones, None, window.steps(rank), 0, window.gaps(rank), channels)


def global_average_pool(x: Tensor) -> Tensor:
    """The mean of each channel."""
    return x.mean(tuple(range(2, x.ndim)), keepdim=True)


def global_max_pool(x: Tensor) -> Tensor:
    """The largest number of each channel."""
    return x.amax(tuple(range(2, x.ndim)), keepdim=True)


TABLE = {
    "AveragePool": Operator(build=average_pool),
    "GlobalAveragePool": plain(global_average_pool),
    "GlobalMaxPool": plain(global_max_pool),
    "MaxPool": Operator(build=max_pool),
}
