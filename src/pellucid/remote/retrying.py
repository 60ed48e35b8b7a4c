"""Asks again after a fault that may pass: four times at most, with growing pauses."""

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type
from tenacity.wait import wait_exponential, wait_random

from pellucid.remote.faults import EndpointDown, PassingFault

LONGEST_PAUSE = 8.0  # seconds, unless the server asks for more

A = TypeVar("A")


def retried(attempt: Callable[[int], A], *, url: str, pause: float) -> A:
    """What the first attempt that succeeds gives.

    Args:
        attempt: asks once; it is given its number, from 1 up.
        url: who is asked, for the message.
        pause: the first pause in seconds; each is twice the one before, up to 8 s, and up to
            `pause` of jitter comes on top, so that many who wait do not come back at once.

    Raises:
        EndpointDown: no attempt succeeded.
    """
    backoff = wait_exponential(multiplier=pause, max=LONGEST_PAUSE) + wait_random(0, pause)
    retrying = Retrying(
        retry=retry_if_exception_type(PassingFault),
        stop=lambda state: state.attempt_number >= _fault(state).attempts,
        wait=lambda state: max(backoff(state), _fault(state).wait),
        reraise=True,
    )
    made = 0

    def numbered() -> A:
        nonlocal made
        made += 1
        return attempt(made)

    try:
        return retrying(numbered)
    except PassingFault as fault:
        raise EndpointDown(
            f"{url} gave no answer (attempts: {made}, the last one: {fault}): see that the server "
            "is up and takes such rows (shape, dtype, output), then run again."
        ) from fault


def _fault(state: RetryCallState) -> PassingFault:
    """Why the attempt failed."""
    assert state.outcome is not None
    fault = state.outcome.exception()
    assert isinstance(fault, PassingFault)
    return fault
