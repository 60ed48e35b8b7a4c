"""Tables that a user brings: CSV or Parquet files with typed columns and a column of labels."""

from pathlib import Path

import numpy as np
import torch

from pellucid.data.columns import RawColumn, as_classes, as_inputs
from pellucid.data.dataset import Dataset
from pellucid.data.errors import BadData
from pellucid.data.rows import check_rows, numbered
from pellucid.extras import extra

LABELS = ("y", "label", "target", "class")  # names, in small letters, of a column of labels
ENDINGS = (".csv", ".csv.gz", ".csv.xz", ".parquet")


def is_table(path: Path) -> bool:
    """Whether a file is a table by its name."""
    return path.name.lower().endswith(ENDINGS)


def read_table(path: Path, label: str | None = None) -> Dataset:
    """The rows of a table; x is (n, columns), with numbers as they are and categories as codes.

    Text and truth values are categories, coded 0, 1, ... in sorted order. So are labels, unless
    they are whole numbers: these are the numbers of the classes. Empty cells, NA, N/A, NaN and
    null are missing values.

    Args:
        path: a file that ends as ENDINGS say.
        label: the column of labels; None takes the only one that is named y, label, target or
            class.

    Raises:
        BadData: the file cannot be read, has no such column of labels, no other column, values
            that are missing or not finite, or columns that are neither numbers nor categories.
        MissingExtra: polars is not installed.
    """
    with extra("tables", "A table"):
        from pellucid.data.frames import read_columns
    columns = read_columns(path)
    labels = _labels(path, columns, label)
    _check_missing(path, columns)
    classes = as_classes(labels)
    inputs = [as_inputs(column) for column in columns if column is not labels]
    if not inputs:
        raise BadData(f"{path} has no column beside the labels in '{labels.name}'; give inputs.")
    x = np.stack([one.values for one in inputs], axis=1)
    check_rows(path, x, classes.y)
    return Dataset(
        name=path.name.partition(".")[0],
        split=None,
        x=torch.from_numpy(x),
        y=torch.from_numpy(classes.y),
        low=None,
        high=None,
        class_names=classes.names or numbered(classes.y),
        columns=tuple(one.column for one in inputs),
        provenance=f"The user's own file {path.name}.",
        guessed=(*classes.notes, *(note for one in inputs for note in one.notes)),
    )


def _labels(path: Path, columns: list[RawColumn], label: str | None) -> RawColumn:
    """The column of labels."""
    listed = ", ".join(f"'{column.name}'" for column in columns)
    if label is None:
        likely = [column for column in columns if column.name.lower() in LABELS]
        problem = f"{len(likely)} columns named {', '.join(LABELS[:-1])} or {LABELS[-1]}"
    else:
        likely = [column for column in columns if column.name == label]
        problem = f"{len(likely)} columns named '{label}'"
    if len(likely) != 1:
        raise BadData(f"{path} has {problem}; say which of its columns holds the labels: {listed}.")
    return likely[0]


def _check_missing(path: Path, columns: list[RawColumn]) -> None:
    gaps = [f"{column.missing} in '{column.name}'" for column in columns if column.missing]
    if gaps:
        raise BadData(
            f"{path} has missing values ({', '.join(gaps)}); fill them, or drop their rows or "
            "columns."
        )
