"""Small colour images of discs and crosses on textured ground, that a CNN learns in seconds.

A class is an outline and one of four colours: red or blue, bright or dark. So a model that is fed
with its channels in another order, or on another scale, errs visibly.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

SIZE = 32  # pixels
OUTLINES = ("disc", "cross")
COLOURS = {
    "red": (0.85, 0.2, 0.2),
    "dark red": (0.45, 0.1, 0.1),
    "blue": (0.2, 0.2, 0.85),
    "dark blue": (0.1, 0.1, 0.45),
}
CLASS_NAMES = tuple(f"{colour} {outline}" for colour in COLOURS for outline in OUTLINES)
LEVELS = 255  # images are rounded to bytes, as cameras give them

Planes = NDArray[np.float64]  # (n, channels, SIZE, SIZE); one channel stands for all


def coloured_shapes(y: NDArray[np.int64], rng: Generator) -> NDArray[np.float64]:
    """One image of each class in y (n,): (n, 3, SIZE, SIZE) from 0 to 1."""
    colour = np.array(list(COLOURS.values()))[y // len(OUTLINES)]
    colour = colour + rng.uniform(-0.08, 0.08, (len(y), 3))
    cover = _cover(y % len(OUTLINES), rng)
    x = cover * colour[:, :, None, None] + (1 - cover) * _ground(len(y), rng)
    x += rng.normal(0, 0.02, x.shape)
    return np.round(LEVELS * x.clip(0, 1)) / LEVELS


def _cover(outline: NDArray[np.int64], rng: Generator) -> Planes:
    """How much of each pixel the shape covers, (n, 1, SIZE, SIZE)."""
    each = (len(outline), 1, 1, 1)
    centre = SIZE / 2 + rng.uniform(-4, 4, (2, *each))
    turn = rng.uniform(-0.4, 0.4, each)  # radians
    radius = rng.uniform(7, 11, each)  # pixels
    down, across = np.mgrid[:SIZE, :SIZE] + 0.5
    u, v = across - centre[0], down - centre[1]
    u, v = abs(np.cos(turn) * u + np.sin(turn) * v), abs(np.cos(turn) * v - np.sin(turn) * u)
    disc = np.hypot(u, v) - radius  # how far a pixel lies outside, in pixels; negative inside
    beam = np.maximum(u - radius, v - 0.3 * radius)
    mast = np.maximum(u - 0.3 * radius, v - radius)
    outside = np.where(outline.reshape(each) == 0, disc, np.minimum(beam, mast))
    return (0.5 - outside).clip(0, 1)


def _ground(rows: int, rng: Generator) -> Planes:
    """A greyish tone with two waves across it, (n, 3, SIZE, SIZE)."""
    tone = rng.uniform(0.2, 0.7, (rows, 1, 1, 1)) + rng.uniform(-0.08, 0.08, (rows, 3, 1, 1))
    down, across = np.mgrid[:SIZE, :SIZE]
    waves = np.zeros((rows, 1, SIZE, SIZE))
    for _ in range(2):
        a, b = rng.uniform(-1, 1, (2, rows, 1, 1, 1))  # radians a pixel
        phase = rng.uniform(0, 2 * np.pi, (rows, 1, 1, 1))
        waves += 0.08 * np.sin(a * down + b * across + phase)
    return tone + waves
