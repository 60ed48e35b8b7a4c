"""A course of training: how long, in steps of how many rows, and how fast."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from torch import Generator, nn
from torch.optim import Adam
from torch.optim.lr_scheduler import OneCycleLR

from pellucid.errors import UserError
from pellucid.fit import Objective, Stats, fit
from pellucid.shapes import Batch, Labels


@dataclass(frozen=True, kw_only=True)
class Course:
    """Adam (Kingma and Ba, ICLR 2015) with a one-cycle learning rate (Smith, arXiv 2018)."""

    epochs: int = 10  # how often all rows are seen
    batch: int = 128  # rows a step
    rate: float = 1e-3  # the highest learning rate

    def __post_init__(self) -> None:
        if not self.rate > 0:
            raise UserError(f"The rate of a course must be positive, not {self.rate}.")

    def run(
        self, module: nn.Module, data: tuple[Batch, Labels], objective: Objective, rng: Generator
    ) -> Iterator[Stats | nn.Module]:
        """Yield the figures of each epoch, then the module in eval mode.

        Raises:
            BadTraining: the rows cannot be trained on, or epochs or batch are below 1.
            MissingExtra: Lightning Fabric is not installed.
        """
        x, y = data
        yield from fit(
            module,
            x,
            y,
            objective=objective,
            epochs=self.epochs,
            batch=self.batch,
            optimiser=partial(Adam, lr=self.rate),
            schedule=lambda optimiser, steps: OneCycleLR(
                optimiser, max_lr=self.rate, total_steps=steps
            ),
            rng=rng,
        )
        yield module.eval()
