"""Entropy penalty: the cross-entropy, and a charge for unsure answers."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Generator, Tensor, nn

from pellucid.errors import UserError
from pellucid.fit import Stats
from pellucid.shapes import Batch, Labels
from pellucid.train.course import Course


@dataclass(frozen=True, kw_only=True)
class EntropyPenalty:
    """Lower the cross-entropy plus beta times the entropy of the answers: gaps of logits widen.

    Source: Cubuk, Zoph, Schoenholz and Le, ICLR Workshops 2018, on entropy regularisation.
    Needs: a classifier that answers logits; rows with a class each.
    Cost: one pass forwards and one back a row and epoch, and the figures of `fit`.
    Differs: Adam and a one-cycle rate; without adversarial training, with which the paper tries it
        too. A negative beta is the confidence penalty of others.
    """

    beta: float = 0.5  # how much entropy costs; 0: standard training
    course: Course = Course()  # epochs, rows a step, highest learning rate

    def __post_init__(self) -> None:
        if not abs(self.beta) < float("inf"):
            raise UserError(f"The beta of an entropy penalty must be finite, not {self.beta}.")

    def __call__(
        self, module: nn.Module, data: tuple[Batch, Labels], rng: Generator
    ) -> Iterator[Stats | nn.Module]:
        """Yield the figures of each epoch, then the module in eval mode."""
        return self.course.run(module, data, self.loss, rng)

    def loss(self, module: nn.Module, x: Tensor, y: Tensor, _rng: Generator) -> Tensor:
        """The mean over one batch."""
        logs = module(x).log_softmax(1)
        wrong = -logs.gather(1, y[:, None])[:, 0]
        entropy = -(logs.exp() * logs).sum(1)
        return (wrong + self.beta * entropy).mean()
