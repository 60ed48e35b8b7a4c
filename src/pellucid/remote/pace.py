"""How often requests may be sent: at even intervals, whoever sends them."""

import time
from threading import Lock


class Pace:
    """Lets its callers, on any threads, go on one after another, so many a second."""

    def __init__(self, per_second: float | None) -> None:
        """Without a number nobody waits."""
        self._gap = 0.0 if per_second is None else 1 / per_second
        self._free = 0.0  # on the monotonic clock: when the next may go
        self._lock = Lock()

    def wait(self) -> None:
        """Return when it is the caller's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._free)
            self._free = turn + self._gap
        if turn > now:
            time.sleep(turn - now)
