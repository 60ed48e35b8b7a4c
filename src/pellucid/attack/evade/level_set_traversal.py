"""Level set traversal: walk towards another picture, and let the model see no difference."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from pellucid.attack.evade._box_projection import dot
from pellucid.attack.evade._decision import unit
from pellucid.attack.evade._slope import slope
from pellucid.ball import Ball, spread
from pellucid.box.protocols import GradBox
from pellucid.rng import Streams
from pellucid.shapes import Batch, Each, Labels, ScoreAnswer

L2 = Ball("l2")


@dataclass(frozen=True, kw_only=True)
class LevelSetTraversal:
    """From a start, go towards x at right angles to the slope of the start's class.

    A step is taken only if the class stays nearly as probable as at the start. What it ends on
    looks like x, and is to the model what the start is: x is the picture to look like, the start a
    picture of the class that is to be seen, as in `hit(t)` or `sure(t, least)`.

    Source: Balasubramanian, Sriramanan, Sadasivan and Feizi, NeurIPS 2023, section 3, and the
        settings of their code on ImageNet.
    Needs: GradBox; a start that meets the goal.
    Cost: steps + 2 queries and steps + 1 gradients a row.
    Differs: the trial point's gradient is asked for with its answer, which halves the queries; the
        slope is that of the class's log-odds, whose direction no saturated softmax rounds away;
        the code divides gradients by the batch size, here a row's are its own; a row that would
        try the same point again stops.
    """

    ball: Ball = L2  # where nearness to x counts
    steps: int = 400  # trial points
    eta: float = 0.01  # length of a step, of what remains of the way to x
    tolerance: float = 0.2  # delta: by how much the class may become less probable
    safety: float = 0.002  # the most that a step goes up the slope, in each value, of the range
    noise: float = 4 / 255  # width of the uniform noise on the start, of the input's range

    def __call__(self, box: GradBox, x: Batch, start: Batch, rng: Streams) -> Iterator[Batch]:
        """Yield where each row stands after each step."""
        length = unit(box.spec)
        logits = box.logits(start).detach().to(x)
        source = logits.argmax(-1)
        least = torch.sigmoid(log_odds(logits, source)) - self.tolerance
        rows = logits.isfinite().all(-1).nonzero()[:, 0]
        z = box.spec.clamp(start + self.noise * length * (rng.uniform(1, x.shape[1:])[0] - 0.5))
        odds, up = torch.zeros_like(least), torch.zeros_like(x)
        odds[rows], up[rows] = climb(box[rows], z[rows], source[rows])
        lift, asked = torch.zeros_like(x), z
        for _ in range(self.steps):
            # the slope of the cross-entropy, which fades where the class is sure
            fall = -spread(torch.sigmoid(-odds), x) * up * length
            lift = (lift - self.safety / 2 * fall).clamp(-self.safety, self.safety)
            trial = box.spec.clamp(z + self.eta * across(x - z, up) + length * lift)
            rows = rows[(trial != asked)[rows].flatten(1).any(1) & odds[rows].isfinite()]
            if not len(rows):
                break
            asked = asked.index_copy(0, rows, trial[rows])
            there, slopes = climb(box[rows], trial[rows], source[rows])
            answered = there.isfinite()
            on = answered & (torch.sigmoid(there) > least[rows])
            moved, rows = rows[on], rows[answered]
            z = z.index_copy(0, moved, trial[moved])
            odds[moved], up[moved] = there[on], slopes[on]
            yield z


def log_odds(logits: ScoreAnswer, classes: Labels) -> Each:
    """The log-odds of each row's class against all others."""
    own = classes[:, None]
    return logits.gather(1, own)[:, 0] - logits.scatter(1, own, -torch.inf).logsumexp(1)


def climb(box: GradBox, z: Batch, classes: Labels) -> tuple[Each, Batch]:
    """The log-odds at z and their slope: a query and a gradient a row."""
    z = z.detach().requires_grad_()
    odds = log_odds(box.logits(z).to(z), classes)
    return odds.detach(), slope(odds, z)


def across(v: Batch, up: Batch) -> Batch:
    """The part of v at right angles to `up`; all of v where there is no slope."""
    flat = up.flatten(1)
    size = dot(flat, flat)
    share = dot(flat, v.flatten(1)) / torch.where(size > 0, size, 1)
    return v - spread(share, up) * up
