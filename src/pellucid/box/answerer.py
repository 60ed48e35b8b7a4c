"""Models that are asked with arrays: graphs in another runtime, estimators, endpoints."""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class Answerer(Protocol):
    """A model that takes an array and gives one back; nothing flows backwards through it."""

    def __call__(self, x: NDArray[np.generic], /) -> NDArray[np.generic]:
        """Raw outputs (n, outputs) or (n,) for x (n, *shape), which is preprocessed already."""
        ...

    def fingerprint(self) -> str | None:
        """A hash of everything that decides the answers; None if that cannot be told."""
        ...
