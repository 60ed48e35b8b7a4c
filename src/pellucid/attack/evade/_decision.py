"""What attacks on labels alone share: bisection, and sums over probes."""

from collections.abc import Callable
from math import isfinite

import torch
from torch import Tensor
from torch.nn import functional

from pellucid.ball import Ball, spread
from pellucid.box.protocols import LabelBox
from pellucid.goals import Goal
from pellucid.shapes import Batch, Counts, Draws, Each
from pellucid.spec import Spec

ALIGNED = 16  # numbers: 64 bytes of float32, a line of the cache

# (one number a row, which rows) to points: inside the goal at `good`, outside at `bad`
Path = Callable[[Each, Counts], Batch]


def bisect(
    box: LabelBox,
    goal: Goal,
    path: Path,
    good: Each,
    bad: Each,
    width: Each,
    *,
    cuts: int = 1,
) -> tuple[Each, Batch]:
    """Cut the way from good to bad until it is no longer than width, each row by itself.

    What is kept is the part where the goal is first missed, seen from the good end. Where width is
    finer than the numbers are, a row stops when nothing lies between its ends.
    Cost: cuts * log((good - bad) / width, base cuts + 1) queries a row, so many cuts to a call.
    Returns where each row's good end is.
    """
    good, bad = good.clone(), bad.clone()
    rows = torch.arange(len(good))
    while True:
        parts = torch.stack(
            [good[rows].lerp(bad[rows], part / (cuts + 1)) for part in range(cuts + 2)]
        )
        between = (parts.diff(dim=0) != 0).all(0)
        more = between & ((good[rows] - bad[rows]).abs() > width[rows])
        rows, parts = rows[more], parts[:, more]
        if not len(rows):
            break
        asked = torch.stack([path(part, rows) for part in parts[1:-1]])
        met = goal[rows](box[rows].labels(asked))
        held = met.cumprod(0).sum(0, keepdim=True)
        good[rows], bad[rows] = parts.gather(0, held)[0], parts.gather(0, held + 1)[0]
    return good, path(good, torch.arange(len(good)))


def onto_boundary(
    box: LabelBox,
    goal: Goal,
    x: Batch,
    far: Batch,
    ball: Ball,
    width: float,
    failed: Each,
    *,
    cuts: int = 1,
) -> Batch:
    """Bisect the segment from far (n, *shape), which meets the goal, to x until it is so short.

    The share `failed` of the way from x to far is known to miss the goal; 1 leaves a row at far.
    """
    share = width / ball.distance(far, x).clamp_min(torch.finfo(x.dtype).tiny)
    return bisect(
        box,
        goal,
        lambda t, rows: box.spec.clamp(x[rows] + spread(t, x) * (far[rows] - x[rows])),
        torch.ones_like(share),
        failed,
        share,
        cuts=cuts,
    )[1]


def unit(spec: Spec) -> float:
    """The range of an input's values, by which lengths are told; 1 where it has no bounds."""
    span = spec.dense().high - spec.dense().low
    return span if isfinite(span) else 1.0


def sum_over_probes(weights: Tensor, probes: Draws) -> Batch:
    """Weighted sum over the probe axis of (k, n, *shape), weights (k, n).

    One product a row: torch.sum groups its terms by the size of the batch, which changes bits. So
    does the place of a row in memory, unless each begins on a boundary: rows are filled up.
    """
    flat = probes.reshape(*probes.shape[:2], -1)
    filled = functional.pad(flat, (0, -flat.shape[-1] % ALIGNED))
    total = torch.einsum("kn,knd->nd", weights, filled)[:, : flat.shape[-1]]
    return total.reshape(probes.shape[1:])
