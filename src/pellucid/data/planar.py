"""Points in the plane, of classes whose shapes are known exactly; all lie in [-2, 2]."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

NOISE = 0.1  # standard deviation, cut off at three of it
CENTRES = ((-1.0, -1.0), (1.0, -1.0), (0.0, 1.0))  # of the blobs
SPREAD = 0.3  # standard deviation of a blob, cut off at three of it
RADII = (0.6, 1.4)  # of the rings

Points = NDArray[np.float64]  # (n, 2)
Classes = NDArray[np.int64]  # (n,)


def moons(y: Classes, rng: Generator) -> Points:
    """Two half circles of radius 1 that reach into each other, noisy."""
    angle = rng.uniform(0, np.pi, len(y))
    upper = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=1)
    return np.where(y[:, None] == 0, upper, -upper) + NOISE * _normal(rng, len(y))


def blobs(y: Classes, rng: Generator) -> Points:
    """Three Gaussian clouds."""
    return np.array(CENTRES)[y] + SPREAD * _normal(rng, len(y))


def rings(y: Classes, rng: Generator) -> Points:
    """Two circles about the origin, noisy: no line separates them."""
    angle = rng.uniform(0, 2 * np.pi, len(y))
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.array(RADII)[y, None] * circle + NOISE * _normal(rng, len(y))


def _normal(rng: Generator, rows: int) -> Points:
    return rng.standard_normal((rows, 2)).clip(-3, 3)
