"""How Square moves inside a ball: by signs in linf, by bumps in l2.

A move takes `dice` of each row, so many numbers uniform in [0, 1). A search is indexed by rows.
"""

from functools import lru_cache
from math import sqrt
from typing import Protocol, Self

import torch
from torch import Tensor

from pellucid.attack.evade._picture import planes
from pellucid.ball import NORMS, spread
from pellucid.rng import Streams
from pellucid.shapes import Batch
from pellucid.spec import Spec

TINY = 1e-10  # keeps an empty window from dividing by zero


class Search(Protocol):
    """Proposes points of a ball, one for each row."""

    dice: int  # random numbers that a move takes

    def __init__(self, spec: Spec, x: Batch, radius: float) -> None: ...

    def __getitem__(self, rows: Tensor) -> Self: ...

    def start(self, rng: Streams) -> Batch:
        """Where to begin."""
        ...

    def move(self, z: Batch, area: float, dice: Tensor) -> Batch:
        """Another point: z but for a window of so many pixels; dice (n, self.dice)."""
        ...


class Stripes(Search):
    """Each value is at an end of what it may be; a window of a channel goes to one end."""

    def __init__(self, spec: Spec, x: Batch, radius: float) -> None:
        """Around x, as far as the bounds let it go."""
        self._spec, self._x, self._radius = spec, x, radius
        self._picture = planes(x.shape[1:])
        self.dice = 2 + self._picture[0]
        self._low, self._high = spec.clamp(x - radius), spec.clamp(x + radius)
        channels = (len(x), self._picture[0], -1)
        self._flat_ends = self._low.reshape(channels), self._high.reshape(channels)

    def __getitem__(self, rows: Tensor) -> Self:
        return type(self)(self._spec, self._x[rows], self._radius)

    def start(self, rng: Streams) -> Batch:
        """Stripes from top to bottom, one pixel wide, up or down in each channel."""
        channels, _, width = self._picture
        return self._ends(rng.uniform(1, (channels, 1, width))[0] < 0.5)

    def move(self, z: Batch, area: float, dice: Tensor) -> Batch:
        """One end in each channel of a window, such that something changes."""
        _, height, width = self._picture
        rows, columns = sides(area, height, width)
        # as in the paper's code, a window leaves a line free
        size = min(rows, max(height - 1, 1)), min(columns, max(width - 1, 1))
        window = pixels(corner(dice[:, :2], size, self._picture), size, self._picture)
        flat = z.reshape(len(z), -1, height * width)
        low, high, old = (part.gather(2, window) for part in (*self._flat_ends, flat))
        up = dice[:, 2:, None] < 0.5
        still = (torch.where(up, high, low) == old).flatten(1).all(1)
        fresh = torch.where(up ^ still[:, None, None], high, low)
        return flat.scatter(2, window, fresh).reshape(z.shape)

    def _ends(self, up: Tensor) -> Batch:
        """The upper end where up, the lower elsewhere."""
        return torch.where(
            up.expand(-1, *self._picture).reshape(self._low.shape), self._high, self._low
        )


class Bumps(Search):
    """The norm of one window is taken away, and put into a bump in another."""

    def __init__(self, spec: Spec, x: Batch, radius: float) -> None:
        """Around x, on the sphere but for the bounds."""
        self._spec, self._x, self._radius = spec, x, radius
        self._picture = planes(x.shape[1:])
        self.dice = 5 + self._picture[0]

    def __getitem__(self, rows: Tensor) -> Self:
        return type(self)(self._spec, self._x[rows], self._radius)

    def start(self, rng: Streams) -> Batch:
        """Bumps side by side, five to an edge, up or down in each channel."""
        channels, height, width = self._picture
        size = max(height // 5, 1), max(width // 5, 1)
        tiles = -(-height // size[0]), -(-width // size[1])
        up = rng.uniform(1, (channels, *tiles))[0] < 0.5
        up = up.repeat_interleave(size[0], 2).repeat_interleave(size[1], 3)
        bumps = bump(*size).to(self._x).repeat(tiles)
        return self._onto_sphere(torch.where(up, bumps, -bumps)[..., :height, :width])

    def move(self, z: Batch, area: float, dice: Tensor) -> Batch:
        """A bump on top of one window, with the norm that another window gives up."""
        channels, height, width = self._picture
        rows, columns = sides(area, height, width, least=3)
        size = odd(rows, height), odd(columns, width)
        places = dice[:, :4].unflatten(1, (2, 2)).transpose(0, 1)
        here, there = pixels(corner(places, size, self._picture), size, self._picture)
        delta = (z - self._x).reshape(-1, channels, height * width)
        unused = (self._radius**2 - NORMS["l2"].size(delta.flatten(1)) ** 2).clamp_min(0)
        old = delta.gather(2, here)
        # what lies in both windows belongs to the first alone
        lost = delta.scatter_(2, here, 0).gather(2, there)
        held = size_of(old)
        room = unused[:, None, None] / channels + held**2 + size_of(lost) ** 2
        fresh = bumps(*size).to(z)[(dice[:, 4] < 0.5).long()][:, None]
        fresh = torch.where(dice[:, 5:, None] < 0.5, fresh, -fresh) + old / (held + TINY)
        fresh = fresh / (size_of(fresh) + TINY) * room.sqrt()
        return self._onto_sphere(delta.scatter_(2, there, 0).scatter_(2, here, fresh))

    def _onto_sphere(self, delta: Tensor) -> Batch:
        delta = delta.reshape(self._x.shape)
        stretch = self._radius / (NORMS["l2"].size(delta.flatten(1)) + TINY)
        return self._spec.clamp(delta.mul_(spread(stretch, delta)).add_(self._x))


def sides(area: float, height: int, width: int, least: int = 1) -> tuple[int, int]:
    """Height and width of a window of this area: a square if the picture is high enough."""
    side = max(round(sqrt(area)), least)
    if side <= height:
        return side, min(side, width)
    return height, min(max(round(area / height), least), width)


def odd(side: int, most: int) -> int:
    """The next odd number, or what there is room for."""
    return min(side + 1 - side % 2, most)


def corner(dice: Tensor, size: tuple[int, int], picture: tuple[int, int, int]) -> Tensor:
    """The top left pixel (*, 2) of a window of this size, anywhere in the picture."""
    rooms = dice.new_tensor([picture[1] - size[0] + 1, picture[2] - size[1] + 1])
    return (dice * rooms).long()


def pixels(place: Tensor, size: tuple[int, int], picture: tuple[int, int, int]) -> Tensor:
    """The numbers of the pixels of windows at (*, 2), as (*, channels, height * width of them)."""
    channels, _, width = picture
    numbers = place[..., :1] * width + place[..., 1:] + within(size, width)
    return numbers[..., None, :].expand(*place.shape[:-1], channels, -1)


@lru_cache
def within(size: tuple[int, int], width: int) -> Tensor:
    """By how much the number of each pixel of a window exceeds its first; do not write to it."""
    return (torch.arange(size[0])[:, None] * width + torch.arange(size[1])).flatten()


@lru_cache
def bumps(rows: int, columns: int) -> Tensor:
    """A bump upright and, if it is square, on its side: (2, rows * columns); do not write to it."""
    upright = bump(rows, columns)
    return torch.stack([upright, upright.T if rows == columns else upright]).flatten(1)


def bump(rows: int, columns: int) -> Tensor:
    """Two peaks side by side, one up and one down, of norm one (the paper's figure 4)."""
    if columns > rows:
        return bump(columns, rows).T
    both = torch.cat([peak(rows // 2, columns), -peak(rows - rows // 2, columns)])
    return both / torch.linalg.vector_norm(both)


def peak(rows: int, columns: int) -> Tensor:
    """A sum of squares around the middle, each less high the wider it is, of norm one."""
    middle = max(rows // 2, columns // 2) + 1
    heights = (1 / torch.arange(1, middle + 1) ** 2).flip(0).cumsum(0).flip(0)
    down = (torch.arange(rows) - rows // 2).abs()[:, None]
    across = (torch.arange(columns) - columns // 2).abs()
    whole = heights[torch.maximum(down, across)]
    return whole / torch.linalg.vector_norm(whole)


def size_of(values: Tensor) -> Tensor:
    """The norm of each channel of (n, channels, k), as (n, channels, 1)."""
    return torch.linalg.vector_norm(values, dim=2, keepdim=True)
