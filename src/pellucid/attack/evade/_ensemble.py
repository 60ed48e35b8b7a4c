"""Several surrogates as one: what they are shown, and how their answers are joined."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import torch
from torch import Tensor

from pellucid.attack.evade._slope import slope
from pellucid.attack.input_transforms import InputTransforms
from pellucid.box.protocols import GradBox
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch, Each, ScoreAnswer
from pellucid.spec import Spec

FusionName = Literal["logits", "probabilities", "losses"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Views:
    """What a point looks like to surrogates, and what one of them says; differentiable."""

    at: Batch  # the point itself, (n, *shape)
    answers: tuple[ScoreAnswer, ...]  # of each surrogate, (views, n, classes)

    def own_slopes(self, goal: Goal) -> list[Batch]:
        """The gradient of each surrogate's own loss; there may be others later."""
        return [
            slope(goal.loss(answer).mean(0), self.at, again=True).detach()
            for answer in self.answers
        ]

    def slope(self, goal: Goal, weights: Sequence[Each], fuse: "Fusion") -> Batch:
        """The gradient of the loss of all of them together, each row by weights of its own."""
        return slope(fuse(goal, self.answers, weights).mean(0), self.at).detach()


def look(
    surrogates: Sequence[GradBox], spec: Spec, transforms: InputTransforms, z: Batch, rng: Streams
) -> Views:
    """Show z to each surrogate, transformed by draws of their own: a query a row, view and box."""
    z = z.detach().requires_grad_()
    answers = [box.logits(spec.clamp(transforms.views(z, rng))) for box in surrogates]
    return Views(at=z, answers=tuple(answers))


# --- how answers are joined ------------------------------------------------------------------

# (goal, answers of each surrogate (views, n, classes), weights of each (n)) -> loss (views, n)
Fusion = Callable[[Goal, Sequence[ScoreAnswer], Sequence[Each]], Tensor]


def equal(count: int, like: Batch) -> list[Each]:
    """The same weight for each surrogate and row."""
    return [like.new_full((len(like),), 1 / count)] * count


def _total(parts: Sequence[Tensor]) -> Tensor:
    """The sum in order: one over an axis has other bits in other company."""
    return reduce(torch.add, parts)


def of_logits(goal: Goal, answers: Sequence[ScoreAnswer], weights: Sequence[Each]) -> Tensor:
    """The loss of the mean logits."""
    parts = [weight[:, None] * answer for weight, answer in zip(weights, answers, strict=True)]
    return goal.loss(_total(parts))


def of_probabilities(goal: Goal, answers: Sequence[ScoreAnswer], weights: Sequence[Each]) -> Tensor:
    """The loss of the mean probabilities."""
    parts = [
        answer.log_softmax(-1) + weight.log()[:, None]
        for weight, answer in zip(weights, answers, strict=True)
    ]
    return goal.loss(reduce(torch.logaddexp, parts))


def of_losses(goal: Goal, answers: Sequence[ScoreAnswer], weights: Sequence[Each]) -> Tensor:
    """The mean loss."""
    pairs = zip(weights, answers, strict=True)
    return _total([weight * goal.loss(answer) for weight, answer in pairs])


FUSIONS: dict[FusionName, Fusion] = {
    "logits": of_logits,
    "probabilities": of_probabilities,
    "losses": of_losses,
}
