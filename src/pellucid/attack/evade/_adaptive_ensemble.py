"""How much each surrogate counts, and at which pixels surrogates agree."""

from collections.abc import Sequence
from functools import reduce
from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional

from pellucid.attack.evade._picture import planes
from pellucid.attack.evade._transfer import within
from pellucid.ball import Ball
from pellucid.box.protocols import ScoreBox
from pellucid.goals import Goal
from pellucid.shapes import Batch, Each
from pellucid.spec import Spec

LEAST = 1e-8  # a loss that is divided by is at least so far from zero


def modulation(
    surrogates: Sequence[ScoreBox],
    spec: Spec,
    goal: Goal,
    ball: Ball,
    x: Batch,
    z: Batch,
    slopes: Sequence[Batch],
    *,
    length: float,
    beta: float,
) -> list[Each]:
    """The weight of each surrogate (n): how well a step for it alone serves the others.

    The discrepancy ratios of Chen et al., ICCV 2023, section 3.2, row by row: the loss of another
    surrogate after the step, over its loss after its own. A softmax of beta times their sum. Losses
    below zero, as of a class aimed at, are better the nearer they come to it, so there the ratio is
    turned round. Cost: K queries a row and surrogate, of K surrogates.
    """
    trials = [
        within(spec, ball, x, torch.add(z, ball.steepest(slope), alpha=length)) for slope in slopes
    ]
    losses = [goal.loss(box.scores(torch.stack(trials))) for box in surrogates]  # (trial, row)
    helped = [torch.zeros_like(losses[0][0]) for _ in trials]
    for judge, loss in enumerate(losses):
        for trial, value in enumerate(loss):
            if trial != judge:
                helped[trial] = helped[trial] + _ratio(value, loss[judge])
    return list((beta * torch.stack(helped)).softmax(0).to(x))


def _ratio(value: Each, own: Each) -> Each:
    """How large a loss is beside another, which may be zero; turned round below zero."""
    small, large = value.abs().clamp_min(LEAST), own.abs().clamp_min(LEAST)
    return torch.where(own < 0, large / small, small / large)


def agreement(slopes: Sequence[Batch], *, official_rows: bool, window: int) -> Tensor:
    """How far surrogates agree where to push each pixel, -1 to 1: (n, 1, height, width).

    The mean over pairs of the cosine between their gradients across channels. `official_rows`
    counts pairs with the last surrogate half, as the authors' code does, and `window` averages the
    map over so many pixels each way.
    """
    last, total = len(slopes) - 1, 0.5 * len(slopes) * (len(slopes) - 1)
    units = [_of_length_one(slope) for slope in slopes]
    parts = [
        _dot(units[i], units[j]) * (0.5 if official_rows and j == last else 1)
        for i, j in combinations(range(len(slopes)), 2)
    ]
    chart = reduce(torch.add, parts) / total
    if window == 1:
        return chart
    return functional.avg_pool2d(
        chart, window, stride=1, padding=window // 2, count_include_pad=False
    )


def agreed(
    gradient: Batch,
    slopes: Sequence[Batch],
    *,
    least: float,
    official_rows: bool,
    window: int,
) -> Batch:
    """The gradient where surrogates agree by so much or more, and zero elsewhere."""
    chart = agreement(slopes, official_rows=official_rows, window=window)
    maps = gradient.reshape(len(gradient), *planes(tuple(gradient.shape[1:])))
    return (maps * (chart >= least)).reshape(gradient.shape)


def _of_length_one(slope: Batch) -> Tensor:
    """Gradients (n, channels, height, width), at each pixel of length one across the channels."""
    maps = slope.reshape(len(slope), *planes(tuple(slope.shape[1:])))
    size = _dot(maps, maps).sqrt()
    return (maps / torch.where(size > 0, size, 1)).nan_to_num(0)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Across channels, in order: a sum over an axis has other bits in other company."""
    return reduce(torch.add, (a * b).split(1, dim=1))
