"""Random pixel search with the same putting back: the rival of feature-guided search."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from pellucid.attack.evade._pixel_searches import Search, backtracked, drawn, lockstep
from pellucid.ball import Ball
from pellucid.box.protocols import ScoreBox
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch

L2 = Ball("l2")


@dataclass(frozen=True, kw_only=True)
class RandomPixels:
    """Change pixels anywhere until the goal is met, put back what is not needed, and again."""

    ball: Ball = L2
    pixels: int = 6  # that a move changes
    slack: float = 4 / 3  # times the fewest pixels so far, that a search may change
    restore: tuple[int, ...] = (10, 1)  # pixels that are put back at a time, in passes

    def __call__(self, box: ScoreBox, goal: Goal, x: Batch, rng: Streams) -> Iterator[Batch]:
        """Yield what was asked last about each row."""
        rows = torch.arange(len(x)).split(1)
        yield from lockstep(box, goal, x, [self._search(x[0].numel(), rng[row]) for row in rows])

    def _search(self, size: int, rng: Streams) -> Search:
        clean, best, flat = (yield ()), size, torch.full((size,), 1 / size).double()
        while True:
            pixels, reply = (), clean
            while not reply.met and len(pixels) < min(self.slack * best, size):
                keys = rng.uniform(1, (size,))[0, 0].double()
                trial = pixels + drawn(flat, pixels, self.pixels, keys)
                pixels, reply = trial, (yield trial)
            if reply.met:
                pixels = yield from backtracked(pixels, self.restore)
                best = min(best, len(pixels))
