"""The rows that a model is tested on: a file, a named data set, or a builtin model's own."""

from dataclasses import replace
from pathlib import Path

import torch
import xxhash

from pellucid.audit.document import DataFacts
from pellucid.data import Dataset, find, load
from pellucid.errors import UserError
from pellucid.models import builtin
from pellucid.rng import ids_of

BUILTIN = "builtin:"


def sample(
    data: str | Path | None, reference: str, rows: int | None = None, target: str | None = None
) -> Dataset:
    """The first `rows` rows (None: all) of some data, or some of each class if they are sorted.

    Args:
        data: a path or a name that `pellucid.data.find` takes; None takes the test rows of the
            data that the builtin model was trained on.
        reference: the model that they are for.
        rows: how many.
        target: the column of a table that holds the classes.

    Raises:
        UserError: in a sentence, for data that cannot be found or read.
    """
    if rows is not None and rows < 1:
        raise UserError(f"There must be at least one row to test, but rows is {rows}.")
    whole = _whole(reference) if data is None else find(data, label=target)
    return _some(whole, len(whole) if rows is None else min(rows, len(whole)))


def _some(whole: Dataset, rows: int) -> Dataset:
    """The first rows, or, where they stand in the order of their classes, some of each class."""
    if (
        rows == len(whole)
        or bool((whole.y.diff() < 0).any())
        or int(whole.y[0]) == int(whole.y[-1])
    ):
        return replace(whole, x=whole.x[:rows], y=whole.y[:rows])
    spread = torch.linspace(0, len(whole) - 1, rows).round().long()
    note = (
        f"The rows stand in the order of their classes, so {rows} of {len(whole)} were taken "
        "evenly spread over them."
    )
    return replace(whole, x=whole.x[spread], y=whole.y[spread], guessed=(*whole.guessed, note))


def facts(data: Dataset) -> DataFacts:
    """What identifies the rows."""
    names = "/".join([*ids_of(data.x), *map(str, data.y.tolist())])
    digest = xxhash.xxh3_128_hexdigest(names.encode())
    return DataFacts(
        name=data.name,
        split=data.split,
        rows=len(data),
        digest=digest,
        class_names=data.class_names,
        guessed=data.guessed,
    )


def _whole(reference: str) -> Dataset:
    """The test rows of a builtin model's data."""
    if not reference.startswith(BUILTIN):
        raise UserError(
            "Only a builtin model brings its data: name a data set, an .npz file with x and y, a "
            "table, or a folder of images."
        )
    return load(builtin(reference.removeprefix(BUILTIN))[1].data, "test")
