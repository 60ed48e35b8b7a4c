"""Bayesian surrogate: a climb on samples of a posterior, which take turns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Generator

from pellucid.attack.evade._ensemble import equal, look, of_logits
from pellucid.attack.evade._transfer import follow
from pellucid.attack.input_transforms import InputTransforms
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox, NoBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch

L2 = Ball("l2", 0.5)  # the paper's, on CIFAR-10; 3 on ImageNet, and 4 / 255 in linf


@dataclass(frozen=True, kw_only=True)
class BayesianSurrogate:
    """Climb the goal's cross-entropy inside a ball, at each step on other samples of a network.

    The model itself is never asked: what fools many plausible networks is likely to fool it too.
    `pellucid.train.cyclical_sgld` draws the samples; any other networks serve as well.

    Source: Gubri et al., UAI 2022, section 3.
    Needs: NoBox; surrogates with gradients; a ball with a radius.
    Cost: no query; `together` queries and gradients of surrogates a row, step and view; a query by
        the judge.
    Differs: the order of the samples is drawn from a seed of its own, once for all rows; no
        restarts, and no ghost networks or skipped gradients.
    """

    ball: Ball = L2  # where to stay; in the user's units
    steps: int = 50  # gradient steps
    step: float = 0.1  # length of a step, of the radius
    together: int | None = 1  # samples whose logits are averaged at a step; None: all of them
    decay: float = 0.0  # of earlier gradients, what is left at each step; MI-FGSM's momentum is 0.9
    shuffle: int = 0  # the seed of the order in which samples take turns
    transforms: InputTransforms = InputTransforms()  # of what samples see, and of gradients

    def __post_init__(self) -> None:
        if self.ball.radius is None:
            raise UserError("A Bayesian surrogate is climbed inside a ball: give it a radius.")
        if self.together is not None and self.together < 1:
            raise UserError(f"A step needs a sample or more, not together={self.together}.")

    def __call__(
        self, box: NoBox, goal: Goal, x: Batch, surrogates: Sequence[GradBox], rng: Streams
    ) -> Iterator[Batch]:
        """Yield the iterate of each step."""
        turns = self.turns(len(surrogates))

        def slope(z: Batch) -> Batch:
            chosen = [surrogates[i] for i in next(turns)]
            views = look(chosen, box.spec, self.transforms, z, rng)
            gradient = views.slope(goal, equal(len(chosen), x), of_logits)
            return self.transforms.smoothing(gradient)

        yield from follow(
            box.spec,
            self.ball,
            x,
            x,
            slope,
            steps=self.steps,
            length=self.step * (self.ball.radius or 0),
            decay=self.decay,
        )

    def turns(self, count: int) -> Iterator[list[int]]:
        """Which of so many samples each step is taken on."""
        order = torch.randperm(count, generator=Generator().manual_seed(self.shuffle)).tolist()
        each = count if self.together is None else min(self.together, count)
        for step in range(self.steps):
            yield [order[place % count] for place in range(step * each, (step + 1) * each)]
