"""The columns of a table as numbers: inputs, and the labels of classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pellucid.data.dataset import Column
from pellucid.data.errors import BadData

EXACT = 2**24  # float32 holds every whole number up to here
VARIED = 0.5  # of the rows: text that differs more often is hardly a category


@dataclass(frozen=True, kw_only=True, eq=False)
class RawColumn:
    """A column of at least one row as it stands in the file."""

    name: str
    kind: Literal["whole", "number", "text", "other"]  # truth values are text
    type: str  # as the reader calls it
    missing: int  # how many rows have no value
    numbers: NDArray[np.float64]  # (n,), NaN where missing; (0,) unless it holds numbers
    texts: tuple[str | None, ...]  # n of them, None where missing; () unless it holds text


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """One column of x."""

    column: Column
    values: NDArray[np.float32]  # (n,)
    notes: tuple[str, ...]  # what was taken for granted


@dataclass(frozen=True, kw_only=True, eq=False)
class Classes:
    """The column of labels."""

    y: NDArray[np.int64]  # (n,)
    names: tuple[str, ...] | None  # None: the labels are the numbers of the classes
    notes: tuple[str, ...]  # what was taken for granted


def as_inputs(raw: RawColumn) -> Inputs:
    """A column without missing values: numbers as they are, text as codes 0, 1, ... in its order.

    Raises:
        BadData: it holds neither.
    """
    if raw.kind == "other":
        raise BadData(
            f"Column '{raw.name}' holds {raw.type}, neither numbers, text nor truth values; turn "
            "it into one of these or drop it."
        )
    categories, codes = _coded(raw.texts) if raw.kind == "text" else ((), raw.numbers)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused
        values = codes.astype(np.float32)
    column = Column(
        name=raw.name,
        kind="category" if categories else "number",
        categories=categories,
        low=float(values.min()),
        high=float(values.max()),
    )
    return Inputs(column=column, values=values, notes=_notes(raw, categories))


def as_classes(raw: RawColumn) -> Classes:
    """Labels without missing values: whole numbers as they are, text as codes in its order.

    Raises:
        BadData: it holds neither.
    """
    if raw.kind == "whole":
        return Classes(y=raw.numbers.clip(-1, 2**53).astype(np.int64), names=None, notes=())
    if raw.kind != "text":
        raise BadData(
            f"The labels in column '{raw.name}' are {raw.type}; classes are whole numbers from 0, "
            "text or truth values."
        )
    names, y = _coded(raw.texts)
    listed = ", ".join(f"{number} = {name}" for number, name in enumerate(names))
    note = f"The classes in column '{raw.name}' were numbered as they sort: {listed}."
    return Classes(y=y, names=names, notes=(note,))


def _coded(texts: Sequence[str | None]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The different texts in sorted order, and the number of each row's."""
    names = tuple(sorted({text for text in texts if text is not None}))
    numbers = {name: number for number, name in enumerate(names)}
    return names, np.array([numbers[text] for text in texts if text is not None], np.int64)


def _notes(raw: RawColumn, categories: tuple[str, ...]) -> tuple[str, ...]:
    if raw.kind == "whole" and np.abs(raw.numbers).max() > EXACT:
        return (f"Column '{raw.name}' has whole numbers above {EXACT}, which float32 rounds.",)
    if len(categories) > max(2, VARIED * len(raw.texts)):
        return (
            f"Column '{raw.name}' was read as categories, though its {len(raw.texts)} rows hold "
            f"{len(categories)} different texts, such as '{categories[0]}'.",
        )
    return ()
