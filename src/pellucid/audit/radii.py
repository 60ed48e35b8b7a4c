"""How far an audit moves inputs: radii of the two norms, for each kind of input."""

from math import isfinite, prod, sqrt

from pellucid.ball import NormName
from pellucid.spec import Dense, Image

GREY = (0.01, 0.03, 0.1, 0.3)  # linf, of the input's range; vectors are moved as far
COLOUR = (1 / 255, 2 / 255, 4 / 255, 8 / 255)


def radii(dense: Dense, norm: NormName) -> tuple[float, ...]:
    """Four radii in the input's units, the least first.

    An l2 radius is half of what the corners of the linf ball are away.
    """
    colour = isinstance(dense, Image) and dense.shape[0] > 1
    span = dense.high - dense.low
    scale = span if norm == "linf" else span * sqrt(prod(dense.shape)) / 2
    return tuple(share * scale for share in (COLOUR if colour else GREY))


def bounded(dense: Dense) -> bool:
    """Whether the inputs have a range that radii can be shares of."""
    return isfinite(dense.high - dense.low)
