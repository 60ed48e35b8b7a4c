"""Searches for few changed pixels, a row each, that share their calls to the model."""

from collections.abc import Generator, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pellucid.attack.evade._picture import planes
from pellucid.box.protocols import ScoreBox
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch
from pellucid.spec import Spec

Pixels = tuple[int, ...]  # those that are changed, by number, in the order of changing


class Reply(NamedTuple):
    """What a row's search is told of the pixels that it asked about."""

    loss: float  # the goal's
    met: bool  # whether the goal is


Search = Generator[Pixels, Reply, None]

AT_ONCE = 512  # random numbers that are drawn together


def dice(rng: Streams) -> Iterator[float]:
    """Numbers uniform in [0, 1) of the one row of a stream, for ever."""
    while True:
        yield from rng.uniform(1, (AT_ONCE,))[0, 0].tolist()


def far_ends(spec: Spec, x: Batch) -> Batch:
    """Each value at the farther of its bounds; at that of the row's own range without bounds."""
    dense = spec.dense()
    flat = x.flatten(1)
    low = flat.amin(1).clamp_min(dense.low) if dense.low == -torch.inf else dense.low
    high = flat.amax(1).clamp_max(dense.high) if dense.high == torch.inf else dense.high
    low, high = (torch.as_tensor(end).to(x).reshape(-1, 1) for end in (low, high))
    return torch.where(flat < (low + high) / 2, high, low).reshape(x.shape)


def lockstep(box: ScoreBox, goal: Goal, x: Batch, searches: Sequence[Search]) -> Iterator[Batch]:
    """Put the questions of all searches that go on into one call, and tell each its answer.

    Yields what was asked last about each row. A row whose search ends, or that gets no answer,
    leaves the work. Cost: a query a row and step.
    """
    ends, whole = far_ends(box.spec, x), x
    asked = dict(enumerate(map(next, searches)))
    while asked:
        rows = torch.tensor(list(asked))
        z = painted(x[rows], ends[rows], list(asked.values()))
        whole = whole.index_copy(0, rows, z)
        scores, about = box[rows].scores(z), goal[rows]
        losses, met = about.loss(scores).tolist(), about(scores).tolist()
        yield whole
        answered = scores.isfinite().all(1).tolist()
        replies = zip(list(asked), losses, met, answered, strict=True)
        asked = {}
        for row, loss, won, heard in replies:
            question = _next(searches[row], Reply(loss, won)) if heard else None
            if question is not None:
                asked[row] = question


def _next(search: Search, reply: Reply) -> Pixels | None:
    """What a search asks after this; None: it has come to its end."""
    try:
        return search.send(reply)
    except StopIteration:
        return None


def painted(x: Batch, ends: Batch, changed: Sequence[Pixels]) -> Batch:
    """Each row with these of its pixels at their far ends, in all channels."""
    channels, height, width = planes(tuple(x.shape[1:]))
    mask = torch.zeros(len(x), 1, height * width, dtype=torch.bool)
    for row, pixels in enumerate(changed):
        mask[row, 0, list(pixels)] = True
    flat = (part.reshape(len(x), channels, -1) for part in (ends, x))
    return torch.where(mask, *flat).reshape(x.shape)


def backtracked(changed: Pixels, groups: Sequence[int]) -> Generator[Pixels, Reply, Pixels]:
    """Put pixels back as they were, so many at a time, wherever the goal is met without them.

    Cost: a query for each group, of each size in turn.
    """
    for size in groups:
        changed = yield from _pass(changed, size)
    return changed


def _pass(changed: Pixels, size: int) -> Generator[Pixels, Reply, Pixels]:
    kept = changed
    for first in range(0, len(changed), size):
        group = set(changed[first : first + size])
        without = tuple(pixel for pixel in kept if pixel not in group)
        if without and (yield without).met:
            kept = without
    return kept


def drawn(densities: Tensor, taken: Pixels, count: int, keys: Tensor) -> Pixels:
    """So many different pixels by their densities (pixels), none of those taken; fewer if need be.

    The smallest of exponential numbers over densities, made of uniform keys (pixels): drawing
    without putting back.
    """
    free = densities.clone()
    free[list(taken)] = 0
    order = torch.where(free > 0, -torch.log1p(-keys) / free, torch.inf)
    chosen = order.topk(min(count, len(order)), largest=False)
    return tuple(chosen.indices[chosen.values.isfinite()].tolist())
