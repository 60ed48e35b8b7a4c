"""SVRE: gradients of one surrogate at a time, of less variance by what all of them say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Generator

from pellucid.attack.evade._ensemble import equal, look, of_logits
from pellucid.attack.evade._transfer import of_size_one, within
from pellucid.attack.input_transforms import InputTransforms
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox, NoBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch

LINF = Ball("linf", 16 / 255)


@dataclass(frozen=True, kw_only=True)
class SVRE:
    """Before each step, many small ones along corrected gradients of surrogates drawn at random.

    The gradient of one surrogate is corrected by how it differed, where the small steps began, from
    that of the surrogates' mean logits; the step itself follows what the small steps gathered.

    Source: Xiong et al., CVPR 2022, algorithm 1, and their code (SVRE-MI-FGSM).
    Needs: NoBox; surrogates with gradients; a ball with a radius.
    Cost: no query; a row and step, of each surrogate a query and two gradients, and `draws` queries
        and gradients of whichever are drawn; a query by the judge.
    Differs: the surrogates are drawn from a seed of their own, once for all rows.
    """

    ball: Ball = LINF  # where to stay; in the user's units
    steps: int = 10  # steps of all surrogates
    step: float = 0.1  # length of each, of the radius; the paper's alpha
    draws: int = 16  # small steps before each; the paper's M, four times its surrogates
    inner: float = 0.1  # length of a small step, of the radius; the paper's beta
    decay: float = 1.0  # of what earlier steps gathered, what is left at each
    inner_decay: float = 1.0  # of the gradients of earlier small steps, what is left at each
    seed: int = 0  # of the order in which surrogates are drawn
    transforms: InputTransforms = InputTransforms()  # of what surrogates see, and of gradients

    def __post_init__(self) -> None:
        if self.ball.radius is None:
            raise UserError("SVRE walks inside a ball: give the ball a radius.")
        if self.draws < 1:
            raise UserError(f"SVRE gathers what small steps find: give draws, not {self.draws}.")

    def __call__(
        self, box: NoBox, goal: Goal, x: Batch, surrogates: Sequence[GradBox], rng: Streams
    ) -> Iterator[Batch]:
        """Yield the iterate of each step."""
        spec, radius, smooth = box.spec, self.ball.radius or 0, self.transforms.smoothing
        drawn = self.drawn(len(surrogates))
        z, velocity = x, torch.zeros_like(x)
        for _ in range(self.steps):
            views = look(surrogates, spec, self.transforms, z, rng)
            own = views.own_slopes(goal)
            whole = views.slope(goal, equal(len(surrogates), x), of_logits)
            y, gathered = z, torch.zeros_like(x)
            for _ in range(self.draws):
                which = next(drawn)
                views = look([surrogates[which]], spec, self.transforms, y, rng)
                slope = views.slope(goal, equal(1, x), of_logits) - own[which] + whole
                gathered = self.inner_decay * gathered + of_size_one(smooth(slope))
                move = self.ball.steepest(gathered)
                y = within(spec, self.ball, x, torch.add(y, move, alpha=self.inner * radius))
            velocity = self.decay * velocity + of_size_one(gathered)
            move = self.ball.steepest(velocity)
            z = within(spec, self.ball, x, torch.add(z, move, alpha=self.step * radius))
            yield z

    def drawn(self, count: int) -> Iterator[int]:
        """Which of so many surrogates each small step is taken on, for ever."""
        rng = Generator().manual_seed(self.seed)
        while True:
            yield int(torch.randint(count, (), generator=rng))
