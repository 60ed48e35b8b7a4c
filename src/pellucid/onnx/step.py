"""One node of a graph as a torch module: a function, and the constants that it is given."""

from functools import partial

from onnx import defs
from torch import Tensor, nn

from pellucid.onnx.operators.call import Call, Operator
from pellucid.onnx.ports import BadGraph, reason

Fixed = list[int] | list[float] | int | float | None


class Step(nn.Module):
    """A node: its constants are parameters (or buffers), named as in the ONNX standard.

    Called with the values that arrive, in the order of `arriving`. Answers a tensor, or a tuple of
    tensors if the operator has several outputs.
    """

    def __init__(self, call: Call, operator: Operator) -> None:
        """The attributes of the call are read here, once."""
        super().__init__()
        self.operator = call.operator
        self.title = call.title
        self.function = operator.build(call)
        self.arriving = call.arriving
        self.read = frozenset(operator.numbers)
        self.fixed, tensors = _sorted(call, operator)
        self.tensors = tuple((place, _name(call, place)) for place in tensors)
        for place, name in self.tensors:
            self._keep(name, call.constants[place])

    def _keep(self, name: str, value: Tensor) -> None:
        if isinstance(value, nn.Parameter):
            self.register_parameter(name, value)
        else:
            self.register_buffer(name, value)

    @property
    def settings(self) -> dict[str, object]:
        """The node's attributes, as the function that computes it takes them."""
        return dict(self.function.keywords) if isinstance(self.function, partial) else {}

    def constants(self) -> dict[int, Tensor | Fixed]:
        """What stands at the inputs that no row changes, by place."""
        found: dict[int, Tensor | Fixed] = {
            place: value for place, value in enumerate(self.fixed) if value is not None
        }
        return found | {place: getattr(self, name) for place, name in self.tensors}

    def forward(self, *values: Tensor) -> Tensor | tuple[Tensor, ...]:
        """The node's outputs.

        Raises:
            BadGraph: torch cannot compute the operator for values such as these.
        """
        arguments: list[Tensor | Fixed] = [*self.fixed]
        for place, name in self.tensors:
            arguments[place] = getattr(self, name)
        try:
            for place, value in zip(self.arriving, values, strict=True):
                arguments[place] = value.flatten().tolist() if place in self.read else value
            return self.function(*arguments)
        except (ArithmeticError, IndexError, RuntimeError, TypeError, ValueError) as error:
            shapes = ", ".join(str(tuple(value.shape)) for value in values)
            raise BadGraph(
                f"The {self.title} fails on inputs of shape {shapes or 'none'}: {reason(error)}."
            ) from error

    def extra_repr(self) -> str:
        """The operator and everything that decides what it computes, the tensors apart."""
        settings = {k: v for k, v in self.settings.items() if not callable(v)}
        named = (f"{name}={value}" for name, value in settings.items())
        return ", ".join([self.operator, *map(repr, self.fixed), *named])


def _sorted(call: Call, operator: Operator) -> tuple[tuple[Fixed, ...], list[int]]:
    """The constants that Python reads, by place (None elsewhere), and the places of the others."""
    fixed: list[Fixed] = [None] * len(call.inputs)
    tensors: list[int] = []
    for place, value in call.constants.items():
        if place in operator.numbers:
            fixed[place] = value.flatten().tolist()
        elif place in operator.scalars and not value.ndim:
            fixed[place] = value.item()
        else:
            tensors.append(place)
    return tuple(fixed), sorted(tensors)


def _name(call: Call, place: int) -> str:
    """What the standard calls an input; the inputs of an open list are numbered."""
    formal = defs.get_schema(call.operator, call.version).inputs
    if place < len(formal) and formal[place].option != defs.OpSchema.FormalParameterOption.Variadic:
        return formal[place].name
    return f"{formal[-1].name}_{place}" if formal else "value"
