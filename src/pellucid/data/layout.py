"""The order of axes: rows as the user has them, arranged as the model wants them."""

from math import prod

from jaxtyping import Float
from torch import Tensor

from pellucid.data.errors import BadData
from pellucid.shapes import Batch

Arranged = Float[Tensor, "n *arranged"]


def arranged(x: Batch, shape: tuple[int, ...]) -> tuple[Arranged, str | None]:
    """The rows in the shape that a model wants, and what was taken for granted of their axes.

    Rows (h, w, c) become (c, h, w), rows (h, w) become (1, h, w), and where a model takes a line of
    numbers, tables and grey images of as many become one, row by row. Nothing else is moved: the
    channels of a colour image can stand in a line in more than one order.

    Args:
        x: rows (n, *shape as they are).
        shape: what one row should be.

    Raises:
        BadData: they cannot become it.
    """
    rows = tuple(x.shape[1:])
    if rows == shape:
        return x, None
    if len(shape) == 3 and rows == (*shape[1:], shape[0]):
        return x.movedim(-1, 1).contiguous(), (
            f"The rows are {rows} and the model takes {shape}, so they were read as height, width, "
            "channels and turned to channels, height, width."
        )
    if len(shape) == 3 and rows == shape[1:] and shape[0] == 1:
        return x.unsqueeze(1), (
            f"The rows are {rows} and the model takes {shape}, so they were read as grey images "
            "and given an axis of one channel."
        )
    grey = len(rows) < 3 or (len(rows) == 3 and rows[0] == 1)
    if grey and max(shape) == prod(shape) == prod(rows):
        return x.reshape(-1, *shape), (
            f"The rows are {rows} and the model takes {shape}, so their numbers were put in one "
            "line, in the order in which they stand."
        )
    raise BadData(
        f"The model takes rows of shape {shape} but the data has rows of shape {rows}: reshape "
        "the data, or open the model with the shape that it takes."
    )
