"""PGD training: the cross-entropy of rows that PGD has moved."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Generator, Tensor, nn

from pellucid.errors import UserError
from pellucid.fit import Stats, cross_entropy
from pellucid.shapes import Batch, Labels
from pellucid.train.course import Course
from pellucid.train.threat import Threat


@dataclass(frozen=True, kw_only=True)
class PGDTraining:
    """Lower the cross-entropy of each row at the worst point that PGD finds around it.

    Source: Madry et al., ICLR 2018, sections 2.1 and 5 (the settings for CIFAR-10).
    Needs: a classifier that answers logits; rows with a class each, within the threat's bounds.
    Cost: steps + 1 passes forwards and back a row and epoch, and the figures of `fit`.
    Differs: Adam and a one-cycle rate, not SGD with momentum; the step is a share of epsilon.
    """

    threat: Threat = Threat()  # what to withstand
    steps: int = 7  # of PGD on every batch
    step: float = 0.25  # length of a step, of epsilon
    course: Course = Course()  # epochs, rows a step, highest learning rate

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise UserError(f"PGD training needs steps, one or more, not {self.steps}.")

    def __call__(
        self, module: nn.Module, data: tuple[Batch, Labels], rng: Generator
    ) -> Iterator[Stats | nn.Module]:
        """Yield the figures of each epoch, then the module in eval mode."""
        self.threat.check(data[0])
        return self.course.run(module, data, self.loss, rng)

    def loss(self, module: nn.Module, x: Tensor, y: Tensor, rng: Generator) -> Tensor:
        """The mean over one batch under attack."""
        worst = self.threat.worst(module, x, y, rng, steps=self.steps, step=self.step)
        return cross_entropy(module, worst, y, rng)
