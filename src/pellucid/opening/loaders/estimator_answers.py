"""A fitted estimator that is asked with arrays."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import UserError
from pellucid.opening.loaders._guests import hosting

Array = NDArray[np.generic]
Arrays = Callable[[Array], Array]


class BadRows(UserError):
    """An estimator cannot answer such rows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EstimatorAnswers:
    """One method of an estimator, and how its answers are read."""

    ask: Arrays  # rows (n, features) to answers
    read: Arrays  # answers as a model gives them: (n, outputs) or (n,)
    features: int | None = None  # numbers a row; None: the estimator does not say
    digest: str | None = None

    def __call__(self, x: Array, /) -> Array:
        """Answers for x (n, *shape); a row of more than one axis is read along them.

        Raises:
            BadRows: rows hold another count of numbers than the estimator was fitted to, or it
                fails on them.
        """
        width = prod(x.shape[1:])
        if width != (self.features or width):
            raise BadRows(
                f"The estimator was fitted to {self.features} numbers a row, but these rows of "
                f"shape {x.shape[1:]} hold {width}: declare the shape that it was fitted to."
            )
        with hosting(_refused):
            return self.read(self.ask(x.reshape(len(x), width)))

    def fingerprint(self) -> str | None:
        """A hash of the estimator, if its source has one."""
        return self.digest


def as_they_are(answers: Array) -> Array:
    """Probabilities, or values: nothing to read."""
    return answers


def as_logits(scores: Array) -> Array:
    """Scores (n, classes); of two classes sklearn gives the margin (n,) alone: 0 and the margin."""
    return np.stack([np.zeros_like(scores), scores], axis=-1) if scores.ndim == 1 else scores


@dataclass(frozen=True, kw_only=True, eq=False)
class Numbered:
    """Reads the classes that are answered as their numbers."""

    classes: Array  # (classes,), rising

    def __call__(self, answers: Array) -> NDArray[np.int64]:
        """The number of each class (n,)."""
        return np.searchsorted(self.classes, answers).astype(np.int64)


def _refused(how: str) -> BadRows:
    return BadRows(
        f"The estimator cannot answer these rows ({how}): give rows such as it was fitted to."
    )
