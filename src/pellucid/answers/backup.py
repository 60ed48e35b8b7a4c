"""Copies of SQLite files, made before their schema is changed."""

import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path


def back_up(path: Path | str, version: int) -> Path:
    """Copy a file, with what is still in its log, to a free name beside it; the copy's path.

    Others may read it meanwhile, but not write: whoever calls this holds the lock.
    """
    name = f"{path}.schema-{version}"
    names = (Path(f"{name}.{number}" if number else name) for number in count())
    free = next(path for path in names if not path.exists())
    try:
        with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(free)) as copy:
            old.backup(copy)
    except sqlite3.Error:
        free.unlink(missing_ok=True)  # half a copy is none
        raise
    return free
