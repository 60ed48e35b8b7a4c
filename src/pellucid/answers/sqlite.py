"""A store of answers in a SQLite file, or in memory."""

import os
import sqlite3
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, create_engine

from pellucid.answers.backup import back_up
from pellucid.answers.database import Database
from pellucid.answers.faults import BadStore

MARK = 0x50454C4C  # written into the head of an answer store
MEMORY = ":memory:"
TURN = 10.0  # seconds in which another program, looking whether this one lives, lets go again
# Keys are hashes and so fall all over the file: with SQLite's own 2 MB of memory, and its log
# emptied every 4 MB, each page would be read and written many times. 64 MB for each: the first is
# in kB where it has a minus, the second in pages.
TUNING = ("cache_size = -65536", "wal_autocheckpoint = 16384")
# What carries a thousand keys goes straight to SQLite's driver: SQLAlchemy's own handling of each
# parameter and row would double the time.
KEEP = "INSERT OR IGNORE INTO answers (key, value) VALUES (?, ?)"
LOOK_UP = "SELECT key, value FROM answers WHERE key IN ({marks})"


class SQLite(Database):
    """A file; a program that lives holds a lock on a small file beside it."""

    def __init__(self, path: Path | str, patience: float) -> None:
        """Name the file; others are waited for so many seconds."""
        self.place, self.errors = str(path), (sqlite3.Error, OSError)
        self._lock: FileLock | None = None
        # without an isolation level the driver opens no transactions of its own
        self.engine = create_engine(
            URL.create("sqlite", database=str(path)),
            connect_args={"timeout": patience, "isolation_level": None},
        )

    def connect(self) -> Connection:
        """A connection; BadStore if the file is another user's."""
        if sys.platform != "win32" and self.place != MEMORY and Path(self.place).exists():
            owner = Path(self.place).stat().st_uid
            if owner != os.geteuid():
                raise BadStore(
                    f"{self.place} belongs to another user (id {owner}), who decides what stands "
                    "in it: keep the answers in a file of your own."
                )
        return self.engine.connect()

    def alone(self, connection: Connection) -> None:
        """As for any writing."""
        self.begin(connection)

    def make_room(self, connection: Connection) -> None:
        """Nothing: a file has room."""

    def begin(self, connection: Connection) -> None:
        """Take the one lock to write, waiting for who has it."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def version(self, connection: Connection) -> int | None:
        """As the file's head has it."""
        tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
        if not tables:
            return None
        if connection.exec_driver_sql("PRAGMA application_id").scalar_one() != MARK:
            raise BadStore(
                f"The answers cannot be kept in {self.place} (it is another program's database): "
                "choose another file."
            )
        return connection.exec_driver_sql("PRAGMA user_version").scalar_one()

    def ready(self, connection: Connection) -> None:
        """Let others read while one writes: in a log of its own, to which SQLite keeps the file."""
        # of programs that open a new file at once one succeeds here, and that is for good
        with suppress(sqlite3.OperationalError):
            _driver(connection).execute("PRAGMA journal_mode = WAL")
        for setting in TUNING:
            _driver(connection).execute(f"PRAGMA {setting}")
        for file in Path(self.place).parent.glob("*-owner-*"):  # the dead may have left theirs
            name, _, owner = file.name.rpartition("-owner-")
            if name == Path(self.place).name:
                self.is_dead(connection, int(owner, 16))

    def back_up(self, version: int) -> None:
        """Copy the file to one beside it."""
        if self.place != MEMORY:
            back_up(self.place, version)

    def stamp(self, connection: Connection, version: int) -> None:
        """Mark the file's head."""
        connection.exec_driver_sql(f"PRAGMA application_id = {MARK}")
        connection.exec_driver_sql(f"PRAGMA user_version = {version}")

    def keep(self, connection: Connection, answers: Mapping[bytes, bytes]) -> None:
        """Insert them all, in the order of the file."""
        _driver(connection).executemany(KEEP, sorted(answers.items()))

    def look_up(
        self, connection: Connection, keys: Sequence[bytes]
    ) -> Iterable[tuple[bytes, bytes]]:
        """Those of the keys that are there."""
        query = LOOK_UP.format(marks=",".join("?" * len(keys)))
        return _driver(connection).execute(query, keys)

    def live(self, _connection: Connection, owner: int, /) -> None:
        """Lock a file that bears the owner's number."""
        if self.place != MEMORY:
            self._lock = self._lock_of(owner)
            self._lock.acquire(timeout=TURN)

    def is_dead(self, _connection: Connection, owner: int, /) -> bool:
        """Whether the owner's file can be locked; it is removed then."""
        lock = self._lock_of(owner)
        try:
            lock.acquire()
        except Timeout:
            return False
        _remove(lock)
        return True

    def is_busy(self, error: BaseException | None) -> bool:
        """Whether others hold the file's lock."""
        return is_busy(error)

    def close(self) -> None:
        """Remove the file that says that this program lives."""
        if self._lock is not None:
            _remove(self._lock)
        self.engine.dispose()

    def _lock_of(self, owner: int) -> FileLock:
        return FileLock(f"{self.place}-owner-{owner:x}", timeout=0)


def _driver(connection: Connection) -> sqlite3.Connection:
    """SQLite's own connection, in the transaction that is open."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _remove(lock: FileLock) -> None:
    # removed while it is held: whoever finds no file makes one of its own and holds it
    with suppress(OSError):
        Path(lock.lock_file).unlink()
    lock.release()


def is_busy(error: BaseException | None) -> bool:
    """SQLite's codes for a lock that others hold."""
    return isinstance(error, sqlite3.Error) and error.sqlite_errorcode & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )
