"""Operators that work on each number apart: arithmetic, comparison, logic."""

from functools import partial, reduce

import torch
from torch import Tensor

from pellucid.onnx.operators.call import Call, Function, Operator, plain, promoted


def divide(a: Tensor, b: Tensor) -> Tensor:
    """Division; of integers, towards zero."""
    if a.is_floating_point():
        return torch.div(a, b)
    return torch.div(a, b, rounding_mode="trunc")


def power(base: Tensor, exponent: Tensor | float) -> Tensor:
    """A power, in the type of the base."""
    return torch.pow(base, exponent).to(base.dtype)


def mod(call: Call) -> Function:
    """The remainder: with the sign of the divisor, or (fmod) of the dividend."""
    return torch.fmod if call.integer("fmod") else torch.remainder


def clip(call: Call) -> Function:
    """Numbers kept between two bounds, either of which may be left out."""
    given = [place for place in (1, 2) if place < len(call.inputs) and call.inputs[place]]
    known = all(place in call.constants and not call.constants[place].ndim for place in given)
    return _between if given and known else _moving_between


def _between(x: Tensor, low: float | None = None, high: float | None = None) -> Tensor:
    return torch.clamp(x, low, high)


def _moving_between(
    x: Tensor, low: Tensor | float | None = None, high: Tensor | float | None = None
) -> Tensor:
    x = x if low is None else torch.clamp_min(x, low)
    return x if high is None else torch.clamp_max(x, high)


def total(*terms: Tensor) -> Tensor:
    """The sum of any number of tensors."""
    return reduce(torch.add, terms)


def average(*terms: Tensor) -> Tensor:
    """The mean of any number of tensors."""
    return reduce(torch.add, terms) / len(terms)


def least(*terms: Tensor) -> Tensor:
    """The smallest of any number of tensors."""
    return reduce(torch.minimum, terms)


def greatest(*terms: Tensor) -> Tensor:
    """The largest of any number of tensors."""
    return reduce(torch.maximum, terms)


def infinite(call: Call) -> Function:
    """Which numbers are infinite, of both signs or of one."""
    negative, positive = call.integer("detect_negative", 1), call.integer("detect_positive", 1)
    return partial(_infinite, negative=bool(negative), positive=bool(positive))


def _infinite(x: Tensor, *, negative: bool, positive: bool) -> Tensor:
    return (torch.isneginf(x) & negative) | (torch.isposinf(x) & positive)


def same(x: Tensor) -> Tensor:
    """The input itself."""
    return x


def dropout(call: Call) -> Function:
    """Nothing is dropped outside training."""
    if 2 in call.constants and call.constants[2].any():
        raise call.unknown("in training mode")
    return _kept


def _kept(x: Tensor, _ratio: Tensor | None = None, _training: Tensor | None = None) -> Tensor:
    return x


TABLE = {
    "Abs": plain(torch.abs),
    "Acos": plain(torch.acos),
    "Add": plain(torch.add),
    "And": plain(torch.logical_and),
    "Asin": plain(torch.asin),
    "Atan": plain(torch.atan),
    "Ceil": plain(torch.ceil),
    "Clip": Operator(build=clip, scalars=(1, 2), carried=promoted(min=1, max=2)),
    "Cos": plain(torch.cos),
    "Cosh": plain(torch.cosh),
    "Div": plain(divide),
    "Dropout": Operator(build=dropout),
    "Equal": plain(torch.eq),
    "Erf": plain(torch.erf),
    "Exp": plain(torch.exp),
    "Floor": plain(torch.floor),
    "Greater": plain(torch.gt),
    "GreaterOrEqual": plain(torch.ge),
    "Identity": plain(same),
    "IsInf": Operator(build=infinite),
    "IsNaN": plain(torch.isnan),
    "Less": plain(torch.lt),
    "LessOrEqual": plain(torch.le),
    "Log": plain(torch.log),
    "Max": plain(greatest),
    "Mean": plain(average),
    "Min": plain(least),
    "Mod": Operator(build=mod),
    "Mul": plain(torch.mul),
    "Neg": plain(torch.neg),
    "Not": plain(torch.logical_not),
    "Or": plain(torch.logical_or),
    "Pow": Operator(build=lambda _call: power, scalars=(1,)),
    "Reciprocal": plain(torch.reciprocal),
    "Round": plain(torch.round),
    "Sign": plain(torch.sign),
    "Sin": plain(torch.sin),
    "Sinh": plain(torch.sinh),
    "Sqrt": plain(torch.sqrt),
    "Sub": plain(torch.sub),
    "Sum": plain(total),
    "Tan": plain(torch.tan),
    "Tanh": plain(torch.tanh),
    "Where": plain(torch.where),
    "Xor": plain(torch.logical_xor),
}
