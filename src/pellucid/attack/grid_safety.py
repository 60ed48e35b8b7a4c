"""Safety by search: a grid that is fine enough for the model's slope leaves nothing between."""

from itertools import product

import torch
from torch import Tensor

from pellucid.ball import NormName
from pellucid.box.protocols import ScoreBox
from pellucid.errors import UserError
from pellucid.goals import misled
from pellucid.shapes import Batch, Each, Labels, RowNumbers, Verdicts

# a point may be half a spacing away along each of k dimensions at once
COVERING: dict[NormName, float] = {"l2": 0.5, "linf": 0.0}  # power of k


def covering_radius(spacing: float, dimensions: int, norm: NormName) -> float:
    """How far any point of a region is from the nearest point of its grid, at most."""
    return spacing / 2 * dimensions ** COVERING[norm]


def grid(x: Batch, values: RowNumbers, radius: float, points: int) -> Tensor:
    """Each row with the values of these numbers (k) on a grid of `points` each way.

    (points ** k, n, *shape): from radius below to radius above, both ends included.

    Raises:
        UserError: fewer than two points each way, or no radius.
    """
    if points < 2 or not radius > 0:
        raise UserError("A grid needs two points each way at least, and a radius above zero.")
    steps = torch.linspace(-radius, radius, points).tolist()
    offsets = torch.tensor([*product(steps, repeat=len(values))]).to(x)
    out = x.flatten(1).repeat(len(offsets), 1, 1)
    out[:, :, values] += offsets[:, None]
    return out.reshape(len(offsets), *x.shape)


def least_margin(
    box: ScoreBox, y: Labels, x: Batch, values: RowNumbers, radius: float, points: int
) -> Each:
    """The least lead of y's score over any other on the grid of each row.

    Costs points ** k queries a row. The grid must lie within the bounds of the input.
    """
    return -misled(y).margin(box.scores(grid(x, values, radius, points))).amax(0)


def proves_safe(
    margin: Each, lipschitz: float, spacing: float, dimensions: int, norm: NormName
) -> Verdicts:
    """Whether the class cannot change anywhere in the region of each grid.

    The guarantee of Wicker et al., TACAS 2018: if a class leads at all points of the grid by more
    than a lead can fall on the way to what is farthest from the grid, it leads everywhere.

    Args:
        margin: the least lead on each grid.
        lipschitz: of every difference of two scores, in this norm.
        spacing: of the grid.
        dimensions: along which the region extends.
        norm: in which `lipschitz` is.
    """
    return margin > lipschitz * covering_radius(spacing, dimensions, norm)
