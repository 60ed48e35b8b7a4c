"""Lines below and above a curve, for each number by itself."""

from collections.abc import Callable

import torch
from torch import Tensor

from pellucid.verify.bounds.links import Cut, Lines, Link
from pellucid.verify.bounds.values import Interval, Use, pullback

Curve = Callable[[Tensor], Tensor]
Line = tuple[Tensor, Tensor]  # slope and offset
Relaxation = Callable[[Use, Interval], Link]

HALVINGS = 60  # of the search for a tangent: to the last bit of float64


def cut(_use: Use, out: Interval) -> Link:
    """No lines: the bounds of the output."""
    return Cut.of(out)


def relaxed(line: Relaxation, use: Use, out: Interval) -> Link:
    """Lines, if each number of the output is made of the same number of the one input."""
    shapes = {interval.low.shape for interval in use.intervals.values()}
    alone = len(use.intervals) == 1 and shapes == {out.low.shape}
    return (line if alone else cut)(use, out)


def convex(use: Use, out: Interval) -> Link:
    """The tangent at the middle below, the chord above.

    For a ReLU this is CROWN's adaptive slope: 1 below where the upper bound is the farther from 0,
    and 0 otherwise.
    """
    return _lines(use, out, *_of_convex(use, _slope(use), use.only))


def concave(use: Use, out: Interval) -> Link:
    """The chord below, the tangent at the middle above."""
    slope = _slope(use)
    (s, b), (t, c) = _of_convex(lambda x: -use(x), lambda x: -slope(x), use.only)
    return _lines(use, out, (-t, -c), (-s, -b))


def bent(use: Use, out: Interval) -> Link:
    """Two lines that meet at 0: convex where the left is the flatter, else concave."""
    slope, box = _slope(use), use.only
    flat = -use(-torch.ones_like(box.low)) <= 1
    below, above = _of_convex(use, slope, box)
    (s, b), (t, c) = _of_convex(lambda x: -use(x), lambda x: -slope(x), box)
    return _lines(
        use,
        out,
        (torch.where(flat, below[0], -t), torch.where(flat, below[1], -c)),
        (torch.where(flat, above[0], -s), torch.where(flat, above[1], -b)),
    )


def s_shaped(centre: Callable[[Use], float]) -> Relaxation:
    """For curves that rise, convex before the centre and concave after it."""

    def relax(use: Use, out: Interval) -> Link:
        slope, box, middle = _slope(use), use.only, centre(use)
        above = _over(use, slope, box.low, box.high, middle)
        s, b = _over(lambda x: -use(-x), lambda x: slope(-x), -box.high, -box.low, -middle)
        return _lines(use, out, (s, -b), above)

    return relax


def _slope(use: Use) -> Curve:
    def slope(x: Tensor) -> Tensor:
        _, pull = pullback(use, x)
        return pull(torch.ones_like(x))[0]

    return slope


def _chord(curve: Curve, slope: Curve, low: Tensor, high: Tensor) -> Tensor:
    """The slope between both ends; that of the curve where they are one."""
    width = high - low
    return torch.where(width > 0, (curve(high) - curve(low)) / width, slope(low))


def _of_convex(curve: Curve, slope: Curve, box: Interval) -> tuple[Line, Line]:
    point = box.middle
    tangent, chord = slope(point), _chord(curve, slope, box.low, box.high)
    ends = torch.maximum(curve(box.low) - chord * box.low, curve(box.high) - chord * box.high)
    return (tangent, curve(point) - tangent * point), (chord, ends)


def _over(curve: Curve, slope: Curve, low: Tensor, high: Tensor, centre: float) -> Line:
    """The line above a curve that is convex before the centre and concave after it.

    From the low end, the flattest line that is above the curve: the chord, or the tangent from
    there to the concave part. Its slope is the largest of all chords from the low end; for points
    `near` and `far` on both sides of where it touches, no chord is steeper than what is returned.
    """
    point, start = low + (high - low) / 2, curve(low)
    near, far = low.clamp_min(centre).minimum(high), high
    for _ in range(HALVINGS):
        half = near + (far - near) / 2
        above = curve(half) - start <= slope(half) * (half - low)
        near, far = torch.where(above, half, near), torch.where(above, far, half)
    tangent = torch.minimum(slope(near), (curve(far) - start) / (near - low))
    chord = _chord(curve, slope, low, high)
    reaches = (high <= centre) | (slope(high) * (high - low) >= curve(high) - start)
    steep = torch.where(reaches, chord, tangent)
    after = low >= centre
    steep, anchor = torch.where(after, slope(point), steep), torch.where(after, point, low)
    return steep, curve(anchor) - steep * anchor


def _lines(use: Use, out: Interval, below: Line, above: Line) -> Link:
    """The lines; where one is not finite, the output's bound in its place."""
    ((place, box),) = use.intervals.items()
    below, above = _finite(below, out.low), _finite(above, out.high)
    steepest = torch.maximum(below[0].abs(), above[0].abs())
    size = steepest * box.size.nan_to_num(posinf=0.0) + out.size
    return Lines(
        place=place,
        below=below,
        above=above,
        scale=(size + below[1].abs() + above[1].abs(),),
    )


def _finite(line: Line, bound: Tensor) -> Line:
    finite = line[0].isfinite() & line[1].isfinite()
    return torch.where(finite, line[0], 0.0), torch.where(finite, line[1], bound)
