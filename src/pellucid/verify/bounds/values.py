"""What is known of a value while boxes go through a graph, and one use of an operator on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf

import torch
from torch import Tensor

from pellucid.errors import UserError
from pellucid.onnx.ports import quoted
from pellucid.onnx.step import Step


class NoBounds(UserError):
    """A graph uses an operator, or uses it in a way, that has no sound bound here."""

    def __init__(self, operator: str, how: str = "") -> None:
        """Which operator, and in which use of it."""
        super().__init__(
            f"Pellucid has no bounds for the operator {quoted(operator)}{how and ' '}{how}: cut "
            "the graph before it, or export the model without it."
        )
        self.operator = operator


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Where the numbers of a value lie, for each row."""

    low: Tensor  # (n, *shape), with the shape that a run of one row gives the value
    high: Tensor  # (n, *shape)

    @classmethod
    def around(cls, low: Tensor, high: Tensor, margin: Tensor | float = 0.0) -> "Interval":
        """The bounds moved apart by a margin; what is not a number is not bounded."""
        low = (low - margin).nan_to_num(nan=-inf, posinf=inf, neginf=-inf)
        return cls(low=low, high=(high + margin).nan_to_num(nan=inf, posinf=inf, neginf=-inf))

    @property
    def middle(self) -> Tensor:
        """The midpoint."""
        return self.low + (self.high - self.low) / 2

    @property
    def radius(self) -> Tensor:
        """Half of the width."""
        return (self.high - self.low) / 2

    @property
    def size(self) -> Tensor:
        """The largest absolute value."""
        return torch.maximum(self.low.abs(), self.high.abs())

    def meet(self, other: "Interval") -> "Interval":
        """What lies in both."""
        return Interval(
            low=torch.maximum(self.low, other.low), high=torch.minimum(self.high, other.high)
        )


def pullback(function: Callable, *points: Tensor) -> tuple[Tensor | tuple[Tensor, ...], Callable]:
    """A function at a point, and the transpose of its derivative there."""
    found = torch.func.vjp(function, *points)
    return found[0], found[1]


Argument = Interval | Tensor | list[int] | list[float] | int | float | None
Made = tuple[Interval | Tensor, ...]  # the outputs of a node; a tensor is the same for all rows


@dataclass(frozen=True, kw_only=True)
class Use:
    """An operator and what stands at its inputs, by place; what rows change is an interval."""

    step: Step
    given: tuple[Argument, ...]

    @property
    def intervals(self) -> dict[int, Interval]:
        """The inputs that rows change, by place."""
        return {i: value for i, value in enumerate(self.given) if isinstance(value, Interval)}

    @property
    def only(self) -> Interval:
        """The one input that rows change."""
        (interval,) = self.intervals.values()
        return interval

    def run(self, *values: Tensor) -> tuple[Tensor, ...]:
        """The outputs of a single row, with its values where rows differ."""
        arguments = [*self.given]
        for place, value in zip(self.intervals, values, strict=True):
            arguments[place] = value
        out = self.step.function(*arguments)
        return out if isinstance(out, tuple) else (out,)

    def at(self, values: Mapping[int, Tensor]) -> tuple[Tensor, ...]:
        """The outputs of rows, whose values (n, *shape) are given by place."""
        return torch.vmap(self.run)(*(values[place] for place in self.intervals))

    def __call__(self, x: Tensor) -> Tensor:
        """The one output of an operator of one input that rows change."""
        (out,) = torch.vmap(self.run)(x)
        return out

    def putting(self, values: Mapping[int, Tensor]) -> "Use":
        """The same use with other constants."""
        return replace(self, given=tuple(values.get(i, v) for i, v in enumerate(self.given)))

    def absolute(self, negated: tuple[int, ...] = (), zeroed: tuple[int, ...] = ()) -> "Use":
        """The same use with the absolute values of its constants, or their negatives, or zeros."""
        signs = dict.fromkeys(negated, -1.0) | dict.fromkeys(zeroed, 0.0)
        return self.putting(
            {
                place: value.abs() * signs.get(place, 1.0)
                for place, value in enumerate(self.given)
                if isinstance(value, Tensor) and value.is_floating_point()
            }
        )

    def spread(self, out: Tensor) -> int:
        """How many numbers one number of the output (n, *shape) is made of, or goes into."""
        sizes = [interval.low[:1].numel() for interval in self.intervals.values()]
        made = max(out[:1].numel(), 1)
        return -(-max(sizes) // made) + -(-made // max(min(sizes), 1))
