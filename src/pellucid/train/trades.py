"""TRADES: cross-entropy where the rows are, and the same answer all around them."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from pellucid.errors import UserError
from pellucid.fit import Stats
from pellucid.shapes import Batch, Labels
from pellucid.train.course import Course
from pellucid.train.threat import Threat


@dataclass(frozen=True, kw_only=True)
class TRADES:
    """Lower the cross-entropy of each row, and how far the answers around it are from its own.

    Source: Zhang et al., ICML 2019, algorithm 1 and section 5.3 (the settings for CIFAR-10).
    Needs: a classifier that answers logits; rows with a class each, within the threat's bounds.
    Cost: steps + 2 passes forwards and back a row and epoch, and the figures of `fit`.
    Differs: Adam and a one-cycle rate, not SGD with momentum; the step is a share of epsilon; the
        answer to the row itself is asked for once, and in train mode as all others are.
    """

    threat: Threat = Threat(epsilon=0.031)  # what to withstand
    beta: float = 6.0  # weight of the second term, the paper's 1 / lambda
    steps: int = 10  # of the climb on every batch
    step: float = 7 / 31  # length of a step, of epsilon
    noise: float = 0.001  # standard deviation of the start around the row, in units of the input
    course: Course = Course()  # epochs, rows a step, highest learning rate

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise UserError(f"TRADES needs steps, one or more, not {self.steps}.")
        if not self.beta >= 0:
            raise UserError(f"The beta of TRADES must be at least 0, not {self.beta}.")
        if not self.noise > 0:
            raise UserError(
                f"TRADES cannot climb from the row itself: make noise positive, not {self.noise}."
            )

    def __call__(
        self, module: nn.Module, data: tuple[Batch, Labels], rng: Generator
    ) -> Iterator[Stats | nn.Module]:
        """Yield the figures of each epoch, then the module in eval mode."""
        self.threat.check(data[0])
        return self.course.run(module, data, self.loss, rng)

    def loss(self, module: nn.Module, x: Tensor, y: Tensor, rng: Generator) -> Tensor:
        """The mean over one batch, of both terms."""
        logits = module(x)
        own = logits.detach()
        noise = torch.randn(x.shape, generator=rng, dtype=x.dtype, device=x.device)
        start = self.threat.inside(x + self.noise * noise, x)
        far = self.threat.climb(
            lambda z: divergence(own, module(z)), start, x, steps=self.steps, step=self.step
        )
        smooth = divergence(logits, module(far)) / len(x)
        return functional.cross_entropy(logits, y) + self.beta * smooth


def divergence(own: Tensor, other: Tensor) -> Tensor:
    """The sum over rows of KL(own || other), of the softmax of logits (n, classes)."""
    return functional.kl_div(
        other.log_softmax(dim=-1), own.log_softmax(dim=-1), reduction="sum", log_target=True
    )
