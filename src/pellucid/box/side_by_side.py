"""Several calls to a model under way together, with all books kept by the thread that asked."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Lock
from typing import Generic, Protocol, TypeVar, runtime_checkable

from pellucid.box.resending import booked_by, booking, resent

P = TypeVar("P")
A = TypeVar("A")
P_contra = TypeVar("P_contra", contravariant=True)
A_contra = TypeVar("A_contra", contravariant=True)


@runtime_checkable
class Clerk(Protocol[P_contra, A_contra]):
    """Keeps the books of calls; it is only ever called by the thread that asked for them."""

    def keep(self, part: P_contra, answer: A_contra, /) -> None:
        """Take the answer to a part."""
        ...

    def again(self, part: P_contra, rows: int, /) -> None:
        """Book that rows of a part were sent and not answered, and are sent again."""
        ...

    def drop(self, part: P_contra, /) -> None:
        """Book that a part was sent and stays without an answer."""
        ...


class Collected(Generic[A]):
    """The answers to numbered parts, where nobody keeps books."""

    def __init__(self) -> None:
        """Begin without any."""
        self._answers: dict[int, A] = {}

    def keep(self, part: int, answer: A, /) -> None:
        """Take the answer to a part."""
        self._answers[part] = answer

    def again(self, _part: int, rows: int, /) -> None:
        """Tell whoever keeps books further up."""
        resent(rows)

    def drop(self, part: int, /) -> None:
        """Leave the part without an answer."""

    def in_order(self) -> list[A]:
        """The answers by number."""
        return [self._answers[part] for part in sorted(self._answers)]


def side_by_side(
    ask: Callable[[P], A], parts: Iterator[P], clerk: Clerk[P, A], *, at_once: int
) -> None:
    """Ask about every part, up to `at_once` of them together, and keep the answers as they come.

    Only `ask` runs on other threads (on none where `at_once` is 1). Once a part has failed, no
    other is begun or sent again, but what is under way is awaited and kept, since it is paid for;
    then the failure that came first rises. So does Ctrl-C; a second one awaits nothing.

    Args:
        ask: answers one part.
        parts: drawn from just before a part is asked about, so that this can be written down.
        clerk: told what came of each.
        at_once: how many may be under way.
    """
    if at_once == 1:
        for part in parts:
            _alone(ask, part, clerk)
        return
    with ThreadPoolExecutor(at_once) as pool:
        flight = _Flight(ask, parts, clerk, at_once)
        try:
            while flight.goes_on(pool):
                flight.heed()
        finally:
            flight.close()
    if flight.failure is not None:
        raise flight.failure


def _alone(ask: Callable[[P], A], part: P, clerk: Clerk[P, A]) -> None:
    above = booked_by()

    def book(rows: int) -> None:
        with booking(above):
            clerk.again(part, rows)

    try:
        with booking(book):
            answer = ask(part)
    except BaseException:
        clerk.drop(part)
        raise
    clerk.keep(part, answer)


class _NotAgain(Exception):
    """What was sent and not answered is not to be sent again: the others have failed."""


class _Wish(Generic[P]):
    """A thread's wish to send rows of a part again, which the books must grant."""

    def __init__(self, part: P, rows: int) -> None:
        self.part, self.rows = part, rows
        self.granted: Future[None] = Future()

    def grant(self) -> None:
        """Let the thread go on."""
        if not self.granted.done():
            self.granted.set_result(None)

    def refuse(self) -> None:
        """Let the thread end."""
        if not self.granted.done():
            self.granted.set_exception(_NotAgain())


class _Flight(Generic[P, A]):
    """What is under way, and what has come of the rest."""

    def __init__(
        self,
        ask: Callable[[P], A],
        parts: Iterator[P],
        clerk: Clerk[P, A],
        at_once: int,
    ) -> None:
        self.failure: BaseException | None = None  # the first
        self._ask, self._parts, self._clerk, self._at_once = ask, parts, clerk, at_once
        self._flying: dict[Future[A], P] = {}
        # Ctrl-C may swallow a ring, but not what it was rung for
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._wishes: deque[_Wish[P]] = deque()
        self._closed, self._lock = False, Lock()

    def goes_on(self, pool: ThreadPoolExecutor) -> bool:
        """Begin as much as may be under way; whether anything is."""
        try:
            while self.failure is None and len(self._flying) < self._at_once:
                part = next(self._parts)
                future = pool.submit(self._fly, part)
                self._flying[future] = part
                future.add_done_callback(lambda _: self._bell.put(None))
        except StopIteration:
            pass
        except BaseException as error:  # also Ctrl-C: what is under way is kept all the same
            self._fail(error)
        return bool(self._flying)

    def heed(self) -> None:
        """Wait until a thread rings, and do all that is due."""
        try:
            self._bell.get()
            for future in [one for one in self._flying if one.done()]:
                self._land(future)
            while self._wishes:
                self._grant(self._wishes[0])
                self._wishes.popleft()
        except KeyboardInterrupt as stop:
            if self.failure is not None:  # the second one: nothing is awaited any more
                raise
            self._fail(stop)
            self._bell.put(None)  # it may have come between a ring and what was due

    def close(self) -> None:
        """Refuse whatever is still to be sent again, so that every thread ends."""
        with self._lock:
            self._closed = True
        for wish in self._wishes:
            wish.refuse()

    def _fly(self, part: P) -> A:
        """On a thread of its own: ask, and wish for every attempt after the first."""

        def wish(rows: int) -> None:
            one = _Wish(part, rows)
            with self._lock:
                if self._closed:
                    raise _NotAgain
                self._wishes.append(one)
            self._bell.put(None)
            one.granted.result()

        with booking(wish):
            return self._ask(part)

    def _grant(self, wish: _Wish[P]) -> None:
        if self.failure is not None:
            wish.refuse()
            return
        try:
            self._clerk.again(wish.part, wish.rows)
            wish.grant()
        except BaseException as error:
            wish.refuse()
            self._fail(error)

    def _land(self, future: "Future[A]") -> None:
        part = self._flying[future]
        error = future.exception()
        if error is not None:
            self._fail(error)
        try:
            if error is None:
                self._clerk.keep(part, future.result())
            else:
                self._clerk.drop(part)
        except BaseException as stop:
            self._fail(stop)
        del self._flying[future]

    def _fail(self, error: BaseException) -> None:
        self.failure = self.failure or error
