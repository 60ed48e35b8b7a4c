"""GeoDA: take the boundary for a plane, and go straight to it along its normal."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from pellucid.attack.evade._decision import onto_boundary, unit
from pellucid.attack.evade._probes import signed_mean
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
        width, sigma = self.tolerance * unit(box.spec), self.sigma * unit(box.spec)
        image = isinstance(box.spec.dense(), Image)
        waves = None if self.waves is None or not image else (self.waves, self.waves)
        z = onto_boundary(box, goal, x, start, self.ball, width, x.new_zeros(len(x)))
        yield z
        normal = torch.zeros_like(x)
        for step in range(self.steps):
            count = round(self.probes * self.mu ** (-2 * step / 3))
            # the sum of the means of eq. 7
            normal = normal + signed_mean(
                box, goal, z, sigma, count, rng, waves=waves, draw=self.draw
            )
            far, failed = self._along(box, goal, x, z, self.ball.steepest(normal))
            z = onto_boundary(box, goal, x, far, self.ball, width, failed)
            yield z

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
