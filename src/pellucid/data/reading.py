"""Data that a user brings: an .npz file with inputs x and labels y."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.data.dataset import Dataset
from pellucid.errors import UserError


class BadData(UserError):
    """A data file cannot be used as it stands."""


def read(path: str | Path) -> Dataset:
    """The rows of an .npz file that holds x (n, *shape), y (n,) and perhaps class_names.

    Inputs stay in the user's units: bytes become floats from 0 to 255 and nothing is scaled.
    Nothing is unpickled.

    Raises:
        BadData: the file is missing or unreadable, lacks an array, or holds one of a wrong type or
            length, no rows, a value that is not finite, or a label that has no class.
    """
    path = Path(path)
    arrays = _arrays(path)
    x, y = arrays["x"], arrays["y"]
    _check_types(path, x, y)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused
        inputs, labels = x.astype(np.float32), y.astype(np.int64)
    _check_rows(path, inputs, labels)
    bytes_only = x.dtype == np.uint8
    return Dataset(
        name=path.stem,
        split=None,
        x=torch.from_numpy(inputs),
        y=torch.from_numpy(labels),
        low=0.0 if bytes_only else None,
        high=255.0 if bytes_only else None,
        class_names=_class_names(path, arrays, classes=int(labels.max()) + 1),
    )


def _arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    if not path.is_file():
        raise BadData(f"There is no data file at {path}; give the path of an .npz file.")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            found = archive.files
            arrays = {name: archive[name] for name in ("x", "y", "class_names") if name in found}
    except (BadZipFile, EOFError, OSError, TypeError, ValueError) as error:
        raise BadData(
            f"{path} cannot be read as an .npz file of plain arrays; save it again with "
            "numpy.savez(path, x=x, y=y)."
        ) from error
    if missing := [name for name in ("x", "y") if name not in arrays]:
        raise BadData(
            f"{path} has no array named {' or '.join(missing)} (it has {', '.join(found) or 'none'}"
            "); save it with numpy.savez(path, x=x, y=y)."
        )
    return arrays


def _check_types(path: Path, x: NDArray[np.generic], y: NDArray[np.generic]) -> None:
    if x.dtype.kind not in "fiu":
        raise BadData(f"In {path}, x must hold floats, integers or bytes, not {x.dtype}.")
    if y.dtype.kind not in "iu":
        raise BadData(f"In {path}, y must hold class numbers as integers, not {y.dtype}.")


def _check_rows(path: Path, x: NDArray[np.float32], y: NDArray[np.int64]) -> None:
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
    if (y < 0).any():
        raise BadData(f"In {path}, y holds {y.min()}; classes are numbered from 0.")


def _class_names(
    path: Path, arrays: dict[str, NDArray[np.generic]], classes: int
) -> tuple[str, ...]:
    if "class_names" not in arrays:
        return tuple(str(number) for number in range(classes))
    names = tuple(str(name) for name in arrays["class_names"].ravel())
    if len(names) < classes:
        raise BadData(f"In {path}, y goes up to {classes - 1} but there are {len(names)} names.")
    return names
