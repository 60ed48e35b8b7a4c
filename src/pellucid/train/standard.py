"""Standard training: the cross-entropy of the rows as they are."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Generator, Tensor, nn

from pellucid.fit import Stats, cross_entropy
from pellucid.shapes import Batch, Labels
from pellucid.train.course import Course


@dataclass(frozen=True, kw_only=True)
class Standard:
    """Lower the mean cross-entropy of the rows as they are.

    Source: Kingma and Ba, ICLR 2015, algorithm 1.
    Needs: a classifier that answers logits; rows with a class each.
    Cost: one pass forwards and one back a row and epoch, and the figures of `fit`.
    Differs: the learning rate rises and falls once, where the paper's stands still.
    """

    course: Course = Course()  # epochs, rows a step, highest learning rate

    def __call__(
        self, module: nn.Module, data: tuple[Batch, Labels], rng: Generator
    ) -> Iterator[Stats | nn.Module]:
        """Yield the figures of each epoch, then the module in eval mode."""
        return self.course.run(module, data, self.loss, rng)

    def loss(self, module: nn.Module, x: Tensor, y: Tensor, rng: Generator) -> Tensor:
        """The mean over one batch."""
        return cross_entropy(module, x, y, rng)
