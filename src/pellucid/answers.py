"""Stored answers: what was bought once is not bought again."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import xxhash
from sqlalchemy import (
    URL,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    bindparam,
    create_engine,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from pellucid.errors import UserError
from pellucid.rows import Rows, row_bytes

MARK = 0x50454C4C  # written into the head of an answer store
MOST_KEYS = 1000  # in one statement

SCHEMA = MetaData()
ANSWERS = Table(
    "answers",
    SCHEMA,
    Column("key", LargeBinary, primary_key=True),
    Column("value", LargeBinary),
    sqlite_with_rowid=False,
)
REQUESTS = Table(
    "requests",
    SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("rows", Integer, nullable=False),
    Column("answered", Boolean, nullable=False),
)
RESERVE = insert(REQUESTS).returning(REQUESTS.c.id)
SETTLE = update(REQUESTS).where(REQUESTS.c.id == bindparam("request")).values(answered=True)
# What carries a thousand keys goes straight to SQLite's driver: SQLAlchemy's own handling of each
# parameter and row would double the time.
KEEP = "INSERT OR IGNORE INTO answers (key, value) VALUES (?, ?)"
LOOK_UP = "SELECT key, value FROM answers WHERE key IN ({marks})"


class StoreFailed(UserError):
    """The store could not be read or written any more."""

    exit_code = 3


class Answers:
    """Stored answers, and the books of the requests that bought them.

    Kept in a SQLite file (or in memory) and committed before they are used, so that a run that
    was killed asks again for nothing it has paid for. A request is written down before it is
    sent, and marked as answered together with its answers: one that was in flight at a fault
    stays in the books as lost. So `bought` rows are the least that the model has served, and
    `bought + lost` the most, as long as each request is sent once.
    """

    def __init__(self, path: Path | str = ":memory:") -> None:
        """Open or create the store at `path`; UserError if it is no such store."""
        self.path = path
        self._engine = create_engine(URL.create("sqlite", database=str(path)))
        try:
            self._connection = self._engine.connect()
            with self._connection.begin():
                _prepare(self._connection, path)
        except DBAPIError as error:
            self._engine.dispose()
            raise _unusable(path, str(error.orig)) from error

    @staticmethod
    def keys(question: str, rows: Rows) -> list[bytes]:
        """A key a row: what is asked of which model, and the row's content."""
        prefix = question.encode()
        return [xxhash.xxh3_128_digest(prefix + row) for row in row_bytes(rows)]

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The stored answers among these keys."""
        found: dict[bytes, bytes] = {}
        with self._transaction():
            for first in range(0, len(keys), MOST_KEYS):
                part = keys[first : first + MOST_KEYS]
                query = LOOK_UP.format(marks=",".join("?" * len(part)))
                found.update(self._driver.execute(query, part))
        return found

    def reserve(self, rows: int) -> int:
        """Write down, before it is sent, a request about so many rows; its number."""
        with self._transaction() as connection:
            return connection.execute(RESERVE, {"rows": rows, "answered": False}).scalar_one()

    def put(self, answers: dict[bytes, bytes], request: int | None = None) -> None:
        """Store answers for good, and with them that their request, if it has one, is answered."""
        with self._transaction() as connection:
            self._driver.executemany(KEEP, answers.items())
            if request is None:
                connection.execute(insert(REQUESTS), {"rows": len(answers), "answered": True})
            else:
                connection.execute(SETTLE, {"request": request})

    @property
    def bought(self) -> int:
        """Rows that were asked and answered, ever since the store was made."""
        return self._rows(answered=True)

    @property
    def lost(self) -> int:
        """Rows that were asked and never answered; what is in flight just now is among them."""
        return self._rows(answered=False)

    def __len__(self) -> int:
        with self._transaction() as connection:
            return connection.execute(select(func.count()).select_from(ANSWERS)).scalar_one()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._engine.dispose()

    def _rows(self, *, answered: bool) -> int:
        total = select(func.coalesce(func.sum(REQUESTS.c.rows), 0))
        with self._transaction() as connection:
            return connection.execute(total.where(REQUESTS.c.answered.is_(answered))).scalar_one()

    @property
    def _driver(self) -> sqlite3.Connection:
        """SQLite's own connection, in the transaction that is open."""
        driver = self._connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        return driver

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._connection.begin():
                yield self._connection
        except (DBAPIError, sqlite3.Error) as error:
            reason = error.orig if isinstance(error, DBAPIError) else error
            raise StoreFailed(
                f"The answers in {self.path} cannot be read or written any more ({reason}): "
                "make room or end the other program, then run again; what was stored is kept."
            ) from error


def _prepare(connection: Connection, path: Path | str) -> None:
    """Make a new store, or see that the file is one; nothing is written to another's database."""
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
    if tables and connection.exec_driver_sql("PRAGMA application_id").scalar_one() != MARK:
        raise _unusable(path, "it is another program's database")
    connection.exec_driver_sql(f"PRAGMA application_id = {MARK}")
    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    for table in SCHEMA.sorted_tables:
        connection.execute(CreateTable(table, if_not_exists=True))


def _unusable(path: Path | str, reason: str) -> UserError:
    return UserError(
        f"The answers cannot be kept in {path} ({reason}): choose a folder that can be "
        "written, or remove the file if it is not an answer store."
    )
