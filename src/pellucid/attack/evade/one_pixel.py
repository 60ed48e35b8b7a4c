"""One-pixel attack: differential evolution of a few pixels, their places and their values."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attack.evade._picture import planes
from pellucid.ball import Ball, spread
from pellucid.box.protocols import ScoreBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch, Draws, Verdicts

L2 = Ball("l2")

Candidates = Float[Tensor, "k n pixels genes"]  # a place in two shares, a value a channel


@dataclass(frozen=True, kw_only=True)
class OnePixel:
    """Breed candidates of a few pixels each; a child replaces its parent if it has more loss.

    Source: Su, Vargas and Sakurai, IEEE Transactions on Evolutionary Computation 2019, section III.
    Needs: ScoreBox.
    Cost: population * (generations + 1) queries a row, less what remains when the goal is met.
    Differs: without bounds, values begin as standard normal; candidates are asked `together` at a
        time, and a row stops with the first such part that holds a success.
    """

    ball: Ball = L2  # the norm to measure in; a radius is not sought, only required
    pixels: int = 1  # how many may change; the paper has 1, 3 and 5
    population: int = 400  # candidates a row
    generations: int = 100  # of children
    factor: float = 0.5  # F: how much of the difference of two candidates is added to a third
    together: int = 100  # candidates of a row that are asked at once: bounds the memory

    def __post_init__(self) -> None:
        if self.population < 3 or self.pixels < 1:
            raise UserError("The one-pixel attack needs three candidates and one pixel at least.")

    def __call__(self, box: ScoreBox, goal: Goal, x: Batch, rng: Streams) -> Iterator[Batch]:
        """Yield the best candidate of each row so far; rows that are done leave the work."""
        whole, rows = x, torch.arange(len(x))
        parents = self._first(box, x, rng)
        fitness = x.new_full(parents.shape[:2], -torch.inf)
        for generation in range(self.generations + 1):
            children = parents if generation == 0 else self._children(box, parents, rng)
            loss, won = self._fitness(box, goal, x, children)
            better = loss > fitness
            parents = torch.where(spread(better, children), children, parents)
            fitness = torch.where(better, loss, fitness)
            best = parents[fitness.argmax(0), torch.arange(len(rows))]
            whole = whole.index_copy(0, rows, self._painted(x, best[None])[0])
            yield whole
            more = loss.isfinite().any(0) & ~won
            if not bool(more.all()):
                box, goal, rng, rows, x = box[more], goal[more], rng[more], rows[more], x[more]
                parents, fitness = parents[:, more], fitness[:, more]
                if not len(rows):
                    return

    def _first(self, box: ScoreBox, x: Batch, rng: Streams) -> Candidates:
        """Places uniform, values around the middle."""
        channels = planes(x.shape[1:])[0]
        places = rng.uniform(self.population, (self.pixels, 2))
        values = rng.normal(self.population, (self.pixels, channels))
        dense = box.spec.dense()
        span = dense.high - dense.low
        if isfinite(span):  # the paper's N(128, 127) of bytes
            values = dense.low + span * (128 + 127 * values) / 255
        return self._valid(box, torch.cat([places, values], -1))

    def _children(self, box: ScoreBox, parents: Candidates, rng: Streams) -> Candidates:
        """For each place in the population a + F (b - c), of three different candidates (eq. 2)."""
        k = self.population
        u = rng.uniform(k, (3,))
        a, b, c = ((u[..., i] * (k - i)).long() for i in range(3))
        b += b >= a  # the b-th of those that are not a
        c += c >= torch.minimum(a, b)
        c += c >= torch.maximum(a, b)
        rows = torch.arange(parents.shape[1])
        step = parents[b, rows] - parents[c, rows]
        return self._valid(box, parents[a, rows] + self.factor * step)

    def _valid(self, box: ScoreBox, candidates: Candidates) -> Candidates:
        """The same candidates with their places in the picture and their values in bounds."""
        places, values = candidates.split([2, candidates.shape[-1] - 2], -1)
        return torch.cat([places.clamp(0, 1), box.spec.clamp(values)], -1)

    def _painted(self, x: Batch, candidates: Candidates) -> Draws:
        """Each row with the pixels of each of its candidates, (k, n, *shape)."""
        _, height, width = picture = planes(x.shape[1:])
        canvas = x.reshape(-1, *picture).repeat(len(candidates), 1, 1, 1, 1)
        probe = torch.arange(len(candidates))[:, None]
        row = torch.arange(len(x))
        for pixel in candidates.unbind(2):  # a later one covers an earlier one
            down = (pixel[..., 0] * height).long().clamp_max(height - 1)
            across = (pixel[..., 1] * width).long().clamp_max(width - 1)
            canvas[probe, row, :, down, across] = pixel[..., 2:]
        return canvas.reshape(len(candidates), *x.shape)

    def _fitness(
        self, box: ScoreBox, goal: Goal, x: Batch, candidates: Candidates
    ) -> tuple[Tensor, Verdicts]:
        """The goal's loss of each candidate (k, n), NaN where not asked; and which rows are won."""
        won = torch.zeros(len(x), dtype=torch.bool)
        losses = []
        for part in candidates.split(self.together):
            loss = x.new_full(part.shape[:2], torch.nan)
            left = (~won).nonzero()[:, 0]
            if len(left):
                asked = self._painted(x[left], part[:, left])
                scores = box[left].scores(asked)
                loss[:, left] = goal[left].loss(scores).to(x)
                if self.ball.radius is None:
                    won[left] = goal[left](scores).any(0)
            losses.append(loss)
        return torch.cat(losses), won
