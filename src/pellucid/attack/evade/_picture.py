"""Any input seen as a picture: what attacks that work by pixels and waves share."""

from math import pi, prod

import torch
from torch import Tensor

from pellucid.rng import Streams
from pellucid.shapes import Draws


def planes(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Channels, height and width of rows of this shape; a vector is one line of pixels."""
    *front, height, width = (1, *shape)
    return prod(front), height, width


def cosines(size: int, waves: int, like: Tensor) -> Tensor:
    """The first waves of the orthonormal discrete cosine transform (DCT-II), (waves, size)."""
    wave, place = torch.arange(waves).double()[:, None], torch.arange(size).double()
    basis = torch.cos(pi / size * (place + 0.5) * wave) * (2 / size) ** 0.5
    basis[0] /= 2**0.5
    return basis.to(like)


def low_waves(rng: Streams, count: int, shape: tuple[int, ...], waves: tuple[int, int]) -> Draws:
    """Gaussian pictures (count, rows, *shape) of so many of the lowest waves down and across."""
    channels, height, width = planes(shape)
    rows, columns = min(waves[0], height), min(waves[1], width)
    if (rows, columns) == (height, width):
        return rng.normal(count, shape)  # all waves: another orthonormal basis of the same noise
    draws = rng.normal(count, (channels, rows, columns))
    up, across = cosines(height, rows, draws), cosines(width, columns, draws)
    # a product a picture: one of all together has other bits in other company
    flat = draws.reshape(-1, rows, columns)
    flat = torch.bmm(up.T.expand(len(flat), -1, -1), flat)
    flat = torch.bmm(flat, across.expand(len(flat), -1, -1))
    return flat.reshape(*draws.shape[:2], *shape)
