"""How a lower bound that is linear in a node's outputs becomes one that is linear in its inputs.

Coefficients are (r, m, *shape): m linear functions of a value for each row, or with r = 1 the same
for all rows. Each link bounds every one of them from below for all points of the boxes.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.verify.bounds.values import Interval, Use, pullback


@dataclass(frozen=True, kw_only=True)
class Link(ABC):
    """One node on the way back."""

    scale: tuple[Tensor, ...]  # for each output, what its errors are relative to: (n, *shape)
    terms: int = 1  # how many are added up for one number

    @abstractmethod
    def back(self, coefficients: tuple[Tensor, ...]) -> tuple[dict[int, Tensor], Tensor]:
        """Coefficients of the inputs, by place, and what is added: (n, m), or (1, m)."""


def dot(coefficients: Tensor, values: Tensor) -> Tensor:
    """The linear functions (r, m, *shape) at values (n, *shape): (n, m)."""
    rows, values = coefficients.flatten(2), values.flatten(1)
    if len(rows) == 1:
        return values @ rows[0].T
    return torch.bmm(rows, values[..., None])[..., 0]


def signs(coefficients: Tensor) -> tuple[Tensor, Tensor]:
    """The positive part and the negative part."""
    return coefficients.clamp_min(0), coefficients.clamp_max(0)


@dataclass(frozen=True, kw_only=True)
class Cut(Link):
    """The outputs are replaced by their bounds; nothing goes further back."""

    outputs: tuple[Interval, ...]

    @classmethod
    def of(cls, *outputs: Interval) -> "Cut":
        """The cut at these outputs; errors are relative to their sizes."""
        return cls(outputs=outputs, scale=tuple(out.size for out in outputs))

    def back(self, coefficients: tuple[Tensor, ...]) -> tuple[dict[int, Tensor], Tensor]:
        """The least that the functions take on the outputs' bounds."""
        parts = [least(a, out) for a, out in zip(coefficients, self.outputs, strict=True)]
        return {}, torch.stack(torch.broadcast_tensors(*parts)).sum(0)


def least(coefficients: Tensor, interval: Interval) -> Tensor:
    """The least of linear functions over an interval: (n, m)."""
    above, below = signs(coefficients)
    return dot(above, interval.low) + dot(below, interval.high)


@dataclass(frozen=True, kw_only=True)
class Affine(Link):
    """The outputs are affine in the inputs, the same for all rows: the transpose is exact."""

    use: Use

    def back(self, coefficients: tuple[Tensor, ...]) -> tuple[dict[int, Tensor], Tensor]:
        """The transpose, by automatic differentiation at zero, and the offset."""
        inputs = self.use.intervals
        zeros = [torch.zeros_like(interval.low[0]) for interval in inputs.values()]
        offsets, pull = pullback(lambda *x: self.use.run(*x)[: len(coefficients)], *zeros)
        lead = coefficients[0].shape[:2]
        pulled = torch.vmap(pull)(tuple(a.flatten(0, 1) for a in coefficients))
        found = {i: p.unflatten(0, lead) for i, p in zip(inputs, pulled, strict=True)}
        pairs = zip(coefficients, offsets, strict=True)
        return found, torch.stack([a.flatten(2) @ out.flatten() for a, out in pairs]).sum(0)


@dataclass(frozen=True, kw_only=True)
class Lines(Link):
    """Each number of the output lies between two lines in the same number of the input."""

    place: int  # of the input
    below: tuple[Tensor, Tensor]  # slope and offset, each (n, *shape)
    above: tuple[Tensor, Tensor]

    def back(self, coefficients: tuple[Tensor, ...]) -> tuple[dict[int, Tensor], Tensor]:
        """The line below where a coefficient is positive, the line above where it is negative."""
        up, down = signs(coefficients[0])
        slopes = up * self.below[0][:, None] + down * self.above[0][:, None]
        return {self.place: slopes}, dot(up, self.below[1]) + dot(down, self.above[1])


@dataclass(frozen=True, kw_only=True)
class Tangent(Link):
    """A maximum of its inputs: above its tangent at their middle, below its own upper bound."""

    use: Use
    output: Interval

    @classmethod
    def of(cls, use: Use, output: Interval) -> "Tangent":
        """The tangent; what it touches is within the output's bounds, and counts once more."""
        return cls(use=use, output=output, scale=(2 * output.size,))

    def back(self, coefficients: tuple[Tensor, ...]) -> tuple[dict[int, Tensor], Tensor]:
        """Through the largest of the middles where a coefficient is positive."""
        up, down = signs(coefficients[0])
        inputs = self.use.intervals
        middles = tuple(interval.middle for interval in inputs.values())
        up = up.expand(len(middles[0]), *up.shape[1:])

        def row(a: Tensor, *points: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
            (out,), pull = pullback(self.use.run, *points)
            found = torch.vmap(lambda one: pull((one,)))(a)
            at = sum(f.flatten(1) @ p.flatten() for f, p in zip(found, points, strict=True))
            return found, a.flatten(1) @ out.flatten() - at

        found, added = torch.vmap(row)(up, *middles)
        return dict(zip(inputs, found, strict=True)), added + dot(down, self.output.high)
