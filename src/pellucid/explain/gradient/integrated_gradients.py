"""Integrated gradients: what each input value adds on the way from a baseline."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from pellucid.box.protocols import GradBox
from pellucid.errors import UserError
from pellucid.explain._differentiate import differentiate
from pellucid.explain.attribution import Attribution
from pellucid.explain.targets import Target
from pellucid.shapes import Batch

RuleName = Literal["midpoint", "gauss-legendre"]
POINTS_AT_ONCE = 10  # of the path, a row: bounds the memory


def midpoint(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The middles of equal parts of [0, 1], and their weights."""
    return (np.arange(steps) + 0.5) / steps, np.full(steps, 1 / steps)


def gauss_legendre(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The points of [0, 1] that integrate polynomials up to degree 2 steps - 1 exactly."""
    points, weights = np.polynomial.legendre.leggauss(steps)
    return (points + 1) / 2, weights / 2


RULES: dict[RuleName, Callable[[int], tuple[np.ndarray, np.ndarray]]] = {
    "midpoint": midpoint,
    "gauss-legendre": gauss_legendre,
}


@dataclass(frozen=True, kw_only=True)
class IntegratedGradients:
    """Average the gradient on the straight path from a baseline, times the way along each value.

    Source: Sundararajan et al., ICML 2017, equation 1 and section 5.
    Needs: GradBox; explains logits.
    Cost: steps queries and gradients a row, and two queries to measure the gap.
    Differs: the integral is taken by a better rule than sums of right ends.
    """

    steps: int = 50  # points of the path
    baseline: float = 0.0  # what every value is on the other end; in the user's units
    rule: RuleName = "gauss-legendre"  # where the points lie, and what they weigh

    def __post_init__(self) -> None:
        if self.steps < 1 or self.rule not in RULES:
            raise UserError(
                f"Integrated gradients take 1 step or more and a rule of {', '.join(RULES)}, "
                f"not {self.steps} steps by {self.rule!r}."
            )

    def __call__(self, box: GradBox, x: Batch, target: Target) -> Iterator[Attribution]:
        """Yield the integral, with its gap."""
        start = self._start(box, x)
        with torch.no_grad():
            there, here = target(box.logits(torch.stack([x, start])))
        mean = torch.zeros_like(x)
        for part, weight in zip(*map(self._blocks, RULES[self.rule](self.steps)), strict=True):
            path = torch.stack([start.lerp(x, share) for share in part])
            for gradient, each in zip(differentiate(box, path, target), weight, strict=True):
                mean.add_(gradient, alpha=each)  # in the path's order, whoever shares the batch
        values = (x - start) * mean
        total = values.double().flatten(1).sum(1)
        yield Attribution(values=values, gap=(total - (there - here).double()).to(x))

    def _start(self, box: GradBox, x: Batch) -> Batch:
        """The baseline of each row; UserError if the model takes no such input."""
        start = torch.full_like(x, self.baseline)
        if not bool(box.spec.inside(start).all()):
            raise UserError(
                f"A baseline of {self.baseline:g} lies outside the bounds of {box.spec.input}: "
                "give one inside."
            )
        return start

    def _blocks(self, numbers: np.ndarray) -> list[list[float]]:
        """The numbers, some at a time."""
        return [part.tolist() for part in torch.from_numpy(numbers).split(POINTS_AT_ONCE)]
