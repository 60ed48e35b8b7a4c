"""Boxes of inputs."""

from dataclasses import dataclass
from math import inf

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.errors import UserError


@dataclass(frozen=True, eq=False, kw_only=True)
class Region:
    """All inputs x with low <= x <= high, numbered as the specification numbers them."""

    low: Float[Tensor, " d"]
    high: Float[Tensor, " d"]  # may equal low

    def __post_init__(self) -> None:
        ends = torch.stack([self.low, self.high])
        if not bool(ends.isfinite().all() & (self.low <= self.high).all()):
            raise UserError(
                "A region of inputs must be finite, with no lower end above its upper end."
            )

    def __len__(self) -> int:
        return len(self.low)

    def contains(self, x: Float[Tensor, "*lead d"]) -> Bool[Tensor, "*lead"]:
        """Which inputs lie inside, without any tolerance."""
        wide = x.double()
        return ((wide >= self.low) & (wide <= self.high)).all(-1)

    def representable(self, dtype: torch.dtype) -> "Region | None":
        """The least box around the numbers of a type that lie inside; None if there are none."""
        low, high = self.low.to(dtype), self.high.to(dtype)
        low = torch.where(low.double() < self.low, low.nextafter(torch.full_like(low, inf)), low)
        high = torch.where(
            high.double() > self.high, high.nextafter(torch.full_like(high, -inf)), high
        )
        return Region(low=low, high=high) if bool((low <= high).all()) else None

    def widened(self) -> "Region":
        """The region with its ends moved apart by one rounding, which holds the decimals' box."""
        far = torch.full_like(self.low, inf)
        return Region(low=self.low.nextafter(-far), high=self.high.nextafter(far))
