"""Cyclical SGLD: samples of the weights' posterior, from one training run."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import cos, pi

import torch
from torch import Generator, nn
from torch.optim.lr_scheduler import LambdaLR

from pellucid.errors import UserError
from pellucid.fit import Stats, fit
from pellucid.shapes import Batch, Labels
from pellucid.train._langevin import Langevin


@dataclass(frozen=True, kw_only=True)
class CyclicalSGLD:
    """Descend with a rate that falls by cosine and starts again, and keep the ends of each cycle.

    The long steps at the beginning of a cycle lead to another mode; in its last epochs noise is
    added, and the weights after each of them are a sample. `draw` yields the samples; called as a
    trainer, it leaves the module with the last of them.

    Source: Gubri et al., UAI 2022, section 3, after Zhang et al., ICLR 2020, algorithm 1.
    Needs: a classifier that answers logits; rows with a class each.
    Cost: one pass forwards and one back a row and epoch, and the figures of `fit`.
    Differs: the defaults are those of the authors' code for CIFAR-10; the prior is weight decay.
        Without noise it is the snapshot ensemble of Huang et al., ICLR 2017.
    """

    cycles: int = 5  # how often the rate starts again
    epochs: int = 50  # in a cycle
    samples: int = 3  # of a cycle: its last epochs, one each
    rate: float = 0.5  # the learning rate at the beginning of a cycle
    decay: float = 3e-4  # weight decay
    batch: int = 64  # rows a step
    noise: bool = True  # shake the weights in the last epochs of a cycle

    def __post_init__(self) -> None:
        if self.cycles < 1 or not 1 <= self.samples <= self.epochs:
            raise UserError(
                "Cyclical SGLD needs a cycle or more, and in each as many epochs as samples or "
                f"more, not {self.cycles} of {self.epochs} epochs for {self.samples} samples."
            )
        if not (self.rate > 0 and self.decay >= 0 and self.batch >= 1):
            raise UserError(
                "Cyclical SGLD needs a rate above 0, a decay of 0 or more and batches of a row or "
                f"more, not {self.rate}, {self.decay} and {self.batch}."
            )

    def __call__(
        self, module: nn.Module, data: tuple[Batch, Labels], rng: Generator
    ) -> Iterator[Stats | nn.Module]:
        """Yield the figures of each epoch, then the module in eval mode: the last sample."""
        yield from self._epochs(module, data, rng)
        yield module.eval()

    def draw(
        self, module: nn.Module, data: tuple[Batch, Labels], rng: Generator
    ) -> Iterator[Stats | nn.Module]:
        """Yield the figures of each epoch, and after those that end on a sample, the sample.

        A sample is a copy of the module in eval mode; it has its own running statistics.
        """
        for stats in self._epochs(module, data, rng):
            yield stats
            if self._samples_in(stats.epoch - 1):
                yield copy.deepcopy(module).eval()

    def share(self, step: int, length: int) -> float:
        """Of the first learning rate, what is left at a step of cycles of this length."""
        return (cos(pi * (step % length) / length) + 1) / 2

    def _epochs(
        self, module: nn.Module, data: tuple[Batch, Labels], rng: Generator
    ) -> Iterator[Stats]:
        x, y = data
        batches = max(1, -(-len(x) // self.batch))  # fit refuses no rows in its own words
        seed = int(torch.randint(2**31, (), generator=rng))
        yield from fit(
            module,
            x,
            y,
            epochs=self.cycles * self.epochs,
            batch=self.batch,
            optimiser=partial(
                Langevin,
                lr=self.rate,
                decay=self.decay,
                scale=1 / batches,
                noisy=lambda step: self.noise and self._samples_in(step // batches),
                rng=Generator().manual_seed(seed),
            ),
            schedule=lambda optimiser, _: LambdaLR(
                optimiser, lambda step: self.share(step, self.epochs * batches)
            ),
            rng=rng,
        )

    def _samples_in(self, epoch: int) -> bool:
        """Whether this epoch, from 0 on, is among the last of its cycle."""
        return epoch % self.epochs >= self.epochs - self.samples
