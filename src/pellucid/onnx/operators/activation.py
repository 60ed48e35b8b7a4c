"""Activation functions, by the formulas of the ONNX standard."""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from pellucid.onnx.operators.call import Call, Function, Operator, plain


def leaky_relu(call: Call) -> Function:
    """x, or alpha x where x is negative."""
    return partial(functional.leaky_relu, negative_slope=call.number("alpha", 0.01))


def prelu(x: Tensor, slope: Tensor) -> Tensor:
    """x, or slope x where x is negative; the slope is broadcast."""
    return torch.where(x < 0, slope * x, x)


def elu(call: Call) -> Function:
    """x, or alpha (exp(x) - 1) where x is negative."""
    return partial(functional.elu, alpha=call.number("alpha", 1.0))


def celu(call: Call) -> Function:
    """x, or alpha (exp(x / alpha) - 1) where x is negative."""
    return partial(functional.celu, alpha=call.number("alpha", 1.0))


def selu(call: Call) -> Function:
    """ELU times gamma; the standard fixes what alpha and gamma are when they are left out."""
    return partial(
        _selu,
        alpha=call.number("alpha", 1.67326319217681884765625),
        gamma=call.number("gamma", 1.05070102214813232421875),
    )


def _selu(x: Tensor, *, alpha: float, gamma: float) -> Tensor:
    return gamma * functional.elu(x, alpha)


def thresholded_relu(call: Call) -> Function:
    """Numbers that are above alpha, and 0 for the others."""
    return partial(functional.threshold, threshold=call.number("alpha", 1.0), value=0.0)


def hard_sigmoid(call: Call) -> Function:
    """The line alpha x + beta, kept within 0 and 1."""
    return partial(_hard_sigmoid, alpha=call.number("alpha", 0.2), beta=call.number("beta", 0.5))


def _hard_sigmoid(x: Tensor, *, alpha: float, beta: float) -> Tensor:
    return torch.clamp(alpha * x + beta, 0.0, 1.0)


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)), exact in float64 too (torch turns linear at 20 unless told)."""
    return functional.softplus(x, threshold=40.0)


def softsign(x: Tensor) -> Tensor:
    """The quotient x / (1 + |x|)."""
    return x / (1 + x.abs())


def gelu(call: Call) -> Function:
    """Each x times the normal distribution function of x, or its approximation by tanh."""
    return partial(functional.gelu, approximate=call.text("approximate", "none"))


def softmax(call: Call) -> Function:
    """Softmax along an axis, or before opset 13 over this axis and all that follow."""
    if call.version >= 13:
        return partial(torch.softmax, dim=call.integer("axis", -1))
    return partial(_over_the_rest, axis=call.integer("axis", 1), log=False)


def log_softmax(call: Call) -> Function:
    """The logarithm of the softmax, over the same axes."""
    if call.version >= 13:
        return partial(torch.log_softmax, dim=call.integer("axis", -1))
    return partial(_over_the_rest, axis=call.integer("axis", 1), log=True)


def _over_the_rest(x: Tensor, *, axis: int, log: bool) -> Tensor:
    """Softmax over the axes from `axis` on, as if they were one."""
    laid_out = x.flatten(axis) if axis else x.flatten()[None]
    out = laid_out.log_softmax(-1) if log else laid_out.softmax(-1)
    return out.reshape(x.shape)


TABLE = {
    "Celu": Operator(build=celu),
    "Elu": Operator(build=elu),
    "Gelu": Operator(build=gelu),
    "HardSigmoid": Operator(build=hard_sigmoid),
    "HardSwish": plain(functional.hardswish),
    "LeakyRelu": Operator(build=leaky_relu),
    "LogSoftmax": Operator(build=log_softmax),
    "Mish": plain(functional.mish),
    "PRelu": plain(prelu),
    "Relu": plain(torch.relu),
    "Selu": Operator(build=selu),
    "Sigmoid": plain(torch.sigmoid),
    "Softmax": Operator(build=softmax),
    "Softplus": plain(softplus),
    "Softsign": plain(softsign),
    "ThresholdedRelu": Operator(build=thresholded_relu),
}
