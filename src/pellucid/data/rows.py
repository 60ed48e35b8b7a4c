"""What is checked of the rows that a user brings, and what is guessed of them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pellucid.data.errors import BadData

GUESSES = ((0.0, 1.0), (-1.0, 1.0))  # bounds that models are commonly trained with
BYTES = (0.0, 255.0)
CLASSES = 2**20  # more are no classes: identifiers, say
HALF = 127.5  # images whose values stay below it are not taken for unscaled bytes


def check_rows(path: Path, x: NDArray[np.float32], y: NDArray[np.int64]) -> None:
    """Refuse rows x (n, *shape) and labels y (n,) that do not belong together or hold no values.

    Raises:
        BadData: they differ in length, are empty, or hold NaN, infinity or no class number.
    """
    if x.ndim < 2 or y.ndim != 1 or len(x) != len(y):
        raise BadData(
            f"In {path}, x must be (n, ...) and y (n,) with one n, not {x.shape} and {y.shape}."
        )
    if not x.size:
        raise BadData(f"In {path}, x has shape {x.shape} and so no values; give at least one row.")
    wrong = ~np.isfinite(x.reshape(len(x), -1)).all(axis=1)
    if wrong.any():
        raise BadData(
            f"In {path}, {wrong.sum()} rows of x hold NaN, infinity or more than float32 can "
            f"(the first is row {wrong.argmax()}); drop or mend them."
        )
    for extreme in (y.min(), y.max()):
        if not 0 <= extreme < CLASSES:
            raise BadData(
                f"In {path}, y holds {extreme}; classes are numbered from 0 to {CLASSES - 1}."
            )


def numbered(y: NDArray[np.int64]) -> tuple[str, ...]:
    """Names for classes that have none: their numbers."""
    return tuple(str(number) for number in range(int(y.max()) + 1))


def guessed_bounds(x: NDArray[np.float32]) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """The bounds that rows (n, *shape) seem to have, and the sentence that says so.

    They are [0, 1] or [-1, 1] where all values lie in them. Images, whose rows have two axes or
    more, may also be bytes from 0 to 255. Other values have no bounds that can be guessed.
    """
    least, greatest = float(x.min()), float(x.max())
    images = x.ndim > 2
    for low, high in (*GUESSES, BYTES) if images and greatest > HALF else GUESSES:
        if low <= least and greatest <= high:
            return (low, high), (
                f"The bounds of the inputs are not stated: {low:g} to {high:g} was guessed, since "
                f"all values lie from {least:.4g} to {greatest:.4g}.",
            )
    return None, ()
