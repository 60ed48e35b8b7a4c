"""The store of an audit: its findings and their arrays, each kept as it comes."""

import io
import json
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
from pellucid.audit.finding import Finding, Found, NotTested
from pellucid.errors import UserError

FILE = "audit.sqlite"
MARK = 0x50454C41  # written into the head of the file
VERSION = 1  # of the schema; what leads from each to the next stands in MIGRATIONS
MIGRATIONS: dict[int, tuple[str, ...]] = {}

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

    def __init__(self, path: Path | str = ":memory:") -> None:
        """Open or create the store; NoStore if the file is another program's or newer."""
        self.path = path
        self._engine = create_engine(URL.create("sqlite", database=str(path)))
        try:
            with self._engine.begin() as connection:
                _prepare(connection, path)
        except DBAPIError as error:
            self._engine.dispose()
            raise NoStore(
                f"{path} cannot be used as an audit's store ({error.orig}): choose another folder."
            ) from error

    def facts(self, name: str) -> dict[str, object] | None:
        """Facts of this name, if they are there."""
        with self._transaction() as connection:
            query = select(FACTS.c.value).where(FACTS.c.name == name)
            value = connection.execute(query).scalar_one_or_none()
        return None if value is None else json.loads(value)

    def keep_facts(self, name: str, value: Mapping[str, object]) -> None:
        """Keep facts under a name, in the place of older ones."""
        row = insert(FACTS).values(name=name, value=json.dumps(value, allow_nan=False))
        newer = row.on_conflict_do_update(
            index_elements=["name"], set_={"value": row.excluded.value}
        )
        with self._transaction() as connection:
            connection.execute(newer)

    def add(self, found: Found) -> None:
        """Keep a finding and its arrays, for good once this returns."""
        text = json.dumps(_FINDING.dump_python(found.finding, mode="json"), allow_nan=False)
        with self._transaction() as connection:
            connection.execute(insert(FINDINGS).values(check=found.finding.check, value=text))
            self._put(connection, found.finding.check, found.arrays)

    def skip(self, skipped: NotTested) -> None:
        """Keep that a check could not run."""
        row = insert(SKIPPED).values(check=skipped.check, reason=skipped.reason)
        with self._transaction() as connection:
            connection.execute(row.on_conflict_do_nothing())

    def keep_arrays(self, name: str, arrays: Arrays) -> None:
        """Keep arrays that belong to no finding."""
        with self._transaction() as connection:
            self._put(connection, name, arrays)

    def arrays(self, check: str) -> dict[str, NDArray[np.generic]]:
        """The arrays of a finding, or those kept under a name."""
        query = select(ARRAYS.c.name, ARRAYS.c.value).where(ARRAYS.c.check == check)
        with self._transaction() as connection:
            return {
                name: np.load(io.BytesIO(value), allow_pickle=False)
                for name, value in connection.execute(query.order_by(ARRAYS.c.name))
            }

    def findings(self) -> list[Finding]:
        """The findings in the order in which they came."""
        query = select(FINDINGS.c.value).order_by(FINDINGS.c.place)
        with self._transaction() as connection:
            return [_FINDING.validate_json(text) for (text,) in connection.execute(query)]

    def not_tested(self) -> list[NotTested]:
        """The checks that could not run."""
        with self._transaction() as connection:
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
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreFailed(
                f"The findings in {self.path} cannot be read or written any more ({error.orig}): "
                "make room or end the other program, then run again with --resume; what was "
                "stored is kept."
            ) from error


def existing(folder: Path) -> Store:
    """The store of an audit that was run into this folder.

    Raises:
        NoStore: there is none.
    """
    if not (folder / FILE).is_file():
        raise NoStore(f"{folder} holds no audit: give the folder that `pellucid audit` wrote to.")
    return Store(folder / FILE)


def _prepare(connection: Connection, path: Path | str) -> None:
    """Make a new store, or bring an older one up to this version's schema."""
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
    mark = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one() if tables else VERSION
    if tables and mark != MARK:
        raise NoStore(f"{path} is no audit's store: choose another folder, or remove the file.")
    if version > VERSION:
        raise NoStore(
            f"{path} was written by a newer Pellucid (schema {version}, this one reads {VERSION}): "
            "use that one."
        )
    for old in range(version, VERSION):
        for statement in MIGRATIONS[old]:
            connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"PRAGMA application_id = {MARK}")
    connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
    SCHEMA.create_all(connection)
