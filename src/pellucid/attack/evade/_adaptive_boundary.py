"""What both forms of FAB share: the walk from plane to plane, and the search back towards x."""

from collections.abc import Generator
from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from pellucid.attack.evade._box_projection import dot, step_onto_plane
from pellucid.attack.evade._slope import slope
from pellucid.ball import NORMS, Ball, spread
from pellucid.box.protocols import GradBox
from pellucid.shapes import Batch, Each, RowNumbers, Verdicts
from pellucid.spec import Spec

NEAREST = Ball("l2")
BEYOND = 0.01  # of what remains of the way, in the search back towards x


@dataclass(frozen=True, kw_only=True)
class AdaptiveBoundary:
    """The fields of FAB, and a walk towards some of the classes that meet the goal."""

    ball: Ball = NEAREST  # the norm to be small in
    steps: int = 100  # planes to step to
    alpha_max: float = 0.1  # the most that the step from x counts beside the step from the iterate
    eta: float = 1.05  # overshoot: how far to step, of the way to the plane
    beta: float = 0.9  # what remains of the way from x after a success
    search: int = 3  # points asked on the way from x to the best success, in the end

    def _walk(
        self, box: GradBox, x: Batch, rows: RowNumbers, wins: Tensor, ranks: slice
    ) -> Generator[Batch, None, RowNumbers]:
        """Yield iterates; return the rows that still answer.

        `ranks` says which of the classes that meet the goal are walked to, likeliest at x first.
        """
        z, trace = x, Trace(self.ball, x, wins)
        aims = torch.zeros_like(wins[:, ranks], dtype=torch.long)
        silent = torch.zeros(len(x), dtype=torch.bool)
        every = rows
        for step in range(self.steps):
            asked = z[rows].detach().requires_grad_()
            margins = over_the_rest(box[rows].logits(asked).to(x), wins[rows])
            if step == 0:
                trace.clean[rows] = margins.detach()
                aims[rows] = margins.argsort(dim=1, descending=True, stable=True)[:, ranks]
            w, margin = self._nearest_plane(margins, aims[rows], asked)
            asked, margins = asked.detach(), margins.detach()
            met = trace.see(rows, asked, margins)
            moved = self._step(box.spec, x[rows], asked, met, w, margin)
            silent[rows] = ~answered(margins)
            # a row that stands still has no slope to go by, and would ask the same for ever
            on = ~silent[rows] & (moved != asked).flatten(1).any(1)
            rows = rows[on]
            z = z.index_copy(0, rows, moved[on])
            yield z
            if not len(rows):
                break
        if len(rows):
            trace.see(rows, z[rows], over_the_rest(box[rows].scores(z[rows]).to(x), wins[rows]))
        yield from self._back(box, x, trace)
        return every[~silent[every]]

    def _nearest_plane(self, margins: Tensor, aims: Tensor, asked: Batch) -> tuple[Tensor, Each]:
        """Of the planes where a class draws level with those that fail the goal, the nearest one.

        Returns its normal (m, d) and the margin (m) at the point that was asked about.
        """
        normal = torch.zeros_like(asked).flatten(1)
        level, nearest = torch.zeros_like(margins[:, 0]), torch.full_like(margins[:, 0], inf)
        for number, aim in enumerate(aims.unbind(1), 1):
            margin = margins.gather(1, aim[:, None])[:, 0]
            across = slope(margin, asked, again=number < aims.shape[1]).flatten(1)
            dual = dot(across, NORMS[self.ball.norm].steepest(across))
            away = margin.detach().abs() / dual.clamp_min(torch.finfo(dual.dtype).tiny)
            nearer = away < nearest
            normal = torch.where(nearer[:, None], across, normal)
            level = torch.where(nearer, margin.detach(), level)
            nearest = torch.where(nearer, away, nearest)
        return normal, level

    def _step(
        self, spec: Spec, x: Batch, asked: Batch, met: Verdicts, w: Tensor, margin: Each
    ) -> Batch:
        """Over the plane from the iterate, a little also from x; a success is drawn back first."""
        begin = torch.where(spread(met, x), torch.lerp(x, asked, self.beta), asked)
        here = self._onto_plane(spec, begin, asked, w, margin)
        there = self._onto_plane(spec, x, asked, w, margin)
        size = NORMS[self.ball.norm].size
        near, far = size(here.flatten(1)), size(there.flatten(1))
        share = near / (near + far).clamp_min(torch.finfo(near.dtype).tiny)
        alpha = spread(share.clamp_max(self.alpha_max), x)
        z = (1 - alpha) * (begin + self.eta * here) + alpha * (x + self.eta * there)
        return spec.clamp(z)

    def _onto_plane(self, spec: Spec, begin: Batch, asked: Batch, w: Tensor, margin: Each) -> Batch:
        """The shortest step within bounds from `begin` onto the plane found at `asked`."""
        dense, flat = spec.dense(), begin.flatten(1)
        gap = -(margin + dot(w, flat - asked.flatten(1)))
        low, high = dense.low - flat, dense.high - flat
        return step_onto_plane(self.ball.norm, w, gap, low, high).reshape(begin.shape)

    def _back(self, box: GradBox, x: Batch, trace: "Trace") -> Generator[Batch, None, None]:
        """Narrow the way from x to the best success by false position."""
        rows = trace.near.isfinite().nonzero()[:, 0]
        bad, good = x[rows], trace.best[rows]
        below, above = trace.clean[rows], trace.margins[rows]
        for _ in range(self.search):
            if not len(rows):
                break
            aim = above.argmax(1, keepdim=True)
            low, high = below.gather(1, aim)[:, 0], above.gather(1, aim)[:, 0]
            share = -low / (high - low)
            # a hair beyond: on the boundary itself the goal is not met
            share = torch.lerp(share, torch.ones_like(share), BEYOND).nan_to_num(1)
            z = box.spec.clamp(torch.lerp(bad, good, spread(share, x)))
            margins = over_the_rest(box[rows].scores(z).to(x), trace.wins[rows])
            met = trace.see(rows, z, margins)
            bad, good = torch.where(spread(met, x), bad, z), torch.where(spread(met, x), z, good)
            below = torch.where(met[:, None], below, margins)
            above = torch.where(met[:, None], margins, above)
            yield trace.best.clone()


class Trace:
    """The nearest success of each row, with its margins, and the margins at x."""

    def __init__(self, ball: Ball, x: Batch, wins: Tensor) -> None:
        """Nothing was seen yet."""
        self._ball, self._x, self.wins = ball, x, wins
        self.best, self.near = x.clone(), x.new_full((len(x),), inf)
        self.margins = x.new_zeros(wins.shape)
        self.clean = x.new_zeros(wins.shape)

    def see(self, rows: RowNumbers, z: Batch, margins: Tensor) -> Verdicts:
        """Keep what is nearer; which of the rows meet the goal."""
        met = margins.amax(1) > 0
        distance = self._ball.distance(z, self._x[rows])
        nearer = met & (distance < self.near[rows])
        kept = rows[nearer]
        self.best[kept], self.near[kept] = z[nearer], distance[nearer]
        self.margins[kept] = margins[nearer]
        return met


def over_the_rest(logits: Tensor, wins: Tensor) -> Tensor:
    """By how much each class that meets the goal beats all that fail it; -inf for these."""
    rest = logits.masked_fill(wins, -inf).amax(1, keepdim=True)
    return (logits - rest).masked_fill(~wins, -inf)


def answered(margins: Tensor) -> Verdicts:
    """Which rows had a finite answer."""
    return (margins < inf).all(1)
