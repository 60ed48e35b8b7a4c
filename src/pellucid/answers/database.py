"""What differs between the databases that can hold a store of answers."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, Engine

MOST_KEYS = 1000  # in one statement


class Database(ABC):
    """A database by its engine, and what SQLAlchemy does not say alike for all of them.

    An owner is a number that one open store has drawn. While it lives it holds a lock that the
    system takes from it when it dies, however it dies: so others can tell, without clocks or
    heartbeats, whose requests nobody waits for any more.
    """

    place: str  # for messages; it holds no password
    engine: Engine
    errors: tuple[type[Exception], ...]  # of the driver, where it is asked without SQLAlchemy

    @abstractmethod
    def connect(self) -> Connection:
        """A connection; BadStore if the place belongs to someone else."""

    @abstractmethod
    def alone(self, connection: Connection) -> None:
        """Keep other programs from making or changing tables, until the transaction ends."""

    @abstractmethod
    def make_room(self, connection: Connection) -> None:
        """What a new store needs before its tables are made."""

    @abstractmethod
    def begin(self, connection: Connection) -> None:
        """Make the transaction that is open one that may write, waiting for others that do."""

    @abstractmethod
    def version(self, connection: Connection) -> int | None:
        """The schema's version; None: there is nothing yet.

        Raises:
            BadStore: it is another program's.
        """

    @abstractmethod
    def ready(self, connection: Connection) -> None:
        """Set what holds for a store, once it is known to be one."""

    @abstractmethod
    def back_up(self, version: int) -> None:
        """Keep the store as it is, where a migration could harm it."""

    @abstractmethod
    def stamp(self, connection: Connection, version: int) -> None:
        """Write down whose the store is, and its schema's version."""

    @abstractmethod
    def keep(self, connection: Connection, answers: Mapping[bytes, bytes]) -> None:
        """Store answers in the transaction that is open; what has one keeps it."""

    @abstractmethod
    def look_up(
        self, connection: Connection, keys: Sequence[bytes]
    ) -> Iterable[tuple[bytes, bytes]]:
        """Keys, at most `MOST_KEYS`, and their answers where there are any."""

    @abstractmethod
    def live(self, connection: Connection, owner: int, /) -> None:
        """Take the lock that says that this owner lives."""

    @abstractmethod
    def is_dead(self, connection: Connection, owner: int, /) -> bool:
        """Whether nobody holds this owner's lock; a dead one's is cleared away."""

    @abstractmethod
    def is_busy(self, error: BaseException | None) -> bool:
        """Whether the driver says that another program has kept it waiting too long."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the lock and of the connections."""
