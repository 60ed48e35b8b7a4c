"""PMA: climb one side of the probability margin, then all of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import cos, inf, pi
from typing import Literal

import torch
from torch import Tensor

from pellucid.attack.evade._ascent import Step, ascend
from pellucid.attack.evade._losses import Loss
from pellucid.attack.evade._probabilities import probabilities
from pellucid.attack.evade._survivors import survivors
from pellucid.attack.evade._winners import winners
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch, ScoreAnswer

LINF = Ball("linf", 8 / 255)
Space = Literal["probabilities", "logits"]
SPACES: dict[Space, Callable[[ScoreAnswer], ScoreAnswer]] = {
    "probabilities": probabilities,
    "logits": lambda logits: logits,
}


@dataclass(frozen=True, kw_only=True)
class PMA:
    """Two climbs from random points: down the own class or up the best other, then their margin.

    A climb's first step goes back towards the own class, off flat ground. Steps fall from two
    radii to none by cosine, once in each half.

    Source: Xie et al., arXiv 2024, and their code; the schedule is that of Ma et al., arXiv 2020.
    Needs: GradBox; a ball with a radius; a goal that labels decide.
    Cost: 2 steps + 1 queries and 2 steps gradients a row; a last query by the judge.
    Differs: starts are clipped to the bounds; gradients are those of exact probabilities, which a
        softmax in float32 rounds to zero where the model is sure; any goal on classes says which
        are to fall and which to rise.
    """

    ball: Ball = LINF  # where to stay; in the user's units
    steps: int = 100  # gradient steps of each of the two climbs
    space: Space = "probabilities"  # where the margin is taken; logits: the MD attack of Ma et al.

    def __post_init__(self) -> None:
        if self.ball.radius is None:
            raise UserError("PMA climbs inside a ball: give the ball a radius.")
        if self.steps < 2:
            raise UserError(f"PMA climbs in two halves: give it 2 steps or more, not {self.steps}.")

    def __call__(self, box: GradBox, goal: Goal, x: Batch, rng: Streams) -> Iterator[Batch]:
        """Yield the iterate of each step; rows that are done leave the work between the climbs."""
        z, rows = x, torch.arange(len(x))
        for first in (fall, rise):
            if first is rise:
                rows = survivors(box, goal, self.ball, x, z, rows)
            if not len(rows):
                break
            near = x[rows]
            start = box.spec.clamp(self.ball.sample(rng[rows], near))
            climb = ascend(box[rows], goal[rows], self.ball, near, start, self._schedule(first))
            for part in climb:
                z = z.index_copy(0, rows, part)
                yield z

    def _schedule(self, first: "Term") -> Iterator[Step]:
        """What each step climbs, and how far."""
        half, radius = self.steps // 2, self.ball.radius or 0
        for number in range(self.steps):
            term = back if number == 0 else first if number < half else margin
            since = number - 1 if number <= half else number - half - 1
            length = radius * (1 + cos(pi * since / (self.steps - half)))
            yield Step(loss=self._loss(term), length=length)

    def _loss(self, term: "Term") -> Loss:
        return partial(_in_space, SPACES[self.space], term)


Term = Callable[[Goal, ScoreAnswer], Tensor]  # a number a row, of probabilities or logits


def _in_space(
    space: Callable[[ScoreAnswer], ScoreAnswer], term: Term, goal: Goal, logits: ScoreAnswer
) -> Tensor:
    return term(goal, space(logits))


def back(goal: Goal, values: ScoreAnswer) -> Tensor:
    """The best class that fails the goal: of `misled` the own one."""
    return values.masked_fill(winners(goal, values.shape[-1]), -inf).amax(-1)


def fall(goal: Goal, values: ScoreAnswer) -> Tensor:
    """The same turned round."""
    return -back(goal, values)


def rise(goal: Goal, values: ScoreAnswer) -> Tensor:
    """The best class that meets the goal."""
    return values.masked_fill(~winners(goal, values.shape[-1]), -inf).amax(-1)


def margin(goal: Goal, values: ScoreAnswer) -> Tensor:
    """How far the goal is met."""
    return goal.margin(values)
