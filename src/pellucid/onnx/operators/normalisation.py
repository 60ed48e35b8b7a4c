"""Normalisation by stored or by the input's own statistics."""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from pellucid.onnx.operators.call import Call, Function, Operator


def batch_normalization(call: Call) -> Function:
    """Normalisation by the means and variances of the training data."""
    if call.integer("training_mode"):
        raise call.unknown("in training mode")
    if not call.integer("spatial", 1):
        raise call.unknown("with statistics for each place (spatial=0)")
    return partial(_batch_normalization, epsilon=call.number("epsilon", 1e-5))


def _batch_normalization(
    x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, *, epsilon: float
) -> Tensor:
    # torch has no gradient by the statistics, and refuses those that want one
    statistics = mean.detach(), variance.detach()
    return functional.batch_norm(x, *statistics, scale, bias, training=False, eps=epsilon)


def instance_normalization(call: Call) -> Function:
    """Normalisation of each channel of each row by itself."""
    return partial(_instance_normalization, epsilon=call.number("epsilon", 1e-5))


def _instance_normalization(x: Tensor, scale: Tensor, bias: Tensor, *, epsilon: float) -> Tensor:
    return torch.group_norm(x, x.shape[1], scale, bias, epsilon)


def group_normalization(call: Call) -> Function:
    """Normalisation of groups of channels; before opset 21 the scale is one a group."""
    return partial(
        _group_normalization,
        groups=call.integer("num_groups"),
        epsilon=call.number("epsilon", 1e-5),
        by_group=call.version < 21,
    )


def _group_normalization(
    x: Tensor, scale: Tensor, bias: Tensor, *, groups: int, epsilon: float, by_group: bool
) -> Tensor:
    if by_group:
        size = x.shape[1] // groups
        scale, bias = scale.repeat_interleave(size), bias.repeat_interleave(size)
    return torch.group_norm(x, groups, scale, bias, epsilon)


def layer_normalization(call: Call) -> Function:
    """Normalisation over the axes from `axis` on."""
    return partial(
        _layer_normalization,
        axis=call.integer("axis", -1),
        epsilon=call.number("epsilon", 1e-5),
    )


def _layer_normalization(
    x: Tensor, scale: Tensor, bias: Tensor | None = None, *, axis: int, epsilon: float
) -> Tensor:
    shape = x.shape[axis:]
    offset = None if bias is None else bias.expand(shape)
    return functional.layer_norm(x, shape, scale.expand(shape), offset, epsilon)


def local_response(call: Call) -> Function:
    """Division by a power of the squares in the channels around (LRN)."""
    return partial(
        _local_response,
        size=call.integer("size"),
        alpha=call.number("alpha", 1e-4),
        beta=call.number("beta", 0.75),
        bias=call.number("bias", 1.0),
    )


def _local_response(x: Tensor, *, size: int, alpha: float, beta: float, bias: float) -> Tensor:
    around = [0, 0] * (x.ndim - 2) + [(size - 1) // 2, size // 2]
    squares = functional.pad(x.square(), around).unfold(1, size, 1).sum(-1)
    return x / (bias + alpha / size * squares) ** beta


TABLE = {
    "BatchNormalization": Operator(build=batch_normalization),
    "GroupNormalization": Operator(build=group_normalization),
    "InstanceNormalization": Operator(build=instance_normalization),
    "LRN": Operator(build=local_response),
    "LayerNormalization": Operator(build=layer_normalization),
}
