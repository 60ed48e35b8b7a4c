"""Data that a user brings: an .npz file, a table, or a folder of images."""

from pathlib import Path

from pellucid.data.arrays import read_arrays
from pellucid.data.dataset import Dataset
from pellucid.data.errors import BadData
from pellucid.data.images import read_images
from pellucid.data.tables import is_table, read_table


def read(path: str | Path, label: str | None = None) -> Dataset:
    """The rows of an .npz file, of a CSV or Parquet table, or of a folder ROOT/CLASS/IMAGE.

    Args:
        path: where they are.
        label: the column of a table that holds the classes; None takes the one named y, label,
            target or class.

    Raises:
        BadData: there is nothing at the path, or it cannot be used as it stands.
        MissingExtra: it is a table and polars is not installed.
    """
    path = Path(path)
    if is_table(path) and path.is_file():
        return read_table(path, label)
    if label is not None:
        raise BadData(f"Only a table has a column of labels, and {path} is none; leave it out.")
    if path.is_dir():
        return read_images(path)
    if not path.is_file():
        raise BadData(
            f"There is no data file at {path}; give the path of an .npz file, a CSV or Parquet "
            "table, or a folder of images."
        )
    if path.suffix != ".npz":
        raise BadData(
            f"{path} is of a kind that cannot be read; give an .npz file, a table (.csv, .csv.gz, "
            ".csv.xz or .parquet), or a folder of images."
        )
    return read_arrays(path)
