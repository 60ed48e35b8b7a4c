"""Fast adversarial training: the cross-entropy of rows that one long step has moved."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Generator, Tensor, nn

from pellucid.fit import Stats, cross_entropy
from pellucid.shapes import Batch, Labels
from pellucid.train.course import Course
from pellucid.train.threat import Threat


@dataclass(frozen=True, kw_only=True)
class FastTraining:
    """Lower the cross-entropy of each row after one long step from a random point around it.

    Source: Wong et al., ICLR 2020, algorithm 3 and section 5 (the settings for CIFAR-10).
    Needs: a classifier that answers logits; rows with a class each, within the threat's bounds.
    Cost: two passes forwards and back a row and epoch, and the figures of `fit`.
    Differs: Adam, not SGD with momentum; the random point is brought within the bounds before the
        step; no early stop when the network has learned to fool one step.
    """

    threat: Threat = Threat()  # what to withstand
    step: float = 1.25  # length of the step, of epsilon
    course: Course = Course()  # epochs, rows a step, highest learning rate

    def __call__(
        self, module: nn.Module, data: tuple[Batch, Labels], rng: Generator
    ) -> Iterator[Stats | nn.Module]:
        """Yield the figures of each epoch, then the module in eval mode."""
        self.threat.check(data[0])
        return self.course.run(module, data, self.loss, rng)

    def loss(self, module: nn.Module, x: Tensor, y: Tensor, rng: Generator) -> Tensor:
        """The mean over one batch under attack."""
        moved = self.threat.worst(module, x, y, rng, steps=1, step=self.step)
        return cross_entropy(module, moved, y, rng)
