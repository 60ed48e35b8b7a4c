"""The store of an audit: its findings and their arrays, each kept as it comes."""

import io
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from sqlalchemy import (
    URL,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError

from pellucid.answers import StoreFailed
from pellucid.answers.backup import back_up
from pellucid.answers.sqlite import is_busy
from pellucid.audit.finding import Finding, Found, NotTested
from pellucid.errors import UserError

FILE = "audit.sqlite"
MARK = 0x50454C41  # written into the head of the file
VERSION = 1  # of the schema; what leads from each to the next stands in MIGRATIONS
MIGRATIONS: dict[int, tuple[str, ...]] = {}

WRITE = "BEGIN IMMEDIATE"  # what begins a transaction that writes; others are waited for here
PATIENCE = 60.0  # seconds

Arrays = Mapping[str, NDArray[np.generic]]

SCHEMA = MetaData()
FACTS = Table(
    "facts",
    SCHEMA,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),  # JSON
)
FINDINGS = Table(
    "findings",
    SCHEMA,
    Column("place", Integer, primary_key=True),
    Column("check", String, unique=True, nullable=False),
    Column("value", String, nullable=False),  # JSON
)
ARRAYS = Table(
    "arrays",
    SCHEMA,
    Column("check", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),  # as numpy's .npy
)
SKIPPED = Table(
    "not_tested",
    SCHEMA,
    Column("check", String, primary_key=True),
    Column("reason", String, nullable=False),
)
_FINDING = TypeAdapter(Finding)


class NoStore(UserError):
    """A folder that holds no audit, or one that this version cannot read."""


class Store:
    """What an audit keeps in its folder while it runs and afterwards."""

    def __init__(self, path: Path | str = ":memory:", *, patience: float = PATIENCE) -> None:
        """Open or create the store; other programs that write to it are waited for in seconds.

        Raises:
            NoStore: the file is another program's, or a newer version's.
            StoreFailed: another program did not let it be opened.
        """
        self.path = path
        # without an isolation level the driver opens no transactions of its own
        self._engine = create_engine(
            URL.create("sqlite", database=str(path)),
            connect_args={"timeout": patience, "isolation_level": None},
        )
        try:
            with self._engine.begin() as connection:
                _prepare(connection, path)
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        except (DBAPIError, sqlite3.Error) as error:
            self._engine.dispose()
            cause = error.orig if isinstance(error, DBAPIError) else error
            if is_busy(cause):
                raise _failed(path, cause) from error
            raise NoStore(
                f"{path} cannot be used as an audit's store ({cause}): choose another folder."
            ) from error

    def facts(self, name: str) -> dict[str, object] | None:
        """Facts of this name, if they are there."""
        with self._reading() as connection:
            query = select(FACTS.c.value).where(FACTS.c.name == name)
            value = connection.execute(query).scalar_one_or_none()
        return None if value is None else json.loads(value)

    def keep_facts(self, name: str, value: Mapping[str, object]) -> None:
        """Keep facts under a name, in the place of older ones."""
        row = insert(FACTS).values(name=name, value=json.dumps(value, allow_nan=False))
        newer = row.on_conflict_do_update(
            index_elements=["name"], set_={"value": row.excluded.value}
        )
        with self._writing() as connection:
            connection.execute(newer)

    def add(self, found: Found) -> None:
        """Keep a finding and its arrays, for good once this returns."""
        text = json.dumps(_FINDING.dump_python(found.finding, mode="json"), allow_nan=False)
        with self._writing() as connection:
            connection.execute(insert(FINDINGS).values(check=found.finding.check, value=text))
            self._put(connection, found.finding.check, found.arrays)

    def skip(self, skipped: NotTested) -> None:
        """Keep that a check could not run."""
        row = insert(SKIPPED).values(check=skipped.check, reason=skipped.reason)
        with self._writing() as connection:
            connection.execute(row.on_conflict_do_nothing())

    def keep_arrays(self, name: str, arrays: Arrays) -> None:
        """Keep arrays that belong to no finding."""
        with self._writing() as connection:
            self._put(connection, name, arrays)

    def arrays(self, check: str) -> dict[str, NDArray[np.generic]]:
        """The arrays of a finding, or those kept under a name."""
        query = select(ARRAYS.c.name, ARRAYS.c.value).where(ARRAYS.c.check == check)
        with self._reading() as connection:
            return {
                name: np.load(io.BytesIO(value), allow_pickle=False)
                for name, value in connection.execute(query.order_by(ARRAYS.c.name))
            }

    def findings(self) -> list[Finding]:
        """The findings in the order in which they came."""
        query = select(FINDINGS.c.value).order_by(FINDINGS.c.place)
        with self._reading() as connection:
            return [_FINDING.validate_json(text) for (text,) in connection.execute(query)]

    def not_tested(self) -> list[NotTested]:
        """The checks that could not run."""
        with self._reading() as connection:
            rows = connection.execute(select(SKIPPED.c.check, SKIPPED.c.reason)).all()
        return [NotTested(check=check, reason=reason) for check, reason in rows]

    def found(self) -> dict[str, Found]:
        """The findings with their arrays, by check."""
        return {
            one.check: Found(finding=one, arrays=self.arrays(one.check)) for one in self.findings()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._engine.dispose()

    def _put(self, connection: Connection, check: str, arrays: Arrays) -> None:
        for name, array in arrays.items():
            stream = io.BytesIO()
            np.save(stream, array, allow_pickle=False)
            row = insert(ARRAYS).values(check=check, name=name, value=stream.getvalue())
            newer = row.on_conflict_do_update(
                index_elements=["check", "name"], set_={"value": row.excluded.value}
            )
            connection.execute(newer)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise _failed(self.path, error.orig) from error

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._reading() as connection:
            connection.exec_driver_sql(WRITE)
            yield connection


def existing(folder: Path) -> Store:
    """The store of an audit that was run into this folder.

    Raises:
        NoStore: there is none.
    """
    if not (folder / FILE).is_file():
        raise NoStore(f"{folder} holds no audit: give the folder that `pellucid audit` wrote to.")
    return Store(folder / FILE)


def _prepare(connection: Connection, path: Path | str) -> None:
    """Make a new store, or bring an older one up to this version's schema, as one change."""
    if _version(connection, path) == VERSION:
        return
    connection.exec_driver_sql(WRITE)
    version = _version(connection, path)  # another program may have been faster
    if version is None:
        SCHEMA.create_all(connection)
    elif version > VERSION:
        raise NoStore(
            f"{path} was written by a newer Pellucid (schema {version}, this one reads {VERSION}): "
            "use that one."
        )
    elif version < VERSION:
        back_up(path, version)
        for older in range(version, VERSION):
            for statement in MIGRATIONS[older]:
                connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"PRAGMA application_id = {MARK}")
    connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")


def _version(connection: Connection, path: Path | str) -> int | None:
    """The schema's version; None: there is nothing yet."""
    if not connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one():
        return None
    if connection.exec_driver_sql("PRAGMA application_id").scalar_one() != MARK:
        raise NoStore(f"{path} is no audit's store: choose another folder, or remove the file.")
    return connection.exec_driver_sql("PRAGMA user_version").scalar_one()


def _failed(path: Path | str, reason: BaseException | None) -> StoreFailed:
    return StoreFailed(
        f"The findings in {path} cannot be read or written any more ({reason}): make room or end "
        "the other program, then run again with --resume; what was stored is kept."
    )
