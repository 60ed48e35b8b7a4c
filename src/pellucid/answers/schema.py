"""The tables of a store of answers, and the ways from older schemas to this one."""

from typing import Literal, get_args

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from pellucid.answers.database import Database
from pellucid.answers.faults import BadStore

VERSION = 1  # of the schema; what leads from each to the next stands in MIGRATIONS

State = Literal["sent", "answered", "lost"]  # of a request
SENT, ANSWERED, LOST = get_args(State)

SCHEMA = MetaData()
ANSWERS = Table(
    "answers",
    SCHEMA,
    Column("key", LargeBinary, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
# The totals of the requests of each purse: what a budget is held against, in one row that one
# program at a time can change.
PURSES = Table(
    "purses",
    SCHEMA,
    Column("name", String, primary_key=True),
    *(
        Column(state, BigInteger, CheckConstraint(f"{state} >= 0"), nullable=False, default=0)
        for state in get_args(State)
    ),
)
REQUESTS = Table(
    "requests",
    SCHEMA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("purse", String, nullable=False),
    Column("owner", BigInteger, nullable=False),  # who sent it; see `Database.is_dead`
    Column("rows", BigInteger, nullable=False),
    Column("state", String, nullable=False),
)
Index(
    "in_flight",
    REQUESTS.c.owner,
    sqlite_where=REQUESTS.c.state == SENT,
    postgresql_where=REQUESTS.c.state == SENT,
)

# Before requests had owners: whoever had sent them is taken for dead. The oldest stores have no
# requests at all.
TO_1 = (
    "CREATE TABLE IF NOT EXISTS requests (id INTEGER PRIMARY KEY, rows INTEGER NOT NULL, "
    "answered BOOLEAN NOT NULL)",
    "ALTER TABLE requests RENAME TO requests_0",
    "CREATE TABLE purses (name VARCHAR NOT NULL PRIMARY KEY, sent BIGINT NOT NULL CHECK (sent >= "
    "0), answered BIGINT NOT NULL CHECK (answered >= 0), lost BIGINT NOT NULL CHECK (lost >= 0))",
    "INSERT INTO purses SELECT '', 0, coalesce(sum(CASE WHEN answered THEN rows END), 0), "
    "coalesce(sum(CASE WHEN answered THEN 0 ELSE rows END), 0) FROM requests_0",
    "CREATE TABLE requests (id INTEGER NOT NULL PRIMARY KEY, purse VARCHAR NOT NULL, owner BIGINT "
    "NOT NULL, rows BIGINT NOT NULL, state VARCHAR NOT NULL)",
    "CREATE INDEX in_flight ON requests (owner) WHERE state = 'sent'",
    "INSERT INTO requests SELECT id, '', 0, rows, CASE WHEN answered THEN 'answered' ELSE 'lost' "
    "END FROM requests_0",
    "DROP TABLE requests_0",
)
MIGRATIONS: dict[int, tuple[str, ...]] = {0: TO_1}


def prepare(connection: Connection, database: Database) -> None:
    """Make a new store, or bring an older one up to this version's schema, as one change.

    Raises:
        BadStore: another program's, or a newer version's; it is left as it was.
    """
    if database.version(connection) == VERSION:
        return
    database.alone(connection)
    version = database.version(connection)  # another program may have been faster
    if version == VERSION:
        return
    if version is None:
        database.make_room(connection)
        SCHEMA.create_all(connection)
    elif version > VERSION:
        raise BadStore(
            f"The answers in {database.place} were stored by a newer Pellucid (schema {version}, "
            f"this one reads {VERSION}): use that one, or another store."
        )
    else:
        database.back_up(version)
        for older in range(version, VERSION):
            for statement in MIGRATIONS[older]:
                connection.exec_driver_sql(statement)
    database.stamp(connection, VERSION)
