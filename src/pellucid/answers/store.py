"""The store of answers, and the books of the requests that bought them."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import xxhash
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from pellucid.answers import books
from pellucid.answers.database import MOST_KEYS, Database
from pellucid.answers.faults import BadStore, BudgetSpent, StoreFailed
from pellucid.answers.schema import ANSWERED, ANSWERS, LOST, SENT, State, prepare
from pellucid.answers.sqlite import MEMORY, SQLite
from pellucid.rows import Rows, row_bytes

ENDLESS = 2**62  # rows that a store may buy where nothing limits it
PATIENCE = 60.0  # seconds that another program may keep the store


class Answers:
    """Stored answers, and the books of the requests that bought them.

    Kept in a SQLite file, in memory, or in a PostgreSQL database, and committed before they are
    used, so that a run that was killed asks again for nothing it has paid for. A request is
    written down before it is sent, and marked as answered together with its answers. What was in
    flight when a program died is booked as lost by the next one that opens the store. So `bought`
    rows are the least that the model has served, and `bought + sent + lost` the most, as long as
    each request is sent once.

    Programs may share a store. Answers are for all of them; the books, and with them the budget,
    are kept by purse.
    """

    def __init__(
        self,
        place: Path | str = MEMORY,
        *,
        purse: str = "",
        budget: int | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """Open or create a store.

        Args:
            place: the path of a SQLite file, or postgresql://USER@HOST:PORT/DATABASE. A password
                stands in PGPASSWORD or in the user's file of passwords, never in the address.
            purse: whose books these are, where several runs share a store.
            budget: rows that all programs with this purse may buy together; None: any number.
                Lost ones are not among them, for they are asked again.
            patience: seconds to wait for another program that writes to the store.

        Raises:
            BadStore: it is no such store, or nothing can be kept there.
            StoreFailed: another program did not let it be opened.
        """
        self.purse, self.budget = purse, budget
        self._database = _database(place, patience)
        self._owner: int | None = None  # drawn with the first request
        try:
            self._connection = self._open()
            self._bury_dead()
        except BaseException:
            self._database.close()
            raise

    @staticmethod
    def keys(question: str, rows: Rows) -> list[bytes]:
        """A key a row: what is asked of which model, and the row's content."""
        prefix = question.encode()
        return [xxhash.xxh3_128_digest(prefix + row) for row in row_bytes(rows)]

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The stored answers among these keys."""
        found: dict[bytes, bytes] = {}
        with self._reading() as connection:
            for first in range(0, len(keys), MOST_KEYS):
                part = keys[first : first + MOST_KEYS]
                found.update(self._database.look_up(connection, part))
        return found

    def reserve(self, rows: int) -> int:
        """Write down, before it is sent, a request about so many rows; its number.

        Raises:
            BudgetSpent: with it, what was sent and answered would pass the budget.
        """
        limit = ENDLESS if self.budget is None else self.budget
        owner = self._live()
        with self._writing() as connection:
            request = books.reserve(connection, self.purse, owner=owner, rows=rows, budget=limit)
        if request is not None:
            return request
        raise BudgetSpent(
            f"The budget of {limit:,} questions would be passed by {rows:,} more ({self.bought:,} "
            f"are answered, {self.sent:,} on their way): give a larger one, and run again; what "
            "was stored is kept."
        )

    def put(self, answers: dict[bytes, bytes], request: int | None = None) -> None:
        """Store answers for good, and with them that their request is answered.

        Without a request, one about as many rows is booked. Where others have already taken the
        sender for dead, the request stays among the lost ones; its answers are kept.
        """
        number = self.reserve(len(answers)) if request is None else request
        with self._writing() as connection:
            self._database.keep(connection, answers)
            books.settle(connection, number, ANSWERED)

    def lose(self, *requests: int) -> None:
        """Book requests as lost, those of them that have no answer.

        Where that cannot be written any more, whoever opens the store next does it.
        """
        with suppress(StoreFailed), self._writing() as connection:
            for request in requests:
                books.settle(connection, request, LOST)

    @property
    def bought(self) -> int:
        """Rows that were asked and answered, ever since the store was made."""
        return self._rows(ANSWERED)

    @property
    def sent(self) -> int:
        """Rows in requests that are on their way just now."""
        return self._rows(SENT)

    @property
    def lost(self) -> int:
        """Rows that were asked and never answered."""
        return self._rows(LOST)

    def __len__(self) -> int:
        with self._reading() as connection:
            return connection.execute(select(func.count()).select_from(ANSWERS)).scalar_one()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(SQLAlchemyError):  # what was committed is safe, whatever ended the line
            self._connection.close()
        self._database.close()

    def _open(self) -> Connection:
        """A connection to a store that is there."""
        place = self._database.place
        try:
            connection = self._database.connect()
            with connection.begin():
                prepare(connection, self._database)
            self._database.ready(connection)
        except (DBAPIError, *self._database.errors) as error:
            if self._database.is_busy(_cause(error)):
                raise _failed(place, error) from error
            raise BadStore(
                f"The answers cannot be kept in {place} ({_reason(error)}): choose a place that "
                "can be written, or remove what is there if it is no store of answers."
            ) from error
        return connection

    def _live(self) -> int:
        """The owner that this open store is; others can tell from now on whether it lives."""
        if self._owner is None:
            owner = secrets.randbits(63)
            with self._writing() as connection:
                self._database.live(connection, owner)
                books.open_purse(connection, self.purse)
            self._owner = owner
        return self._owner

    def _bury_dead(self) -> None:
        """Book as lost what was in flight when its sender died."""
        with self._reading() as connection:
            owners = books.owners(connection)
        for owner in owners:
            with self._writing() as connection:
                if self._database.is_dead(connection, owner):
                    books.bury(connection, owner, LOST)

    def _rows(self, state: State) -> int:
        with self._reading() as connection:
            return books.total(connection, self.purse, state)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._connection.begin():
                yield self._connection
        except (DBAPIError, *self._database.errors) as error:
            if self._connection.invalidated:  # the lock went with the line: others see us dead
                self._owner = None
            raise _failed(self._database.place, error) from error

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._reading() as connection:
            self._database.begin(connection)
            yield connection


def _database(place: Path | str, patience: float) -> Database:
    """The database that a path or an address names."""
    scheme, there, _ = str(place).partition("://")
    if isinstance(place, Path) or not there:
        return SQLite(place, patience)
    if not scheme.startswith("postgresql"):
        raise BadStore(
            f"No answers can be kept in a store of the kind {scheme}: give the path of a file, or "
            "postgresql://USER@HOST:PORT/DATABASE."
        )
    from pellucid.answers.postgres import Postgres  # an extra

    return Postgres(str(place), patience)


def _cause(error: BaseException) -> BaseException | None:
    """The driver's own error."""
    return error.orig if isinstance(error, DBAPIError) else error


def _reason(error: BaseException) -> str:
    """The driver's own words, in a line."""
    lines = str(_cause(error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _failed(place: str, error: BaseException) -> StoreFailed:
    return StoreFailed(
        f"The answers in {place} cannot be read or written any more ({_reason(error)}): make room, "
        "end the other program or see to the server, then run again; what was stored is kept."
    )
