"""CGBA: look for the boundary on a semicircle, where it must be, however it curves."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import pi, sqrt

import torch

from pellucid.attack.evade._decision import bisect, onto_boundary, unit
from pellucid.attack.evade._probes import lowest, signed_mean
from pellucid.attack.evade._semicircle import L2, Semicircle
from pellucid.ball import Ball
from pellucid.box.protocols import LabelBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch, Counts, Each


@dataclass(frozen=True, kw_only=True)
class CGBA:
    """Estimate the boundary's normal by low-frequency probes, and search a semicircle beside it.

    The semicircle lies in the plane of the normal and the last point, and leads from that point,
    which meets the goal, to the input, which does not: it crosses the boundary at a point that is
    never farther away. CGBA-H (`curved`), for targeted attacks, looks for a nearer point that meets
    the goal, and goes from there straight towards the input.

    Source: Reza, Rahmati, Wu and Dai, ICCV 2023; settings and order of angles as in their code.
    Needs: LabelBox; a start that meets the goal.
    Cost: probes sqrt(step) queries a row and step, and log2(distance / tolerance) to bisect, for
        CGBA-H after one or more to find where; the start is bisected first.
    Differs: the arc is bisected from the last angle that met the goal, not from the last point; all
        points are clipped before they are asked; lengths are told in the input's own range; the
        paper's costlier start for targeted attacks is not here.
    """

    ball: Ball = L2  # where success counts; the search itself is in l2
    curved: bool = False  # CGBA-H, for boundaries that curve much: targeted attacks
    steps: int = 93  # normals; about 20,000 queries
    probes: int = 30  # for the first normal; grows as sqrt(step)
    sigma: float = 0.0002  # standard deviation of a probe, of the input's range
    tolerance: float = 0.0001  # to which arcs and segments are bisected, of the input's range
    reduction: float = 4.0  # probe images in the lowest 1/reduction of the waves each way; 1: all
    cuts: int = 1  # points of an arc asked about together; 3: half the calls, 1.5 times the queries
    halvings: int = 40  # of the angle by CGBA-H, until the goal is met
    draw: int = 100  # probes drawn at once: bounds the memory

    def __post_init__(self) -> None:
        if self.cuts < 1:
            raise UserError(f"CGBA cuts an arc in one point or more, not {self.cuts}.")
        if not (self.sigma > 0 and self.tolerance > 0 and self.reduction >= 1):
            raise UserError("CGBA needs a positive sigma and tolerance, and a reduction from 1 up.")

    def __call__(
        self, box: LabelBox, goal: Goal, x: Batch, start: Batch, rng: Streams
    ) -> Iterator[Batch]:
        """Yield points on the boundary, none farther from x than the one before."""
        width, sigma = self.tolerance * unit(box.spec), self.sigma * unit(box.spec)
        waves = lowest(box.spec, self.reduction)
        search = self._straight if self.curved else self._round
        near = x.new_zeros(len(x))
        z = onto_boundary(box, goal, x, start, L2, width, near, cuts=self.cuts)
        yield z
        for step in range(1, self.steps + 1):
            count = int(self.probes * sqrt(step))
            normal = signed_mean(box, goal, z, sigma, count, rng, waves=waves, draw=self.draw)
            z = search(box, goal, Semicircle.beside(x, z, normal), width)
            yield z

    def _round(self, box: LabelBox, goal: Goal, arc: Semicircle, width: float) -> Batch:
        """CGBA: halve the arc from z, where the goal is met, to x, where it is not.

        While the goal is met, these are the paper's angles, pi / 2 (1 - 2^-k).
        """

        def path(angle: Each, rows: Counts) -> Batch:
            return box.spec.clamp(arc(angle, rows))

        z, x = torch.zeros_like(arc.angle), torch.full_like(arc.angle, pi / 2)
        # a chord of the circle is diameter * sin(angle)
        return bisect(box, goal, path, z, x, width / arc.diameter, cuts=self.cuts)[1]

    def _straight(self, box: LabelBox, goal: Goal, arc: Semicircle, width: float) -> Batch:
        """CGBA-H: along the arc from the normal, halving what is left to z, until the goal is met.

        From there straight to x; a row that never meets it stays at z.
        """
        far, failed = arc.z.clone(), torch.ones_like(arc.angle)
        rows, angle = torch.arange(len(far)), arc.angle
        for _ in range(self.halvings):
            angle = angle / 2
            tried = box.spec.clamp(arc(angle, rows))
            met = goal[rows](box[rows].labels(tried))
            far[rows[met]], failed[rows[met]] = tried[met], 0
            rows, angle = rows[~met], angle[~met]
            if not len(rows):
                break
        return onto_boundary(box, goal, arc.x, far, L2, width, failed, cuts=self.cuts)
