"""Balls: how far an input may be moved, and how to move it farthest."""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor

from pellucid.errors import UserError
from pellucid.rng import Streams
from pellucid.shapes import Batch, Each

NormName = Literal["l2", "linf"]


def spread(each: Tensor, like: Tensor) -> Tensor:
    """Numbers (*probes, rows), shaped so that it broadcasts against the rows `like`."""
    return each.reshape(*each.shape, *[1] * (like.ndim - each.ndim))


@runtime_checkable
class Norm(Protocol):
    """The geometry of one norm, on flattened rows (n, d)."""

    growth: float  # the norm of a vector of d ones is d ** growth

    def size(self, delta: Tensor) -> Tensor:
        """The norm of each row (n)."""
        ...

    def project(self, delta: Tensor, radius: Tensor | float) -> Tensor:
        """The nearest point whose norm is at most radius, one number or (n, 1)."""
        ...

    def steepest(self, gradient: Tensor) -> Tensor:
        """The step of norm one that climbs fastest; zero where the gradient is zero or NaN."""
        ...

    def sample(self, rng: Streams, d: int) -> Tensor:
        """A uniform point of the unit ball for each row."""
        ...


class _L2:
    growth = 0.5

    def size(self, delta: Tensor) -> Tensor:
        return torch.linalg.vector_norm(delta, dim=1)

    def project(self, delta: Tensor, radius: Tensor | float) -> Tensor:
        size = self.size(delta)[:, None].clamp_min(torch.finfo(delta.dtype).tiny)
        return delta * (radius / size).clamp_max(1)

    def steepest(self, gradient: Tensor) -> Tensor:
        # dividing by the largest entry first keeps tiny gradients from underflowing to zero
        top = gradient.abs().amax(1, keepdim=True)
        scaled = (gradient / torch.where(top > 0, top, 1)).nan_to_num_(0, 0, 0)
        return scaled / self.size(scaled)[:, None].clamp_min(1)

    def sample(self, rng: Streams, d: int) -> Tensor:
        direction = self.steepest(rng.normal(1, (d,))[0])
        return direction * rng.uniform(1, (1,))[0] ** (1 / d)


class _Linf:
    growth = 0.0

    def size(self, delta: Tensor) -> Tensor:
        return delta.abs().amax(1)

    def project(self, delta: Tensor, radius: Tensor | float) -> Tensor:
        if isinstance(radius, Tensor):  # clamp is ten times slower with tensors as bounds
            return torch.minimum(torch.maximum(delta, -radius), radius)
        return delta.clamp(-radius, radius)

    def steepest(self, gradient: Tensor) -> Tensor:
        return gradient.sign().nan_to_num_(0)

    def sample(self, rng: Streams, d: int) -> Tensor:
        return rng.uniform(1, (d,))[0] * 2 - 1


NORMS: dict[NormName, Norm] = {"l2": _L2(), "linf": _Linf()}


@dataclass(frozen=True)
class Ball:
    """All inputs within `radius` of a row, or the whole space when radius is None.

    With a radius, a row is done at its first success; without one, the nearest success counts.
    """

    norm: NormName = "l2"
    radius: float | None = None  # in the user's units

    def __post_init__(self) -> None:
        if self.norm not in NORMS:
            raise UserError(f"There is no norm {self.norm!r}: choose one of {', '.join(NORMS)}.")
        if self.radius is not None and not self.radius > 0:
            raise UserError(f"The radius of a ball must be positive, but it is {self.radius}.")

    def distance(self, a: Batch, b: Batch) -> Each:
        """How far apart the rows of a and b are."""
        return NORMS[self.norm].size((a - b).flatten(1))

    def project(self, z: Batch, x: Batch, radius: Each | float | None = None) -> Batch:
        """The point of the ball around x nearest to z; radius, if given, replaces the ball's."""
        limit = self.radius if radius is None else radius
        if limit is None:
            return z
        each = limit[:, None] if isinstance(limit, Tensor) else limit
        delta = NORMS[self.norm].project((z - x).flatten(1), each)
        return delta.add_(x.flatten(1)).reshape(x.shape)

    def steepest(self, gradient: Batch) -> Batch:
        """The step of size one that climbs fastest along the gradient."""
        return NORMS[self.norm].steepest(gradient.flatten(1)).reshape(gradient.shape)

    def sample(self, rng: Streams, x: Batch) -> Batch:
        """A uniform point of the ball around each row of x."""
        if self.radius is None:
            raise UserError("A ball without a radius cannot be sampled: give it a radius.")
        delta = self.radius * NORMS[self.norm].sample(rng, x[0].numel())
        return x + delta.reshape(x.shape)

    def limit(self, x: Batch) -> Each:
        """How far from each row of x a point may be measured, allowing for rounding of x."""
        if self.radius is None:
            return x.new_full((len(x),), torch.inf)
        scale = x.flatten(1).abs().amax(1).clamp_min(self.radius)
        unit = x[0].numel() ** NORMS[self.norm].growth * torch.finfo(x.dtype).eps
        return self.radius + 4 * unit * scale
