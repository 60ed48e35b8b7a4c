"""Who books what is sent again: a model retries far below whoever keeps the books."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Booking = Callable[[int], None]  # called with the rows of an attempt, before it is made


def unbooked(rows: int) -> None:
    """Book nothing, where nobody keeps books."""


_BOOKING: ContextVar[Booking] = ContextVar("booking", default=unbooked)


@contextmanager
def booking(book: Booking) -> Iterator[None]:
    """While this lasts, on this thread, `book` is told of every attempt after the first."""
    token = _BOOKING.set(book)
    try:
        yield
    finally:
        _BOOKING.reset(token)


def booked_by() -> Booking:
    """Who is told on this thread."""
    return _BOOKING.get()


def resent(rows: int) -> None:
    """Tell that rows which were sent and not answered are about to be sent again.

    Whatever this raises must not be caught: then nothing is to be sent.
    """
    booked_by()(rows)
