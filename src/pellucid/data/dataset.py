"""What a data set is: rows, labels, and the facts that a spec is made of."""

from dataclasses import dataclass
from typing import Literal

from pellucid.shapes import Batch, Labels

Split = Literal["train", "test"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Labelled rows: x is (n, *shape) float32, y is (n,) int64 in 0..len(class_names) - 1."""

    name: str
    split: Split | None  # None: the user's own rows, which Pellucid did not split
    x: Batch
    y: Labels
    low: float | None  # the least value an input may take, in the units of x; None: not known
    high: float | None  # the greatest
    class_names: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row."""
        return tuple(self.x.shape[1:])

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.y)
