"""Between which values the data lie, and how that fits the bounds of an input."""

from dataclasses import dataclass
from math import isfinite

from pellucid.opening.doubts.use import Use
from pellucid.opening.opened import source
from pellucid.shapes import Batch

UNITS = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))  # the usual ranges of images
SLIGHT = 1e-6  # of the width: what rounding moves
NARROW = 0.02  # of the width: data that use less are on another scale


@dataclass(frozen=True, kw_only=True)
class Extent:
    """What the rows use of their bounds."""

    least: float  # the least value of the rows
    most: float  # the greatest
    outside: int  # rows that go outside the bounds
    narrow: bool  # all rows lie in a small part of the bounds

    @property
    def fits(self) -> bool:
        """Whether the bounds may be those of the rows."""
        return not self.outside and not self.narrow


def extent(use: Use) -> Extent:
    """How the rows of a use lie within the bounds of its facts, which may be infinite."""
    spec = source(use.opened.facts)
    least, most = float(use.x.min()), float(use.x.max())
    bounded = isfinite(spec.low) and isfinite(spec.high)
    slack = SLIGHT * (spec.high - spec.low) if bounded else 0.0
    inside = ((use.x >= spec.low - slack) & (use.x <= spec.high + slack)).flatten(1).all(-1)
    return Extent(
        least=least,
        most=most,
        outside=int((~inside).sum()),
        narrow=bounded and most - least < NARROW * (spec.high - spec.low),
    )


def unit_of(x: Batch, low: float | None, high: float | None) -> tuple[float, float]:
    """The range of the data: as it says itself, the narrowest usual one, or that of its values."""
    least, most = float(x.min()), float(x.max())
    if low is not None and high is not None and low <= least and most <= high:
        return low, high
    for lowest, highest in UNITS:
        if lowest <= least and most <= highest:
            return lowest, highest
    return (least, most) if least < most else (least, least + 1)


def bounds_for(use: Use, unit: tuple[float, float]) -> tuple[float, float] | None:
    """The bounds as they are, or the range of the data if they do not fit it."""
    return use.opened.facts.bounds if extent(use).fits else unit
