"""Convolutions over one, two or three axes."""

from functools import partial

from torch import Tensor
from torch.nn import functional

from pellucid.onnx.operators.call import Call, Function, Operator
from pellucid.onnx.operators.window import Window, padded, split, symmetric

_FORWARD = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
_BACKWARD = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}


def conv(call: Call) -> Function:
    """A convolution (without flipping the kernel)."""
    _check_rank(call)
    return partial(_conv, window=Window.of(call), groups=call.integer("group", 1))


def _check_rank(call: Call) -> None:
    if 1 in call.constants and call.constants[1].ndim - 2 not in _FORWARD:
        raise call.unknown(f"over {call.constants[1].ndim - 2} axes")


def _conv(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, window: Window, groups: int
) -> Tensor:
    kernel = tuple(weight.shape[2:])
    rank = len(kernel)
    margins = window.margins(tuple(x.shape[2:]), kernel)
    padding = (0,) * rank
    if symmetric(margins):
        padding = tuple(before for before, _ in margins)
    else:
        x = padded(x, margins)
    return _FORWARD[rank](x, weight, bias, window.steps(rank), padding, window.gaps(rank), groups)


def conv_transpose(call: Call) -> Function:
    """The transpose of a convolution, as upsampling networks use it."""
    _check_rank(call)
    return partial(
        _conv_transpose,
        window=Window.of(call),
        groups=call.integer("group", 1),
        extra=call.integers("output_padding"),
        shape=call.integers("output_shape"),
    )


def _conv_transpose(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    window: Window,
    groups: int,
    extra: list[int] | None,
    shape: list[int] | None,
) -> Tensor:
    kernel = tuple(weight.shape[2:])
    rank = len(kernel)
    strides, gaps, extra = window.steps(rank), window.gaps(rank), extra or [0] * rank
    if shape is None and window.auto.startswith("SAME"):
        shape = [size * stride for size, stride in zip(x.shape[2:], strides, strict=True)]
    if shape is None:
        margins = window.margins(tuple(x.shape[2:]), kernel)
    else:  # what the full result has too much is cut off
        axes = zip(x.shape[2:], kernel, strides, gaps, extra, shape[-rank:], strict=True)
        margins = [
            split(stride * (size - 1) + more + (width - 1) * gap + 1 - due, window.auto)
            for size, width, stride, gap, more, due in axes
        ]
    padding = [0] * rank
    if symmetric(margins) and min(margins)[0] >= 0:
        padding, margins = [before for before, _ in margins], []
    out = _BACKWARD[rank](x, weight, bias, strides, padding, extra, groups, gaps)
    return padded(out, [(-before, -after) for before, after in margins])


TABLE = {
    "Conv": Operator(build=conv),
    "ConvTranspose": Operator(build=conv_transpose),
}
