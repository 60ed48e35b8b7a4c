"""The terms on which an endpoint is asked: who asks, how often, and how much at once."""

from dataclasses import dataclass
from pathlib import Path

from pellucid.remote.faults import BadEndpoint

VARIABLE = "PELLUCID_TOKEN"  # read where no other is named


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How an endpoint is asked; no secret stands in it."""

    token: str | None = None  # environment variable of the token; None: PELLUCID_TOKEN, if set
    anonymous: bool = False  # whether no token is sent unless its variable is named
    calls_at_once: int = 1  # requests that may be under way together
    calls_per_second: float | None = None  # requests sent a second, at most; None: no limit
    timeout: float = 30.0  # seconds; an attempt that is silent so long, or not done, has failed
    mapping: Path | None = None  # of an endpoint of plain JSON: the file that describes it
    pause: float = 0.5  # seconds before the second attempt; later pauses are longer

    def __post_init__(self) -> None:
        if self.calls_at_once < 1:
            raise BadEndpoint(
                f"At least one request is under way at a time, not {self.calls_at_once}: give a "
                "whole number from 1 up."
            )
        rate = self.calls_per_second
        if rate is not None and not 0 < rate < float("inf"):
            raise BadEndpoint(
                f"The requests sent a second must be a number above 0, not {rate:g}: leave it out "
                "for no limit."
            )
        if not self.timeout > 0:
            raise BadEndpoint(f"A timeout is some seconds, not {self.timeout:g}: give more.")
