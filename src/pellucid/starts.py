"""Start points: inputs that meet the goal already, for methods that come nearer from there."""

from dataclasses import dataclass
from math import isfinite
from typing import Protocol, runtime_checkable

import torch
import xxhash
from torch import Tensor
from torch.nn import functional

from pellucid.ball import spread
from pellucid.box.protocols import LabelBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams, ids_of
from pellucid.shapes import Batch, Labels, Verdicts
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


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Sample:
    """Inputs of the attacker's own, in a random order for each row, until one meets the goal.

    Where their labels are known, only those that should meet the goal are tried.
    Cost: at most `tries` queries a row; as a rule one, where labels are known.
    """

    x: Tensor  # inputs (m, *shape) in the user's units
    y: Labels | None = None  # their classes
    tries: int = 10  # inputs of which a row asks

    def __post_init__(self) -> None:
        if not len(self.x) or (self.y is not None and len(self.y) != len(self.x)):
            raise UserError("A sample to start from needs inputs, and a label each or none at all.")

    def __repr__(self) -> str:
        """The sample by its content, which tells one run from another."""
        ids = [*ids_of(self.x), *([] if self.y is None else ids_of(self.y))]
        return f"Sample({xxhash.xxh3_128_hexdigest('/'.join(ids).encode())}, tries={self.tries})"

    def __call__(self, box: LabelBox, goal: Goal, x: Batch, rng: Streams) -> tuple[Batch, Verdicts]:
        """A start for each row, and which rows found one."""
        start, found = x.clone(), torch.zeros(len(x), dtype=torch.bool)
        fits = torch.ones(len(self.x), len(x), dtype=torch.bool)
        if self.y is not None:
            fits = goal(self.y[:, None].expand(-1, len(x)))
        # a random order of each row's own, with what fits in front
        order = (rng.uniform(1, (len(self.x),))[0].T + ~fits).argsort(0)
        for turn in range(min(self.tries, len(self.x))):
            rows = (~found & (turn < fits.sum(0))).nonzero()[:, 0]
            if not len(rows):
                break
            z = box.spec.clamp(self.x[order[turn, rows]].to(x))
            met = goal[rows](box[rows].labels(z))
            start[rows[met]], found[rows[met]] = z[met], True
        return start, found


@dataclass(frozen=True, kw_only=True)
class Blend:
    """Another's starts, drawn towards x by halves as far as the goal is met.

    Cost: `halvings` queries a row, after what the other's starts cost.
    """

    start: Starter = NoiseLadder()  # where to blend from
    halvings: int = 10  # of the way to x

    def __call__(self, box: LabelBox, goal: Goal, x: Batch, rng: Streams) -> tuple[Batch, Verdicts]:
        """A start for each row, and which rows found one."""
        start, found = self.start(box, goal, x, rng)
        rows = found.nonzero()[:, 0]
        if not len(rows):
            return start, found
        near, far, known = x[rows], start[rows], start[rows]
        share, step = x.new_ones(len(rows)), 1.0
        for _ in range(self.halvings):
            step /= 2
            z = box.spec.clamp(near + spread(share - step, x) * (far - near))
            met = goal[rows](box[rows].labels(z))
            known = torch.where(spread(met, x), z, known)
            share = torch.where(met, share - step, share)
        return start.index_copy(0, rows, known), found
