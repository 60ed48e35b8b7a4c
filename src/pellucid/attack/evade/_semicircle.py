"""The plane of an input, a point and a direction there; and the semicircle from point to input."""

from dataclasses import dataclass
from typing import Self

import torch

from pellucid.attack.evade._box_projection import dot
from pellucid.ball import Ball, spread
from pellucid.shapes import Batch, Counts, Each

L2 = Ball("l2")


@dataclass(frozen=True, eq=False, kw_only=True)
class Semicircle:
    """All points of a plane that see x and z at a right angle, on the side of a direction."""

    x: Batch  # inputs (n, *shape)
    z: Batch  # points (n, *shape) at the other end of the diameter
    diameter: Each
    ahead: Batch  # the unit vector from x to z
    aside: Batch  # the unit vector at a right angle to it, in the plane; zero where there is none
    angle: Each  # between the direction and `ahead`, 0 to pi

    @classmethod
    def beside(cls, x: Batch, z: Batch, direction: Batch) -> Self:
        """Over the diameter from z to x, on the side where the direction points."""
        ahead, unit = L2.steepest(z - x), L2.steepest(direction)
        across, cosine = _less(unit, ahead)
        # once more, as the first difference may be rounding; if little is left, all of it was
        aside, slip = _less(L2.steepest(across), ahead)
        return cls(
            x=x,
            z=z,
            diameter=L2.distance(z, x),
            ahead=ahead,
            aside=torch.where(spread(slip.abs() < 0.5, x), L2.steepest(aside), 0),
            angle=torch.atan2(L2.distance(across, torch.zeros_like(x)), cosine),
        )

    def __call__(self, angle: Each, rows: Counts) -> Batch:
        """The points in these directions from x, one angle a row: 0 is z itself, pi / 2 is x.

        No point is farther from x than z: its distance is diameter * cos(angle).
        """
        x = self.x[rows]
        heading = (
            spread(angle.cos(), x) * self.ahead[rows] + spread(angle.sin(), x) * self.aside[rows]
        )
        point = x + spread(self.diameter[rows] * angle.cos(), x) * heading
        return torch.where(spread(angle == 0, x), self.z[rows], point)


def _less(a: Batch, unit: Batch) -> tuple[Batch, Each]:
    """What of a is at a right angle to a unit vector, and how far it goes along it."""
    along = dot(a.flatten(1), unit.flatten(1))
    return a - spread(along, a) * unit, along
