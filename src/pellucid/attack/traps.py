"""Traps in which attacks fail and a model looks robust that is not: signs of each, by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch

from pellucid.attack.evade._losses import climbing, cross_entropy
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.runs import Run
from pellucid.shapes import Batch, Each, Verdicts
from pellucid.statistics import mcnemar

CERTAIN = -13.8  # log 1e-6: what is left for all other classes together
NOISE = 1e-4  # in log-probabilities: what kernels that round anew may differ by
ALPHA = 0.05  # of the test between two attacks
WIDE = 0.25  # share of rows on which a step along the gradient may lose to a random one

Name = Literal["unsteady answers", "saturated softmax", "zero gradients", "masked gradients"]


@dataclass(frozen=True, kw_only=True)
class Trap:
    """A reason not to take a failed attack for robustness."""

    name: Name
    share: float  # of the rows that were looked at
    text: str  # what was seen and what to do, in a sentence or two


def traps(
    box: GradBox, goal: Goal, x: Batch, ball: Ball, rng: Streams, *, tolerated: float = 0.1
) -> tuple[Trap, ...]:
    """Signs of traps around the rows x (n, *shape): those that more than a share of rows show.

    Cost: five queries and one gradient a row, all through the box.

    Args:
        box: the model; a view of a run keeps the books.
        goal: of an attack on these rows, such as `misled(y)`.
        x: rows, best such as do not meet the goal.
        ball: where the attack is to stay; it has a radius.
        rng: streams of the rows.
        tolerated: share of the rows that may show a sign of saturation or of zero gradients.

    Raises:
        UserError: the ball has no radius.
    """
    if ball.radius is None:
        raise UserError("Traps are looked for inside a ball: give the ball a radius.")
    first, second = box.scores(x), box.scores(x)
    answered = ~(first.isnan() | second.isnan()).any(-1)
    _, slope = climbing(box, cross_entropy, goal, x)
    rest = first.scatter(-1, first.argmax(-1, keepdim=True), -torch.inf).logsumexp(-1)
    return tuple(
        _found(
            answered,
            {
                "unsteady answers": (~torch.isclose(first, second, atol=NOISE).all(-1), 0.0),
                "saturated softmax": (rest < CERTAIN, tolerated),
                "zero gradients": ((slope == 0).flatten(1).all(1), tolerated),
                "masked gradients": (_lost(box, goal, x, ball, slope, rng), WIDE),
            },
        )
    )


def masked(gradient: Run, other: Run) -> Trap | None:
    """The trap that an attack that sees less has shown: it breaks rows that gradients could not.

    Args:
        gradient: of an attack by gradients, with as many queries as the other had, or more.
        other: of an attack on the same rows and in the same ball, by scores, labels or transfer.

    Returns:
        None unless the other wins rows more often where the two differ than chance would have it
        (exact one-sided McNemar test, 5 %).
    """
    ours, theirs = gradient.success.numpy(), other.success.numpy()
    only = float((theirs & ~ours).mean())
    if float(mcnemar(theirs, ours, tails=1)) > ALPHA:
        return None
    return Trap(name="masked gradients", share=only, text=TEXTS["masked gradients"].format(only))


TEXTS: dict[Name, str] = {
    "unsteady answers": "The same input is answered differently on {:.0%} of the rows: attack the "
    "mean of several answers, and take no single success or failure for proof.",
    "saturated softmax": "On {:.0%} of the rows all other classes share less than a millionth of "
    "the probability, where cross-entropy loses its gradient in float32: use losses on logits.",
    "zero gradients": "On {:.0%} of the rows the gradient by the input is exactly zero: use "
    "attacks on scores or labels, or a smooth stand-in for the layers that stop it.",
    "masked gradients": "Gradients mislead on {:.0%} of the rows, where what does not use them "
    "does as well or better: do not report robustness on the word of gradient attacks.",
}


def _lost(box: GradBox, goal: Goal, x: Batch, ball: Ball, slope: Batch, rng: Streams) -> Verdicts:
    """Where a whole step along the gradient raises the margin no more than a random one does."""
    noise = rng.normal(1, x.shape[1:])[0]
    along, anyhow = (_stepped(box, goal, x, ball, way) for way in (slope, noise))
    return along <= anyhow


def _stepped(box: GradBox, goal: Goal, x: Batch, ball: Ball, way: Batch) -> Each:
    """The margin a radius away."""
    z = x + (ball.radius or 0) * ball.steepest(way)
    return goal.margin(box.scores(box.spec.clamp(z)))


def _found(answered: Verdicts, seen: dict[Name, tuple[Verdicts, float]]) -> Iterator[Trap]:
    """The traps whose sign more rows show than may; of rows that were answered."""
    for name, (sign, most) in seen.items():
        share = float(sign[answered].double().mean()) if bool(answered.any()) else 0.0
        if share > most:
            yield Trap(name=name, share=share, text=TEXTS[name].format(share))
