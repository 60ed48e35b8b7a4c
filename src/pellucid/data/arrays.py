"""Rows that a user brings in an .npz file: inputs x, labels y and perhaps class_names."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.data.archive import plain_arrays
from pellucid.data.dataset import Dataset
from pellucid.data.errors import BadData
from pellucid.data.rows import check_rows, guessed_bounds, numbered


def read_arrays(path: Path) -> Dataset:
    """The rows of an .npz file that holds x (n, *shape), y (n,) and perhaps class_names.

    Bytes become floats from 0 to 1. Other inputs stay in the user's units, and their bounds are
    guessed. Nothing is unpickled.

    Raises:
        BadData: the file is unreadable, lacks an array, or holds one of a wrong type or length, no
            rows, a value that is not finite, or a label that has no class.
    """
    arrays, found = plain_arrays(path, ("x", "y", "class_names"))
    if missing := [name for name in ("x", "y") if name not in arrays]:
        raise BadData(
            f"{path} has no array named {' or '.join(missing)} (it has {found}); save it with "
            "numpy.savez(path, x=x, y=y)."
        )
    x, y = arrays["x"], arrays["y"]
    _check_types(path, x, y)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused
        inputs, labels = x.astype(np.float32), y.astype(np.int64)
    check_rows(path, inputs, labels)
    bounds, guessed = guessed_bounds(inputs)
    if x.dtype == np.uint8:
        inputs /= 255
        bounds, guessed = (0.0, 1.0), ()
    low, high = bounds or (None, None)
    return Dataset(
        name=path.stem,
        split=None,
        x=torch.from_numpy(inputs),
        y=torch.from_numpy(labels),
        low=low,
        high=high,
        class_names=_class_names(path, arrays.get("class_names"), labels),
        provenance=f"The user's own file {path.name}.",
        guessed=guessed,
    )


def _check_types(path: Path, x: NDArray[np.generic], y: NDArray[np.generic]) -> None:
    if x.dtype.kind not in "fiu":
        raise BadData(f"In {path}, x must hold floats, integers or bytes, not {x.dtype}.")
    if y.dtype.kind not in "iu":
        raise BadData(f"In {path}, y must hold class numbers as integers, not {y.dtype}.")


def _class_names(
    path: Path, names: NDArray[np.generic] | None, y: NDArray[np.int64]
) -> tuple[str, ...]:
    if names is None:
        return numbered(y)
    if names.size <= y.max():
        raise BadData(f"In {path}, y goes up to {y.max()} but there are {names.size} names.")
    return tuple(str(name) for name in names.ravel())
