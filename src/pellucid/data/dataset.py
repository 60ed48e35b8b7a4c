"""What a data set is: rows, labels, and the facts that a spec is made of."""

from dataclasses import dataclass, replace
from typing import Literal

from pellucid.data.layout import arranged
from pellucid.shapes import Batch, Labels
from pellucid.spec import Spec

Split = Literal["train", "test"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table, as it stands in x."""

    name: str
    kind: Literal["number", "category"]
    categories: tuple[str, ...] = ()  # in the order of their codes 0, 1, ...; numbers have none
    low: float  # the least value observed, or the least code
    high: float  # the greatest


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
    columns: tuple[Column, ...] = ()  # of a table, one a column of x
    provenance: str = ""  # where the rows come from and how they differ from what was published
    guessed: tuple[str, ...] = ()  # a sentence for each thing that the user did not state

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row."""
        return tuple(self.x.shape[1:])

    def suited(self, spec: Spec) -> "Dataset":
        """The same rows with their axes as a model wants them; `guessed` says what was moved.

        Raises:
            BadData: the rows are of another shape.
            BadQuestion: the model takes neither images nor vectors.
        """
        x, note = arranged(self.x, tuple(spec.dense().shape))
        return self if note is None else replace(self, x=x, guessed=(*self.guessed, note))

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.y)
