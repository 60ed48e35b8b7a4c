"""How a long run tells where it stands."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a run stands."""

    title: str
    share: float  # of the work, 0 to 1: rows done, or budget spent
    note: str  # the figures so far, in a few words


Listener = Callable[[Progress], None]


@contextmanager
def listening(progress: bool | Listener | None) -> Iterator[Listener | None]:
    """Whom to tell: a function; a bar (True, or None on a terminal); or nobody."""
    if callable(progress):
        yield _seldom(progress)
    elif progress or (progress is None and sys.stderr.isatty()):
        with _bar() as bar:
            yield _seldom(bar)
    else:
        yield None


def _seldom(listener: Listener, every: float = 0.1) -> Listener:
    """Tell at most so often (seconds), and always of the end."""
    last = -every

    def tell(progress: Progress) -> None:
        nonlocal last
        if progress.share >= 1 or time.monotonic() - last >= every:
            last = time.monotonic()
            listener(progress)

    return tell


@contextmanager
def _bar() -> Iterator[Listener]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=1.0, note="")
        yield lambda p: bar.update(task, completed=p.share, description=p.title, note=p.note)
