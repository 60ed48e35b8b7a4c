"""Reads Parquet in a process of its own: a damaged file can end the process that polars runs in."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import polars
from polars.exceptions import ComputeError


def read_parquet(path: Path, most: int) -> polars.DataFrame:
    """The table in a Parquet file.

    Args:
        path: of the file.
        most: values that it may hold.

    Raises:
        ComputeError: it cannot be read, or holds more.
    """
    command = [sys.executable, "-I", __file__, str(path.absolute()), str(most)]
    child = subprocess.run(command, capture_output=True, check=False)
    if child.returncode != 0:
        lines = child.stderr.decode(errors="replace").splitlines() or ["it ended without a word"]
        raise ComputeError(lines[-1] if child.returncode == 1 else "it is damaged")
    return polars.read_ipc(BytesIO(child.stdout))


def _print(path: str, most: int) -> None:
    """Write the table to the standard output, in Arrow's format."""
    promised = polars.scan_parquet(path, glob=False)
    columns = len(promised.collect_schema())
    rows = int(promised.select(polars.len()).collect().item())
    if rows * columns > most:
        sys.exit(f"it states {rows} rows of {columns} columns, more than {most} values")
    polars.read_parquet(path, glob=False).write_ipc(sys.stdout.buffer)


if __name__ == "__main__":
    _print(sys.argv[1], int(sys.argv[2]))
