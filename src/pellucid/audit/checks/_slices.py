"""Slices of data: rows that are alike in brightness or contrast, or in a column of a table."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.data import Column, Dataset
from pellucid.shapes import Batch
from pellucid.spec import Image, Input

Measured = NDArray[np.float64]  # (n,), one number a row

BY_LIGHT = ("darkest quarter", "darker quarter", "brighter quarter", "brightest quarter")
BY_SIZE = ("lowest quarter", "second quarter", "third quarter", "highest quarter")


@dataclass(frozen=True, kw_only=True, eq=False)
class Slice:
    """Some of the rows, and what they have in common."""

    name: str
    members: NDArray[np.bool_]  # (n,)


def slices(data: Dataset, source: Input, fewest: int) -> list[Slice]:
    """All slices of at least so many rows; none of inputs that are neither images nor a table."""
    if isinstance(source, Image):
        found = [*_of_images(data.x)]
    else:
        found = [s for i, column in enumerate(data.columns) for s in _of_column(data.x, i, column)]
    return [one for one in found if fewest <= one.members.sum() < len(data)]


def _of_images(x: Batch) -> Iterator[Slice]:
    pixels = x.flatten(1).double().numpy(force=True)
    yield from _quarters("brightness", pixels.mean(1), BY_LIGHT)
    yield from _quarters("contrast", pixels.std(1), BY_SIZE)


def _of_column(x: Batch, number: int, column: Column) -> Iterator[Slice]:
    values = x[:, number].double().numpy(force=True)
    if column.kind == "number":
        yield from _quarters(column.name, values, BY_SIZE)
        return
    for code, category in enumerate(column.categories):
        yield Slice(name=f"{column.name}: {category}", members=values == code)


def _quarters(what: str, values: Measured, words: tuple[str, ...]) -> Iterator[Slice]:
    """Rows by the quarter of their rank; equal values share their middle rank, and so a slice."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = (counts.cumsum() - counts / 2) / len(values)
    quarter = np.floor(4 * middle).astype(int)[place.reshape(-1)]
    present = np.unique(quarter)
    for number in present:
        members = quarter == number
        # where values are few, their slices are no quarters
        word = words[number] if len(present) == len(words) else ""
        yield Slice(name=_called(what, word, values[members]), members=members)


def _called(what: str, word: str, values: Measured) -> str:
    low, high = f"{values.min():.3g}", f"{values.max():.3g}"
    extent = low if low == high else f"{low} to {high}"
    return f"{what}: {word} ({extent})" if word else f"{what}: {extent}"
