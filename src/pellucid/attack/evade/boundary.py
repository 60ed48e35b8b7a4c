"""Boundary attack: a random walk along the decision boundary, towards the input."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.ball import Ball, spread
from pellucid.box.protocols import LabelBox
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch, Each, Verdicts
from pellucid.spec import NO_ANSWER

L2 = Ball("l2")


@dataclass(frozen=True, kw_only=True)
class BoundaryAttack:
    """Step at random around the input and a little towards it; keep what still meets the goal.

    Source: Brendel, Rauber and Bethge, ICLR 2018, algorithm 1 and section 2.3; the rates that the
        paper leaves open, as in its authors' code (foolbox).
    Needs: LabelBox; a start that meets the goal.
    Cost: one query a row and step, and one more every tenth step for the step around alone.
    Differs: each row draws for itself; whole steps count in their rate each time, not each tenth
        time; rates are judged sooner (the authors' code waits for 100 looks) and then begin anew; a
        row goes on however small its steps are.
    """

    ball: Ball = L2  # where success counts; the walk itself is in l2
    steps: int = 25_000  # of the walk
    around: float = 0.01  # first length of the step around x, of the distance
    towards: float = 0.01  # first length of the step towards x, of the distance
    adaptation: float = 1.5  # factor by which lengths grow and shrink
    every: int = 10  # steps from one look at the step around alone to the next
    looks: int = 10  # after which the rate of steps around is judged: 20 to 50 % are right
    tries: int = 30  # after which the rate of whole steps is judged: 10 to 25 % are right

    def __call__(
        self, box: LabelBox, goal: Goal, x: Batch, start: Batch, rng: Streams
    ) -> Iterator[Batch]:
        """Yield points that meet the goal, ever nearer to x."""
        whole, rows, z = start, torch.arange(len(x)), start
        around, towards = (x.new_full((len(x),), size) for size in (self.around, self.towards))
        looks, tries = (Rate(len(x), window) for window in (self.looks, self.tries))
        for step in range(1, self.steps + 1):
            beside = self._beside(box, z, x, around, rng)
            nearer = self._nearer(box, z, x, beside, towards)
            look = step % self.every == 0
            answer = box.labels(torch.stack([nearer, beside]) if look else nearer[None])
            met = goal(answer)
            better = met[0] & (L2.distance(nearer, x) < L2.distance(z, x))
            z = torch.where(spread(better, z), nearer, z)
            whole = whole.index_copy(0, rows, z)
            yield whole
            if look:
                factor = looks.judge(met[1], 0.2, 0.5, self.adaptation).to(x)
                around, towards = around * factor, towards * factor
            towards = towards * tries.judge(met[0], 0.1, 0.25, self.adaptation).to(x)
            more = answer[0] != NO_ANSWER
            if not bool(more.all()):
                box, goal, rng, rows = box[more], goal[more], rng[more], rows[more]
                x, z, around, towards = x[more], z[more], around[more], towards[more]
                looks, tries = looks[more], tries[more]
                if not len(rows):
                    return

    def _beside(self, box: LabelBox, z: Batch, x: Batch, length: Each, rng: Streams) -> Batch:
        """A random point on the sphere around x through z, `length` of its radius from z."""
        inwards = x - z
        unit = L2.steepest(inwards)
        draw = rng.normal(1, x.shape[1:])[0]
        draw = draw - spread((draw * unit).flatten(1).sum(1), x) * unit
        step = spread(length * L2.distance(z, x), x) * L2.steepest(draw)
        return box.spec.clamp(x + (step - inwards) / spread((1 + length**2).sqrt(), x))

    def _nearer(self, box: LabelBox, z: Batch, x: Batch, beside: Batch, length: Each) -> Batch:
        """From there towards x, until it is `length` of the radius nearer than z was."""
        radius, now = L2.distance(z, x), L2.distance(beside, x)
        share = ((length * radius + now - radius) / now).nan_to_num(0).clamp(0, 1)
        return box.spec.clamp(beside + spread(share, x) * (x - beside))


class Rate:
    """Counts successes of each row, and judges them when there have been enough tries."""

    def __init__(self, rows: int, window: int) -> None:
        """Judge after every `window` tries."""
        self._window, self._tries = window, 0
        self._hits = torch.zeros(rows, dtype=torch.long)

    def __getitem__(self, rows: Tensor) -> "Rate":
        part = Rate(0, self._window)
        part._tries, part._hits = self._tries, self._hits[rows]
        return part

    def judge(self, met: Verdicts, low: float, high: float, factor: float) -> Each:
        """By what to multiply a length: more than one where the rate is above high."""
        self._hits, self._tries = self._hits + met, self._tries + 1
        if self._tries < self._window:
            return torch.ones(len(met))
        rate = self._hits / self._tries
        self._hits, self._tries = torch.zeros_like(self._hits), 0
        one = torch.ones_like(rate)
        return torch.where(rate > high, factor, torch.where(rate < low, 1 / factor, one))
