"""Bounds that are guessed of values."""

import numpy as np
import pytest

from pellucid.data.rows import guessed_bounds


@pytest.mark.parametrize(
    ("least", "greatest", "vectors", "images"),
    [
        (0, 1, (0, 1), (0, 1)),
        (0.2, 0.3, (0, 1), (0, 1)),
        (-0.01, 1, (-1, 1), (-1, 1)),
        (0, 1.01, None, None),
        (0, 128, None, (0, 255)),
        (0, 127, None, None),  # it could be 7-bit, percent, or 16 grey levels
        (0, 255, None, (0, 255)),
        (0, 256, None, None),
        (-1, 255, None, None),
        (-2.1, 2.6, None, None),  # normalised already
    ],
)
def test_guesses(least, greatest, vectors, images):
    flat = np.array([[least], [greatest]], np.float32)
    for x, bounds in ((flat, vectors), (flat.reshape(2, 1, 1), images)):
        found, notes = guessed_bounds(x)
        assert found == bounds
        assert len(notes) == (bounds is not None)
