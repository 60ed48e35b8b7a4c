"""The rows of an audit and what checks kept about them, as the pictures of the report need it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int, Num
from numpy import ndarray

from pellucid.audit.report import pictures

Inputs = Num[ndarray, "n *shape"]
Classes = Int[ndarray, " n"]
Arrays = Mapping[str, Mapping[str, ndarray]]  # by check, then by name


@dataclass(frozen=True, kw_only=True, eq=False)
class Subjects:
    """Rows, their classes, and the arrays of the checks."""

    arrays: Arrays
    x: Inputs
    y: Classes
    class_names: Sequence[str]

    @cached_property
    def span(self) -> tuple[float, float]:
        """The least and the greatest value of any row: black and white of the pictures."""
        if not self.x.size:
            return 0.0, 1.0
        return float(np.nanmin(self.x)), float(np.nanmax(self.x))

    @property
    def pictured(self) -> bool:
        """Whether the rows can be shown as pictures."""
        return pictures.is_picture(self.x.shape[1:])

    def named(self, label: int) -> str:
        """The name of a class that a model or the data gave."""
        if label < 0:
            return "no answer"
        return self.class_names[label] if label < len(self.class_names) else f"class {label}"

    def before(self, row: int) -> str:
        """What the model said of a row as it stands."""
        said = self.arrays.get("clean.accuracy", {}).get("labels")
        return "not kept" if said is None else self.named(int(said[row]))
