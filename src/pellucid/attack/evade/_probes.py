"""Gaussian probes around a point, and the boundary's normal that labels of them tell."""

import torch

from pellucid.attack.evade._decision import sum_over_probes
from pellucid.attack.evade._picture import low_waves, planes
from pellucid.box.protocols import LabelBox
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch, Draws
from pellucid.spec import Image, Spec

Waves = tuple[int, int]  # how many of the lowest cosine waves, down and across


def lowest(spec: Spec, reduction: float) -> Waves | None:
    """The lowest waves of an image, 1/reduction of them each way; None: probe in all values."""
    dense = spec.dense()
    if reduction == 1 or not isinstance(dense, Image):
        return None
    _, height, width = planes(dense.shape)
    return max(1, int(height / reduction)), max(1, int(width / reduction))


def gaussian(rng: Streams, count: int, shape: tuple[int, ...], waves: Waves | None) -> Draws:
    """Probes of each row (count, rows, *shape): of low waves, or (None) in all values alike."""
    return rng.normal(count, shape) if waves is None else low_waves(rng, count, shape, waves)


def signed_mean(
    box: LabelBox,
    goal: Goal,
    z: Batch,
    sigma: float,
    count: int,
    rng: Streams,
    *,
    waves: Waves | None,
    draw: int,
) -> Batch:
    """The mean of probes, each with the sign of its side: along the normal, into the goal.

    A Monte-Carlo estimate of the direction in which the boundary at z (n, *shape) is crossed.
    Cost: `count` queries a row, asked about z + sigma * probe, `draw` at once.
    """
    total = torch.zeros_like(z)
    for first in range(0, count, draw):
        probes = gaussian(rng, min(draw, count - first), tuple(z.shape[1:]), waves)
        met = goal(box.labels(box.spec.clamp(z + sigma * probes)))
        total += sum_over_probes(met.to(z) * 2 - 1, probes)
    return total / count
