"""GeoDA: take the boundary for a plane, and go straight to it along its normal."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

import torch

from pellucid.attack.evade._decision import bisect, sum_over_probes
from pellucid.attack.evade._picture import low_waves
from pellucid.ball import Ball, spread
from pellucid.box.protocols import LabelBox
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch, Each
from pellucid.spec import Image

L2 = Ball("l2")


@dataclass(frozen=True, kw_only=True)
class GeoDA:
    """Estimate the boundary's normal ever better, and search from the input along it.

    Source: Rahmati, Moosavi-Dezfooli, Frossard and Dai, CVPR 2020, algorithm 1 and section 3;
        settings as in its authors' code.
    Needs: LabelBox; a start that meets the goal.
    Cost: probes * mu^(-2 step / 3) queries a row and step (step = 0, 1, ...), one or more until the
        ray meets the goal, log2(distance / tolerance) to bisect; the start is bisected first.
    Differs: the number of steps is not planned from the budget, only the growth of the probes;
        the ray is first asked at the distance of the last point, then at twice that, and so on.
    """

    ball: Ball = L2  # the norm to be small in
    steps: int = 12  # normals
    probes: int = 60  # for the first normal
    mu: float = 0.6  # each step takes mu^(-2/3) times the probes of the last
    sigma: float = 0.0002  # standard deviation of a probe, of the input's range
    tolerance: float = 0.0001  # to which rays are bisected, of the input's range
    waves: int | None = 75  # an image's lowest ones to probe in, each way; None: all pixels
    doublings: int = 6  # of the distance, until the ray meets the goal
    draw: int = 100  # probes drawn at once: bounds the memory

    def __call__(
        self, box: LabelBox, goal: Goal, x: Batch, start: Batch, rng: Streams
    ) -> Iterator[Batch]:
        """Yield the points of the boundary on the rays."""
        span = box.spec.dense().high - box.spec.dense().low
        unit = span if isfinite(span) else 1.0
        width = x.new_full((len(x),), self.tolerance * unit)
        length = self.ball.distance(start, x)
        z = self._bisected(box, goal, x, start, torch.zeros_like(length), width)
        yield z
        normal = torch.zeros_like(x)
        for step in range(self.steps):
            count = round(self.probes * self.mu ** (-2 * step / 3))
            normal = normal + self._normal(box, goal, z, self.sigma * unit, count, rng)
            far, failed = self._along(box, goal, x, z, self.ball.steepest(normal))
            z = self._bisected(box, goal, x, far, failed, width)
            yield z

    def _normal(
        self, box: LabelBox, goal: Goal, z: Batch, length: float, count: int, rng: Streams
    ) -> Batch:
        """The mean of the probes, each with the sign of its side of the boundary (eq. 7)."""
        total = torch.zeros_like(z)
        for first in range(0, count, self.draw):
            probes = self._probes(box, z, min(self.draw, count - first), rng)
            met = goal(box.labels(box.spec.clamp(z + length * probes)))
            total += sum_over_probes(met.to(z) * 2 - 1, probes)
        return total / count

    def _probes(self, box: LabelBox, z: Batch, count: int, rng: Streams) -> torch.Tensor:
        """Gaussian probes of each row (count, n, *shape), of low frequency in images."""
        if self.waves is None or not isinstance(box.spec.dense(), Image):
            return rng.normal(count, z.shape[1:])
        return low_waves(rng, count, tuple(z.shape[1:]), self.waves)

    def _along(
        self, box: LabelBox, goal: Goal, x: Batch, z: Batch, direction: Batch
    ) -> tuple[Batch, Each]:
        """Where the ray from x first met the goal, and the share of the way there that failed.

        A row whose ray never met it stays at z, with nothing to bisect.
        """
        far, failed = z.clone(), x.new_ones(len(x))
        rows, length = torch.arange(len(x)), self.ball.distance(z, x)
        for doubling in range(self.doublings + 1):
            tried = box.spec.clamp(x[rows] + spread(length, x) * direction[rows])
            met = goal[rows](box[rows].labels(tried))
            far[rows[met]] = tried[met]
            failed[rows[met]] = 0.5 if doubling else 0.0
            rows, length = rows[~met], 2 * length[~met]
            if not len(rows):
                break
        return far, failed

    def _bisected(
        self, box: LabelBox, goal: Goal, x: Batch, far: Batch, failed: Each, width: Each
    ) -> Batch:
        """The nearest point to x on the way to far that is known to meet the goal."""
        share = width / self.ball.distance(far, x).clamp_min(torch.finfo(x.dtype).tiny)
        return bisect(
            box,
            goal,
            lambda t, rows: box.spec.clamp(x[rows] + spread(t, x) * (far[rows] - x[rows])),
            torch.ones_like(share),
            failed,
            share,
        )[1]
