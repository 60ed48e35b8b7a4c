"""The shortest step onto a plane that keeps within bounds."""

import torch
from torch import Tensor

from pellucid.ball import NORMS, NormName


def dot(a: Tensor, b: Tensor) -> Tensor:
    """The inner product of each row, (n, d) and (n, d) to (n): its bits ignore how many rows.

    A sum, not einsum: that takes another kernel for one row than for several.
    """
    return (a * b).sum(1)


def step_onto_plane(norm: NormName, w: Tensor, gap: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """The shortest step s (n, d) with w . s = gap (n) and low <= s <= high, where low <= 0 <= high.

    Every coordinate sets out along the steepest direction, at its own speed, and stays where it
    meets its bound; the time that closes the gap is found among the d moments at which one of them
    stops. Where no allowed step reaches the plane, all coordinates go to their bounds. A row
    whose w is zero, or whose gap is not finite, takes no step.
    """
    w = w * torch.where(gap < 0, -1, 1)[:, None]
    course = NORMS[norm].steepest(w)
    speed, room = course.abs(), torch.where(w > 0, high, -low)
    moving = speed > 0
    stop, order = torch.where(moving, room / speed, torch.inf).sort(1)
    rate = (w * course).gather(1, order)  # of the gap, until it stops
    closed = torch.where(moving, w.abs() * room, 0).gather(1, order).cumsum(1)
    before = torch.cat([torch.zeros_like(closed[:, :1]), closed[:, :-1]], 1)
    moment = (gap.abs()[:, None] - before) / rate.flip(1).cumsum(1).flip(1)
    # a moment found on the way to a stop is the true one if it comes no later than that stop
    right = moment <= stop
    first = right.to(torch.uint8).argmax(1, keepdim=True)
    time = torch.where(right.any(1, keepdim=True), moment.gather(1, first), torch.inf)
    step = torch.minimum(time * speed, room) * course.sign()
    return torch.where(moving & gap.isfinite()[:, None], step, 0).nan_to_num(0, 0, 0)
