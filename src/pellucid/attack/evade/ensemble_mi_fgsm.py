"""MI-FGSM on an ensemble: what fools several surrogates at once, for a model never asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from pellucid.attack.evade._ensemble import FUSIONS, FusionName, equal, look
from pellucid.attack.evade._transfer import follow, within
from pellucid.attack.input_transforms import InputTransforms
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox, NoBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch

LINF = Ball("linf", 16 / 255)


@dataclass(frozen=True, kw_only=True)
class EnsembleMIFGSM:
    """Steps along accumulated gradients of surrogates that are joined with equal weights.

    With `transforms` it is DI-, TI- or SI-FGSM as well, and with `back` the sharpness-aware steps
    (MI-SAM) of Chen et al., ICLR 2024, which take each gradient a little downhill.

    Source: Dong et al., CVPR 2018, sections 3.3 and 3.4.
    Needs: NoBox; surrogates with gradients; a ball with a radius.
    Cost: no query; a query and a gradient a row, step, view and surrogate, with `back` twice as
        many; a query by the judge.
    Differs: each surrogate sees the input transformed by draws of its own.
    """

    ball: Ball = LINF  # where to stay; in the user's units
    steps: int = 10  # gradient steps
    step: float = 0.1  # length of a step, of the radius
    decay: float = 1.0  # the paper's mu: what is left of the earlier gradients at each step
    fuse: FusionName = "logits"  # of what the surrogates' mean is taken
    noise: float = 0.0  # standard deviation of the start around x, in the user's units
    back: float = 0.0  # how far downhill gradients are taken, of the radius; MI-SAM: 0.1
    transforms: InputTransforms = InputTransforms()  # of what surrogates see, and of gradients

    def __post_init__(self) -> None:
        if self.ball.radius is None:
            raise UserError("MI-FGSM walks to the edge of a ball: give the ball a radius.")

    def __call__(
        self, box: NoBox, goal: Goal, x: Batch, surrogates: Sequence[GradBox], rng: Streams
    ) -> Iterator[Batch]:
        """Yield the iterate of each step."""
        radius, weights = self.ball.radius or 0, equal(len(surrogates), x)

        def slope(z: Batch) -> Batch:
            views = look(surrogates, box.spec, self.transforms, z, rng)
            gradient = views.slope(goal, weights, FUSIONS[self.fuse])
            return self.transforms.smoothing(gradient)

        def lower_slope(z: Batch) -> Batch:
            down = torch.sub(z, self.ball.steepest(slope(z)), alpha=self.back * radius)
            return slope(box.spec.clamp(down))

        start = box.spec.clamp(x + self.noise * rng.normal(1, x.shape[1:])[0]) if self.noise else x
        yield from follow(
            box.spec,
            self.ball,
            x,
            within(box.spec, self.ball, x, start),
            lower_slope if self.back else slope,
            steps=self.steps,
            length=self.step * radius,
            decay=self.decay,
        )
