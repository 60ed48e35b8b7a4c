"""What gradient attacks climb, by name, and the gradient of it."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor

from pellucid.attack.evade._probabilities import probabilities
from pellucid.attack.evade._slope import slope
from pellucid.box.protocols import GradBox
from pellucid.goals import Goal
from pellucid.shapes import Batch, Each, ScoreAnswer

LossName = Literal["ce", "margin", "probability-margin", "dlr"]
Loss = Callable[[Goal, ScoreAnswer], Tensor]  # a number a row that grows towards the goal


def cross_entropy(goal: Goal, logits: ScoreAnswer) -> Tensor:
    """The goal's own cross-entropy."""
    return goal.loss(logits)


def margin(goal: Goal, logits: ScoreAnswer) -> Tensor:
    """The goal's margin in logits: the loss of Carlini and Wagner, IEEE S&P 2017, up to its cap.

    Their cap kappa says how far to go on after success, where a row stops here.
    """
    return goal.margin(logits)


def probability_margin(goal: Goal, logits: ScoreAnswer) -> Tensor:
    """The goal's margin in probabilities: L_pm of Xie et al., arXiv 2024."""
    return goal.margin(probabilities(logits))


def dlr(goal: Goal, logits: ScoreAnswer) -> Tensor:
    """The goal's margin over the first logit's lead on the third: of no scale, and no shift.

    The difference of logits ratio of Croce and Hein, ICML 2020, equation 6. Of two classes it
    would be a constant, so there it is the margin.
    """
    top = logits.topk(min(3, logits.shape[-1])).values
    scale = top[..., 0] - top[..., 2] if top.shape[-1] == 3 else 1
    return goal.margin(logits) / (scale + 1e-12)


def targeted_dlr(goal: Goal, logits: ScoreAnswer) -> Tensor:
    """The same for a class aimed at: over the lead on the mean of the third and the fourth.

    Equation 7 of the same paper; below four classes it is the margin.
    """
    top = logits.topk(min(4, logits.shape[-1])).values
    scale = top[..., 0] - (top[..., 2] + top[..., 3]) / 2 if top.shape[-1] == 4 else 1
    return goal.margin(logits) / (scale + 1e-12)


LOSSES: dict[LossName, Loss] = {
    "ce": cross_entropy,
    "margin": margin,
    "probability-margin": probability_margin,
    "dlr": dlr,
}


def climbing(box: GradBox, loss: Loss, goal: Goal, z: Batch) -> tuple[Each, Batch]:
    """The loss at z and its gradient: a query and a gradient a row.

    The gradient of a probability margin has the right direction, but a size of its own.
    """
    z = z.detach().requires_grad_()
    value = loss(goal, box.logits(z))
    return value.detach(), slope(value, z)
