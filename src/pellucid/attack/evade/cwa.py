"""CWA: towards a weakness that surrogates have in common, and that is flat."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from pellucid.attack.evade._ensemble import equal, look, of_logits
from pellucid.attack.evade._transfer import of_size_one, within
from pellucid.attack.input_transforms import InputTransforms
from pellucid.ball import NORMS, Ball
from pellucid.box.protocols import GradBox, NoBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch

LINF, L2 = Ball("linf", 16 / 255), Ball("l2")


@dataclass(frozen=True, kw_only=True)
class CWA:
    """A step down for all surrogates, a step up for each in turn, and on the way that this leads.

    The step down (SAM) looks for flat ground; steps in turn (the cosine similarity encourager, CSE)
    go, to second order, where the surrogates' gradients agree. `back=0` is MI-CSE.

    Source: Chen et al., ICLR 2024, algorithms 1 and 2, and their code.
    Needs: NoBox; surrogates with gradients; a ball with a radius.
    Cost: no query; two queries and two gradients a row, step and surrogate, or with `back=0` one;
        a query by the judge.
    Differs: momentum is normalised row by row, where the code takes one norm over the batch; the
        step down follows the loss of the surrogates' mean logits, not of their sum; steps are
        shares of the radius (`inner` in l2 of the radius spread over all values); no outer Adam;
        DI shrinks pictures, where the code crops them.
    """

    ball: Ball = LINF  # where to stay; in the user's units
    steps: int = 10  # steps of all surrogates
    step: float = 0.2  # length of a step, of the radius; the paper's alpha
    back: float = 1 / 15  # length of the step down, of the radius; the paper's r
    inner: float = 10.3  # root mean square of a step in turn, of the radius; the paper's beta
    decay: float = 1.0  # the paper's mu: what is left of earlier steps, in turn and of all
    transforms: InputTransforms = InputTransforms()  # of steps in turn, and of gradients

    def __post_init__(self) -> None:
        if self.ball.radius is None:
            raise UserError("CWA walks inside a ball: give the ball a radius.")

    def __call__(
        self, box: NoBox, goal: Goal, x: Batch, surrogates: Sequence[GradBox], rng: Streams
    ) -> Iterator[Batch]:
        """Yield where the rows stand after each step of all surrogates."""
        spec, radius = box.spec, self.ball.radius or 0
        # the paper's 250 is 10.3 radii a value in images of 3 x 224 x 224
        reach = self.inner * radius * x[0].numel() ** (0.5 - NORMS[self.ball.norm].growth)
        weights, whole = equal(len(surrogates), x), InputTransforms()
        smooth = self.transforms.smoothing
        z, inner, outer = x, torch.zeros_like(x), torch.zeros_like(x)
        for _ in range(self.steps):
            y = z
            if self.back:
                down = look(surrogates, spec, whole, z, rng).slope(goal, weights, of_logits)
                move = self.ball.steepest(smooth(down))
                y = within(spec, self.ball, x, torch.sub(y, move, alpha=self.back * radius))
            for surrogate in surrogates:
                views = look([surrogate], spec, self.transforms, y, rng)
                up = views.slope(goal, equal(1, x), of_logits)
                inner = self.decay * inner + L2.steepest(smooth(up))
                y = within(spec, self.ball, x, torch.add(y, inner, alpha=reach))
            outer = self.decay * outer + of_size_one(y - z)
            far = torch.add(z, self.ball.steepest(outer), alpha=self.step * radius)
            z = within(spec, self.ball, x, far)
            yield z
