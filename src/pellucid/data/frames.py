"""Reads CSV and Parquet files with polars: importing this needs the extra `tables`."""

import gzip
import lzma
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import polars
from polars.exceptions import PolarsError

from pellucid.data.archive import MOST
from pellucid.data.columns import RawColumn
from pellucid.data.errors import BadData
from pellucid.data.parquet import read_parquet

LONGEST = 2**31  # bytes of a CSV file, unpacked
MISSING = ["", "NA", "N/A", "NaN", "nan", "null"]  # cells that hold no value
TWICE = "_duplicated_0"  # what polars adds to the name of a second column of one name
BROKEN = (EOFError, OSError, PolarsError, ValueError, lzma.LZMAError, zlib.error)


def read_columns(path: Path) -> list[RawColumn]:
    """The columns of a .csv, .csv.gz, .csv.xz or .parquet file, all of one length.

    Raises:
        BadData: the file cannot be read, has no rows, is too large, or names a column twice.
    """
    try:
        frame = read_parquet(path, MOST) if path.suffix.lower() == ".parquet" else _csv(path)
    except BROKEN as error:
        reason = str(error).partition("\n")[0]
        raise BadData(
            f"{path} cannot be read as a table ({reason}); save it again as CSV or Parquet."
        ) from error
    if not len(frame):
        raise BadData(f"{path} has no rows; give at least one.")
    for name in frame.columns:
        if name.endswith(TWICE):
            raise BadData(f"{path} names column '{name.removesuffix(TWICE)}' twice; rename one.")
    return [_raw(frame[name]) for name in frame.columns]


def _csv(path: Path) -> polars.DataFrame:
    openers = {".gz": gzip.open, ".xz": lzma.open}
    with openers.get(path.suffix.lower(), Path.open)(path, "rb") as stream:
        content = stream.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise BadData(f"{path} unpacks to more than {LONGEST} bytes; give fewer rows.")
    return polars.read_csv(BytesIO(content), infer_schema_length=None, null_values=MISSING)


def _raw(series: polars.Series) -> RawColumn:
    if series.dtype.is_numeric():
        numbers = series.cast(polars.Float64).fill_null(float("nan")).to_numpy()
        return RawColumn(
            name=series.name,
            kind="whole" if series.dtype.is_integer() else "number",
            type=str(series.dtype),
            missing=int(np.isnan(numbers).sum()),
            numbers=numbers,
            texts=(),
        )
    text = series.dtype in (polars.Boolean, polars.String, polars.Categorical, polars.Enum)
    return RawColumn(
        name=series.name,
        kind="text" if text else "other",
        type=str(series.dtype),
        missing=series.null_count(),
        numbers=np.empty(0),
        texts=tuple(series.cast(polars.String).to_list()) if text else (),
    )
