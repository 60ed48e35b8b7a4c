"""What a trainer is."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from torch import Generator, nn

from pellucid.fit import Stats
from pellucid.shapes import Batch, Labels


@runtime_checkable
class Trainer(Protocol):
    """A method that trains a module in place."""

    def __call__(
        self, module: nn.Module, data: tuple[Batch, Labels], rng: Generator
    ) -> Iterator[Stats | nn.Module]:
        """Yield the figures of each epoch, then the module in eval mode."""
        ...
