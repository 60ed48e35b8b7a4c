"""A change of variable that keeps points within bounds of itself."""

from dataclasses import dataclass
from math import isfinite

import torch

from pellucid.shapes import Batch
from pellucid.spec import Dense

INSIDE = 0.999999  # of the half range: a point on a bound would lie at infinity


@dataclass(frozen=True)
class TanhSpace:
    """Points between two bounds as middle + half * tanh(w)."""

    middle: float
    half: float  # of the range

    def leave(self, x: Batch) -> Batch:
        """The w of each point."""
        t = (x - self.middle) / self.half * INSIDE
        # atanh, whose own bits depend on where in a batch a number stands
        return (torch.log1p(t) - torch.log1p(-t)) / 2

    def enter(self, w: Batch) -> Batch:
        """The point of each w."""
        return self.middle + self.half * torch.tanh(w)

    def slope(self, w: Batch) -> Batch:
        """How fast the point moves with w."""
        return self.half * (1 - torch.tanh(w) ** 2)


@dataclass(frozen=True)
class OpenSpace:
    """Points without bounds, as they are."""

    def leave(self, x: Batch) -> Batch:
        """The point itself."""
        return x.clone()

    def enter(self, w: Batch) -> Batch:
        """The point itself."""
        return w

    def slope(self, w: Batch) -> Batch:
        """One."""
        return torch.ones_like(w)


def space_of(dense: Dense) -> TanhSpace | OpenSpace:
    """The change of variable that the bounds of an input ask for."""
    if not (isfinite(dense.low) and isfinite(dense.high)):
        return OpenSpace()
    return TanhSpace((dense.low + dense.high) / 2, (dense.high - dense.low) / 2)
