"""Unsafe sets: the outputs that a network must not give, as a union of polytopes."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf, isfinite

import torch
from torch import Tensor

from pellucid.shapes import ScoreAnswer


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """The outputs y with coefficients . y <= bound."""

    coefficients: tuple[float, ...]  # one an output
    bound: float

    def met(self, y: Sequence[float]) -> bool:
        """Whether it holds, in exact arithmetic."""
        pairs = zip(self.coefficients, y, strict=True)
        total = sum((Fraction(c) * Fraction(value) for c, value in pairs if c), Fraction(0))
        return total <= Fraction(self.bound)


Polytope = tuple[Constraint, ...]  # the outputs that meet them all


@dataclass(frozen=True, kw_only=True)
class UnsafeSet:
    """The outputs that lie in any of some polytopes; all of them speak of as many outputs."""

    polytopes: tuple[Polytope, ...]

    @property
    def outputs(self) -> int:
        """How many outputs it speaks of."""
        return len(self.polytopes[0][0].coefficients)

    def contains(self, y: Sequence[float]) -> bool:
        """Whether an output lies inside, in exact arithmetic; one that is not finite does not."""
        if not all(map(isfinite, y)):
            return False
        return any(all(c.met(y) for c in polytope) for polytope in self.polytopes)

    def slacks(self, y: ScoreAnswer) -> Tensor:
        """How far each constraint is met (*probes, rows, polytopes, constraints).

        Computed in float64, in which sums of a few outputs hardly round; differentiable.
        A polytope of fewer constraints than another has more that are met infinitely far.
        """
        coefficients, bounds = (part.to(y.device) for part in self._stacked)
        return bounds - torch.einsum("pcy,...y->...pc", coefficients, y.double())

    def margin(self, y: ScoreAnswer) -> Tensor:
        """How deep inside outputs lie (*probes, rows): positive inside, zero on the border.

        It is the largest of the polytopes' margins, and a polytope's is the smallest of its
        constraints' slacks; differentiable.
        """
        return self.slacks(y).amin(-1).amax(-1)

    @cached_property
    def functions(self) -> Tensor:
        """The coefficients of all constraints in order (constraints, outputs), float64."""
        rows = [c.coefficients for polytope in self.polytopes for c in polytope]
        return torch.tensor(rows, dtype=torch.float64)

    @cached_property
    def bounds(self) -> Tensor:
        """The bounds of all constraints in order (constraints,), float64."""
        values = [c.bound for polytope in self.polytopes for c in polytope]
        return torch.tensor(values, dtype=torch.float64)

    @cached_property
    def owners(self) -> Tensor:
        """Which polytope each constraint belongs to (constraints,)."""
        sizes = torch.tensor([len(polytope) for polytope in self.polytopes])
        return torch.arange(len(sizes)).repeat_interleave(sizes)

    @cached_property
    def _stacked(self) -> tuple[Tensor, Tensor]:
        """Coefficients (polytopes, constraints, outputs) and bounds (polytopes, constraints)."""
        shape = len(self.polytopes), max(map(len, self.polytopes)), self.outputs
        coefficients = torch.zeros(shape, dtype=torch.float64)
        bounds = coefficients.new_full(shape[:2], inf)
        places = self.owners, torch.cat([torch.arange(len(each)) for each in self.polytopes])
        coefficients[places], bounds[places] = self.functions, self.bounds
        return coefficients, bounds
