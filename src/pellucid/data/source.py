"""What a data set with a name offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pellucid.data.dataset import Dataset, Split


@dataclass(frozen=True, kw_only=True)
class About:
    """What can be said of a data set without reading it."""

    name: str
    rows: Mapping[str, int]  # by split
    shape: tuple[int, ...]  # of one row
    classes: int
    provenance: str  # where it comes from, what differs from the published set, the licence
    here: bool  # whether its files stand where they are looked for; they are not verified


@runtime_checkable
class Source(Protocol):
    """A data set with a name."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def load(self, split: Split) -> Dataset:
        """The rows of one split."""
        ...

    def digest(self) -> str:
        """A checksum of all that decides the rows; needs no file."""
        ...

    def about(self) -> About:
        """What can be said of it without reading it."""
        ...
