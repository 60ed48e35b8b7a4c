"""Sends rows on the terms that were agreed: paced, counted, sent again and booked."""

from collections.abc import Callable
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from pellucid.box.resending import resent
from pellucid.remote.bearer import bearer
from pellucid.remote.faults import BadAnswer, BadEndpoint, PassingFault
from pellucid.remote.line import ATTEMPTS, Line, Reply, Request
from pellucid.remote.pace import Pace
from pellucid.remote.retrying import retried
from pellucid.remote.terms import Terms

Array = NDArray[np.generic]


class Sender:
    """The way to one address, which threads may share."""

    def __init__(self, url: str, terms: Terms) -> None:
        """Send to what lies at `url`; BadEndpoint if the token that is asked for is not there."""
        self.url, self.terms = url, terms
        self.calls, self.rows = 0, 0  # requests about rows that were sent, and rows in them
        self._line = Line(url, terms.timeout, bearer(url, terms))
        self._pace = Pace(terms.calls_per_second)
        self._lock = Lock()

    def told(self, request: Request) -> Reply:
        """The answer to a request about no rows.

        Raises:
            UserError: as for `answered`.
        """

        def attempt(_number: int) -> Reply:
            self._pace.wait()
            return self._line.ask(request)

        return retried(attempt, url=self.url, pause=self.terms.pause)

    def perhaps(self, request: Request) -> Reply | None:
        """The answer to a request about no rows, if one attempt gets any."""
        self._pace.wait()
        try:
            return self._line.ask(request)
        except (PassingFault, BadAnswer, BadEndpoint):
            return None

    def answered(self, request: Request, rows: int, read: Callable[[Reply], Array]) -> Array:
        """What `read` finds in the answer to a request about so many rows.

        An answer that `read` refuses, or in which a number is not finite, is asked for once more:
        the server may have stumbled. What it says then counts.

        Raises:
            EndpointDown: no attempt was answered.
            BadAnswer: the answer does not fit the question.
            BadEndpoint: the server refuses the question.
        """
        doubted = False

        def attempt(number: int) -> Array:
            nonlocal doubted
            if number > 1:
                resent(rows)
            self._pace.wait()
            self._count(rows)
            reply = self._line.ask(request)
            last = doubted or number >= ATTEMPTS
            doubted = True
            return read(reply) if last else _sound(read, reply)

        return retried(attempt, url=self.url, pause=self.terms.pause)

    def _count(self, rows: int) -> None:
        with self._lock:
            self.calls, self.rows = self.calls + 1, self.rows + rows


def _sound(read: Callable[[Reply], Array], reply: Reply) -> Array:
    """What `read` finds; PassingFault if that is nothing, or not finite."""
    try:
        got = read(reply)
    except BadAnswer as error:
        raise PassingFault(str(error), attempts=ATTEMPTS) from error
    if not np.isfinite(got).all():
        raise PassingFault("a number in its answer is not finite", attempts=ATTEMPTS)
    return got
