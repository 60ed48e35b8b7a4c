"""Runs what others wrote: what it raises becomes a sentence, what it warns of becomes notes."""

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout

from pellucid.errors import UserError

QUIET = (DeprecationWarning, PendingDeprecationWarning, ResourceWarning)  # for those who wrote it


@contextmanager
def hosting(refused: Callable[[str], UserError]) -> Iterator[list[str]]:
    """Run the block as a guest's code; the list holds its warnings once it is done.

    Stdout belongs to what the user asked for, so that what a guest prints goes to stderr.

    Args:
        refused: the error to raise if the block fails, from one line that says how. An interrupt
            by the keyboard and a `UserError`, which is a sentence already, pass.
    """
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as heard, redirect_stdout(sys.stderr):
        warnings.simplefilter("always")
        try:
            yield notes
        except (KeyboardInterrupt, UserError):
            raise
        except BaseException as error:  # a guest may raise anything, SystemExit too
            raise refused(said(error)) from error
    lines = (_line(str(one.message)) for one in heard if not issubclass(one.category, QUIET))
    notes.extend(dict.fromkeys(lines))


@contextmanager
def here() -> Iterator[None]:
    """The current folder first among those that are imported from, as with `python -m`."""
    folder = os.getcwd()
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:  # a guest may have put it in order itself
            sys.path.remove(folder)


def said(error: BaseException) -> str:
    """One line of an error: its kind, and the first that it says."""
    kind, line = type(error).__name__, _line(str(error))
    return f"{kind}: {line}" if line else kind


def _line(text: str) -> str:
    """The first line of a text that says anything, without its full stop."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "").rstrip(".")
