"""Properties: in these regions of inputs, no output may lie in this unsafe set."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from pellucid.errors import UserError
from pellucid.verify.properties.region import Region
from pellucid.verify.properties.unsafe import UnsafeSet


class BadProperty(UserError):
    """A specification that cannot be read, or that speaks of another network."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Case:
    """One region, and what must not come out of it."""

    region: Region
    unsafe: UnsafeSet


@dataclass(frozen=True, eq=False, kw_only=True)
class Property:
    """A property holds if no x of a case's region has an output in that case's unsafe set."""

    cases: tuple[Case, ...]

    @property
    def inputs(self) -> int:
        """How many inputs it speaks of."""
        return len(self.cases[0].region)

    @property
    def outputs(self) -> int:
        """How many outputs it speaks of."""
        return self.cases[0].unsafe.outputs

    def violated(self, x: Float[Tensor, " d"], y: Sequence[float]) -> bool:
        """Whether the input x with its output y is a counterexample, without any tolerance."""
        return any(bool(case.region.contains(x)) and case.unsafe.contains(y) for case in self.cases)

    def check(self, inputs: int, outputs: int) -> None:
        """BadProperty unless it speaks of a network of so many inputs and outputs."""
        if (inputs, outputs) != (self.inputs, self.outputs):
            raise BadProperty(
                f"The property speaks of {self.inputs} inputs and {self.outputs} outputs, but the "
                f"model has {inputs} and {outputs}: give the specification of this model."
            )
