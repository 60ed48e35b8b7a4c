"""Start points: inputs that meet the goal already, for methods that come nearer from there."""

from dataclasses import dataclass
from math import isfinite
from typing import Protocol, runtime_checkable

import torch
from torch.nn import functional

from pellucid.box.protocols import LabelBox
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch, Verdicts
from pellucid.spec import Dense, Image


@runtime_checkable
class Starter(Protocol):
    """A way to find starts; it pays with the run's queries."""

    def __call__(self, box: LabelBox, goal: Goal, x: Batch, rng: Streams) -> tuple[Batch, Verdicts]:
        """A start for each row, and which rows found one."""
        ...


@dataclass(frozen=True, kw_only=True)
class NoiseLadder:
    """Ever stronger Gaussian noise on x until the goal is met, fine and coarse by turns.

    Fine noise alone looks the same to many networks, however strong: rows of the class that they
    see in it would find no start. Vectors get fine noise only.
    Cost: at most `rungs` queries a row.
    """

    rungs: int = 100
    rung: float = 0.02  # growth of the standard deviation, of the input's range
    grains: tuple[int, ...] = (1, 4, 14)  # side of the squares that move together, in pixels

    def __call__(self, box: LabelBox, goal: Goal, x: Batch, rng: Streams) -> tuple[Batch, Verdicts]:
        """A start for each row, and which rows found one."""
        dense = box.spec.dense()
        grains = self.grains if isinstance(dense, Image) else (1,)
        span = dense.high - dense.low
        scale = self.rung * (span if isfinite(span) else 1.0)
        start, found = x.clone(), torch.zeros(len(x), dtype=torch.bool)
        for rung in range(1, self.rungs + 1):
            rows = (~found).nonzero()[:, 0]
            if not len(rows):
                break
            noise = grainy(rng[rows], dense, grains[rung % len(grains)])
            z = box.spec.clamp(x[rows] + rung * scale * noise)
            met = goal[rows](box[rows].labels(z))
            start[rows[met]], found[rows[met]] = z[met], True
        return start, found


def grainy(rng: Streams, dense: Dense, grain: int) -> Batch:
    """Gaussian noise for each row whose squares of `grain` pixels move together."""
    if grain == 1:
        return rng.normal(1, dense.shape)[0]
    channels, height, width = dense.shape
    coarse = rng.normal(1, (channels, -(-height // grain), -(-width // grain)))[0]
    return functional.interpolate(coarse, scale_factor=grain)[..., :height, :width]
