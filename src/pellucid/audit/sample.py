"""The rows that a model is tested on: a file, a named data set, or a builtin model's own."""

from dataclasses import replace
from pathlib import Path

import xxhash

from pellucid.audit.finding import DataFacts
from pellucid.data import Dataset, load, read
from pellucid.errors import UserError
from pellucid.models import builtin
from pellucid.rng import ids_of

BUILTIN = "builtin:"


def sample(data: str | Path | None, reference: str, rows: int | None = None) -> Dataset:
    """The first `rows` rows (None: all) of some data.

    Args:
        data: an .npz file with x and y, or the name of a data set, whose test rows are taken;
            None takes the test rows of the data that the builtin model was trained on.
        reference: the model that they are for.
        rows: how many.

    Raises:
        UserError: in a sentence, for data that cannot be found or read.
    """
    if rows is not None and rows < 1:
        raise UserError(f"There must be at least one row to test, but rows is {rows}.")
    whole = _whole(data, reference)
    return replace(whole, x=whole.x[:rows], y=whole.y[:rows])


def facts(data: Dataset) -> DataFacts:
    """What identifies the rows."""
    names = "/".join([*ids_of(data.x), *map(str, data.y.tolist())])
    digest = xxhash.xxh3_128_hexdigest(names.encode())
    return DataFacts(name=data.name, split=data.split, rows=len(data), digest=digest)


def _whole(data: str | Path | None, reference: str) -> Dataset:
    if data is None:
        if not reference.startswith(BUILTIN):
            raise UserError(
                "Only a builtin model brings its data: name a data set, or an .npz file with x and "
                "y."
            )
        return load(builtin(reference.removeprefix(BUILTIN))[1].data, "test")
    path = Path(data)
    if path.suffix or len(path.parts) != 1:  # no data set has a dot or a slash in its name
        return read(path)
    return load(str(data), "test")
