"""Rows by whatever names them: a data set, a file or a folder."""

import os
from pathlib import Path

from pellucid.data.dataset import Dataset
from pellucid.data.errors import BadData
from pellucid.data.reading import read
from pellucid.data.registry import DATASETS, load


def find(reference: str | Path, split: str = "test", label: str | None = None) -> Dataset:
    """The rows that a reference names.

    Args:
        reference: a path, which has a slash or an ending, such as rows.npz, table.csv or
            folder/; or the name of a data set, such as mnist or moons:3. A folder that has
            neither is found too, unless a data set has its name.
        split: of a data set, train or test.
        label: the column of a table that holds the labels.

    Raises:
        UserError: in a sentence, for what cannot be found or used.
    """
    name = str(reference)
    path = Path(reference)
    folder = path.is_dir() and name not in DATASETS
    if folder or path.suffix or os.sep in name or "/" in name:
        return read(path, label)
    if label is not None:
        raise BadData(f"Only a table has a column of labels, and '{name}' is none; leave it out.")
    return load(name, split)
