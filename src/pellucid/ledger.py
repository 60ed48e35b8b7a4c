"""What a run cost, row by row, and the answers that it bought."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

import torch
import xxhash
from torch import Tensor

from pellucid.errors import UserError
from pellucid.rows import Rows, row_bytes
from pellucid.shapes import Counts

UNLIMITED = 2**62
MARK = 0x50454C4C  # written into the head of an answer store


class OutOfQueries(Exception):
    """No row can pay for another question: the run is over, and nothing is lost."""


class OutOfTime(Exception):
    """The clock has stopped the run."""


class Ledger:
    """The books of one spender on one box.

    A question costs a query a row, an answer bought is `paid`, a row that goes backwards is a
    gradient, and a request to the model, however many rows it carries, is a call. A row that has
    spent its budget, or is `closed`, asks for nothing more.
    """

    def __init__(self, rows: int, budget: int | None = None, closed: Tensor | None = None) -> None:
        """Open books for so many rows; spenders on several boxes may share `closed`."""
        self.budget = UNLIMITED if budget is None else budget
        self.queries: Counts = torch.zeros(rows, dtype=torch.long)
        self.gradients: Counts = torch.zeros(rows, dtype=torch.long)
        self.paid: Counts = torch.zeros(rows, dtype=torch.long)
        self.calls = 0
        self.closed = torch.zeros(rows, dtype=torch.bool) if closed is None else closed
        self.invalid = torch.zeros(rows, dtype=torch.bool)  # rows with a non-finite answer

    def left(self) -> Counts:
        """How many more questions each row can ask."""
        return (self.budget - self.queries).masked_fill(self.closed, 0)


class Answers:
    """Stored answers: what was bought once is not bought again.

    Kept in a SQLite file (or in memory) and committed before they are used, so that a run that
    was killed asks again for nothing it has paid for.
    """

    def __init__(self, path: Path | str = ":memory:") -> None:
        """Open or create the store at `path`; UserError if it is no such store."""
        try:
            self._db = sqlite3.connect(path)
            tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if tables and self._db.execute("PRAGMA application_id").fetchone()[0] != MARK:
                raise sqlite3.DatabaseError("it is another program's database")
            self._db.execute(f"PRAGMA application_id = {MARK}")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS answers "
                "(key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID"
            )
        except sqlite3.Error as error:
            raise UserError(
                f"The answers cannot be kept in {path} ({error}): choose a folder that can be "
                "written, or remove the file if it is not an answer store."
            ) from error

    @staticmethod
    def keys(question: str, rows: Rows) -> list[bytes]:
        """A key a row: what is asked of which model, and the row's content."""
        prefix = question.encode()
        return [xxhash.xxh3_128_digest(prefix + row) for row in row_bytes(rows)]

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The stored answers among these keys."""
        found: dict[bytes, bytes] = {}
        for first in range(0, len(keys), 1000):
            part = keys[first : first + 1000]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, value FROM answers WHERE key IN ({marks})"
            found.update(self._db.execute(query, part))
        return found

    def put(self, answers: dict[bytes, bytes]) -> None:
        """Store answers for good."""
        with self._db:
            self._db.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?)", answers.items())

    def __len__(self) -> int:
        with closing(self._db.execute("SELECT count(*) FROM answers")) as rows:
            return rows.fetchone()[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()
