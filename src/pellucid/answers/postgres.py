"""A store of answers in a PostgreSQL database, for programs on several machines."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import URL, Connection, NullPool, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from pellucid.answers.database import Database
from pellucid.answers.faults import BadStore
from pellucid.extras import extra

with extra("postgres", "A store of answers on PostgreSQL"):
    import psycopg

FORM = "give postgresql://USER@HOST:PORT/DATABASE"
ROOM = "pellucid"  # the schema that holds the tables
PROGRAM = "pellucid answers"
MARK = 0x50454C4C  # of the lock that is held while tables change
DRIVERS = ("postgresql", "postgresql+psycopg")
# What an address may say after its question mark; nothing of it is a secret.
SAYS = frozenset(
    [
        "connect_timeout",
        "host",
        "passfile",
        "port",
        "service",
        "sslcert",
        "sslkey",
        "sslmode",
        "sslrootcert",
    ]
)
# Our schema and the system's, so that nobody's table or function of the same name is taken for
# ours. The server looks after its clients, so that it learns of a machine that is gone.
SETTINGS = (
    f"-c search_path={ROOM} -c lock_timeout={{patience}}ms -c tcp_keepalives_idle=60 "
    "-c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
)
KEEP = (
    "INSERT INTO answers (key, value) SELECT * FROM unnest(%b::bytea[], %b::bytea[]) "
    "ON CONFLICT DO NOTHING"
)
LOOK_UP = "SELECT key, value FROM answers WHERE key = ANY(%b)"
OWNER = (
    "SELECT pg_get_userbyid(nspowner), nspowner = (SELECT oid FROM pg_roles WHERE rolname = "
    f"current_user) FROM pg_namespace WHERE nspname = '{ROOM}'"
)
TABLES = (
    "SELECT count(*), count(*) FILTER (WHERE relname = 'store') FROM pg_class WHERE relnamespace = "
    f"'{ROOM}'::regnamespace"
)


class Postgres(Database):
    """A schema of a database; a program that lives holds an advisory lock of its session."""

    def __init__(self, address: str, patience: float) -> None:
        """Name the database; others are waited for so many seconds.

        Raises:
            BadStore: the address cannot be read, or carries a password.
        """
        url = _read(address)
        self.place = url.render_as_string(hide_password=True)
        self.errors = (psycopg.Error,)
        settings = SETTINGS.format(patience=max(1, round(1000 * patience)))
        self.engine = create_engine(
            url.set(drivername=DRIVERS[1]),
            poolclass=NullPool,
            connect_args={"application_name": "pellucid", "options": settings}
            | ({} if "connect_timeout" in url.query else {"connect_timeout": 10}),
        )

    def connect(self) -> Connection:
        """A connection."""
        return self.engine.connect()

    def alone(self, connection: Connection) -> None:
        """A lock of this transaction's."""
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MARK})")

    def begin(self, connection: Connection) -> None:
        """Nothing: rows are locked as they are written."""

    def version(self, connection: Connection) -> int | None:
        """As a table of its own has it."""
        schema = connection.exec_driver_sql(OWNER).one_or_none()
        if schema is None:
            return None
        owner, ours = schema
        if not ours:
            raise BadStore(
                f"The schema {ROOM} of {self.place} belongs to the user {owner}, who decides what "
                "stands in it: connect as that user, or use a database of your own."
            )
        tables, marked = connection.exec_driver_sql(TABLES).one()
        if not tables:
            return None
        found = (
            connection.exec_driver_sql("SELECT program, version FROM store").all() if marked else []
        )
        if [program for program, _ in found] != [PROGRAM]:
            raise BadStore(
                f"The answers cannot be kept in {self.place} (its schema {ROOM} holds another "
                "program's tables): use another database."
            )
        return found[0].version

    def ready(self, connection: Connection) -> None:
        """Nothing."""

    def make_room(self, connection: Connection) -> None:
        """The schema, and the table that says whose it is."""
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {ROOM}")
        connection.exec_driver_sql("CREATE TABLE store (program TEXT NOT NULL, version INTEGER)")
        connection.exec_driver_sql("INSERT INTO store VALUES (%s, NULL)", (PROGRAM,))

    def back_up(self, version: int) -> None:
        """Nothing: a migration that fails is undone as a whole by the server."""

    def stamp(self, connection: Connection, version: int) -> None:
        """Write down the version."""
        connection.exec_driver_sql("UPDATE store SET version = %s", (version,))

    def keep(self, connection: Connection, answers: Mapping[bytes, bytes]) -> None:
        """Insert them all, in an order in which programs do not wait for each other in a ring."""
        keys = sorted(answers)
        values = [answers[key] for key in keys]
        with _driver(connection).cursor() as cursor:
            cursor.execute(KEEP, (keys, values))

    def look_up(
        self, connection: Connection, keys: Sequence[bytes]
    ) -> Iterable[tuple[bytes, bytes]]:
        """Those of the keys that are there."""
        with _driver(connection).cursor(binary=True) as cursor:
            return cursor.execute(LOOK_UP, (list(keys),)).fetchall()

    def live(self, connection: Connection, owner: int, /) -> None:
        """A lock that goes with the session."""
        connection.exec_driver_sql("SELECT pg_advisory_lock(%s::bigint)", (owner,))

    def is_dead(self, connection: Connection, owner: int, /) -> bool:
        """Whether the owner's lock can be had, until the end of the transaction."""
        lock = "SELECT pg_try_advisory_xact_lock(%s::bigint)"
        return connection.exec_driver_sql(lock, (owner,)).scalar_one()

    def is_busy(self, error: BaseException | None) -> bool:
        """PostgreSQL's word for a lock that others hold."""
        return isinstance(error, psycopg.errors.LockNotAvailable)

    def close(self) -> None:
        """End the session, and with it the lock."""
        self.engine.dispose()


def _read(address: str) -> URL:
    """The address, which is not repeated where it may hold a secret."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        raise BadStore(f"The address of the store of answers cannot be read: {FORM}.") from error
    if url.drivername not in DRIVERS or not url.database:
        raise BadStore(f"The address of the store of answers names no database: {FORM}.")
    if url.password is not None:
        raise BadStore(
            "The address of the store of answers carries a password, which would end up in logs "
            "and histories: leave it out, and put it into the environment as PGPASSWORD or into "
            "the file of passwords that PGPASSFILE names."
        )
    strange = sorted(url.query.keys() - SAYS)
    if strange:
        raise BadStore(
            "The address of the store of answers says more after its question mark than "
            f"{', '.join(sorted(SAYS))}: leave that out."
        )
    return url.set(drivername=DRIVERS[0])


def _driver(connection: Connection) -> psycopg.Connection:
    """The driver's own connection, in the transaction that is open."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver
