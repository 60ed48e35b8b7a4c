"""One use of an operator in a file, and what the table says about an operator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import torch
from onnx import AttributeProto, TensorProto, numpy_helper
from torch import Tensor

from pellucid.onnx.ports import BadGraph, quoted

CAP = 2**28  # elements of a tensor whose size is a number in the file, for one row

Function = Callable[..., Tensor | tuple[Tensor, ...]]

_DTYPES: dict[int, torch.dtype] = {
    TensorProto.FLOAT: torch.float32,
    TensorProto.DOUBLE: torch.float64,
    TensorProto.FLOAT16: torch.float16,
    TensorProto.INT8: torch.int8,
    TensorProto.INT16: torch.int16,
    TensorProto.INT32: torch.int32,
    TensorProto.INT64: torch.int64,
    TensorProto.UINT8: torch.uint8,
    TensorProto.BOOL: torch.bool,
}


class UnknownOperator(BadGraph):
    """The graph uses what Pellucid does not import."""

    def __init__(self, sentence: str, *, operator: str, node: str) -> None:
        """The sentence, and where the first such operator stands."""
        super().__init__(sentence)
        self.operator = operator
        self.node = node


def tensor(stored: TensorProto) -> Tensor:
    """A stored tensor, in memory of its own.

    Raises:
        BadGraph: its numbers are of a type that graphs here do not compute with.
    """
    if stored.data_type not in _DTYPES:
        kind = TensorProto.DataType.Name(stored.data_type)
        raise BadGraph(
            f"The tensor {quoted(stored.name)} holds {kind} numbers, which Pellucid does not "
            "compute with: export the model in float32."
        )
    return torch.from_numpy(np.array(numpy_helper.to_array(stored)))


def limited(shape: list[int], *, of: Tensor | None = None) -> list[int]:
    """The shape of a tensor about to be made, if it has at most CAP elements.

    Where it is made of another tensor, CAP is for each entry of that one's first axis, which may
    be the rows that a user asks about together.

    Raises:
        BadGraph: it has more, or a size is negative.
    """
    allowed = CAP if of is None or not of.ndim else CAP * max(1, of.shape[0])
    if any(size < 0 for size in shape) or prod(shape) > allowed:
        raise BadGraph(
            f"A node makes a tensor of shape {tuple(shape)}, where Pellucid makes none of more "
            f"than {allowed} elements: the file is broken, or the model too large."
        )
    return shape


@dataclass(frozen=True, kw_only=True)
class Call:
    """A node as the file has it: its operator's attributes are read from here, once."""

    operator: str
    label: str  # the node's name in the file
    attributes: Mapping[str, AttributeProto]
    version: int  # of the operator set
    inputs: tuple[str, ...]  # names of values, "" where an optional one is left out
    outputs: tuple[str, ...]
    constants: Mapping[int, Tensor]  # inputs that are known before any row is, by place
    rows: int | None  # the rows of one run where the file fixes them and many are to go through

    @property
    def title(self) -> str:
        """The call in a sentence."""
        node = self.label or f"making {self.outputs[0]}"
        return f"operator {quoted(self.operator)} (node {quoted(node)})"

    @property
    def arriving(self) -> tuple[int, ...]:
        """The places of the inputs that come with each pass."""
        given = [place for place, name in enumerate(self.inputs) if name]
        return tuple(place for place in given if place not in self.constants)

    def with_carried(self, carried: Mapping[int, Tensor]) -> "Call":
        """The same call with constants that stand in its attributes put among the inputs."""
        if not carried:
            return self
        width = max(len(self.inputs), 1 + max(carried))
        names = [*self.inputs, *[""] * (width - len(self.inputs))]
        for place in carried:
            names[place] = f"attribute {place} of {self.outputs[0]}"
        return replace(self, inputs=tuple(names), constants={**self.constants, **carried})

    def integer(self, name: str, default: int = 0) -> int:
        """An attribute that is one integer."""
        return self.attributes[name].i if name in self.attributes else default

    def number(self, name: str, default: float) -> float:
        """An attribute that is one float."""
        return self.attributes[name].f if name in self.attributes else default

    def text(self, name: str, default: str) -> str:
        """An attribute that is a word."""
        return (
            self.attributes[name].s.decode(errors="replace") if name in self.attributes else default
        )

    def integers(self, name: str) -> list[int] | None:
        """An attribute that is a list of integers; None where it is left out."""
        return list(self.attributes[name].ints) if name in self.attributes else None

    def dtype(self, name: str) -> torch.dtype:
        """An attribute that names a type of numbers."""
        code = self.integer(name)
        if code not in _DTYPES:
            known = {number: word for word, number in TensorProto.DataType.items()}
            raise self.unknown(f"to the type {known.get(code, code)}")
        return _DTYPES[code]

    def unknown(self, how: str) -> UnknownOperator:
        """The error that says in which use the operator is not imported."""
        return UnknownOperator(
            f"The {self.title} {how} is not imported by Pellucid: the model can be opened as a box "
            "without gradients.",
            operator=self.operator,
            node=self.label,
        )


Carried = Callable[[Call], dict[int, Tensor]]


def promoted(**places: int) -> Carried:
    """Attributes of older operator sets, which stand for the inputs that took over from them."""

    def carried(call: Call) -> dict[int, Tensor]:
        given = {place: name for name, place in places.items() if name in call.attributes}
        return {place: _value(call.attributes[name]) for place, name in given.items()}

    return carried


def nothing(_call: Call) -> dict[int, Tensor]:
    """No attribute stands for an input."""
    return {}


def _value(attribute: AttributeProto) -> Tensor:
    """What an attribute of numbers holds, as the file's types have it."""
    readings: dict[int, Callable[[], Tensor]] = {
        AttributeProto.INT: lambda: torch.tensor(attribute.i),
        AttributeProto.INTS: lambda: torch.tensor(list(attribute.ints), dtype=torch.int64),
        AttributeProto.FLOAT: lambda: torch.tensor(attribute.f),
        AttributeProto.FLOATS: lambda: torch.tensor(list(attribute.floats), dtype=torch.float32),
        AttributeProto.TENSOR: lambda: tensor(attribute.t),
    }
    if attribute.type not in readings:
        kind = AttributeProto.AttributeType.Name(attribute.type)
        raise BadGraph(
            f"The attribute {quoted(attribute.name)} is of type {kind} where numbers are due: "
            "export the model again."
        )
    return readings[attribute.type]()


@dataclass(frozen=True, kw_only=True)
class Operator:
    """What the table says of one operator.

    `build` reads a call's attributes and returns the function that computes its outputs from its
    inputs, which come in the order of the ONNX standard, None for one that is left out.
    """

    build: Callable[[Call], Function]
    numbers: tuple[int, ...] = ()  # inputs that the function takes as lists of Python's numbers
    scalars: tuple[int, ...] = ()  # inputs that it takes as one, where they are one known number
    carried: Carried = nothing  # inputs that stand in the attributes
    several: bool = False  # the function returns a tuple


def plain(function: Function) -> Operator:
    """An operator without attributes."""
    return Operator(build=lambda _call: function)
