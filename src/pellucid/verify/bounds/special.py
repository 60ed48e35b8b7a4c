"""Bounds of operators that are in no family: products of two values, quotients, powers, softmax."""

from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from pellucid.verify.bounds.curves import bent, convex, relaxed
from pellucid.verify.bounds.links import Affine, Cut, Link, Tangent
from pellucid.verify.bounds.rule import (
    ROUNDINGS,
    Product,
    Rising,
    Rule,
    Valley,
    eps,
    highs,
    lows,
    margin,
)
from pellucid.verify.bounds.values import Interval, Made, NoBounds, Use


def corners(use: Use) -> Made:
    """A product of two values, number by number: the extremes are at the corners."""
    one, other = use.intervals.values()
    places = tuple(use.intervals)
    ends = [
        use.at(dict(zip(places, (a, b), strict=True)))[0]
        for a in (one.low, one.high)
        for b in (other.low, other.high)
    ]
    low, high = torch.stack(ends).amin(0), torch.stack(ends).amax(0)
    return (Interval.around(low, high, margin(low, high)),)


def matrices(use: Use) -> Made:
    """A product of two matrices that both change, from their middles and radii.

    Source: Rump, BIT 1999.
    """
    (a, one), (b, other) = use.intervals.items()
    (centre,) = use.at({a: one.middle, b: other.middle})
    (first,) = use.at({a: one.radius, b: other.size})
    (second,) = use.at({a: one.middle.abs(), b: other.radius})
    (scale,) = use.at({a: one.size, b: other.size})
    terms = one.low.shape[-1]  # what is summed over
    rounding = 2 * eps(centre) * (ROUNDINGS + terms) * scale
    return (Interval.around(centre, centre, first + second + rounding),)


def _inverted(box: Interval) -> Interval:
    """The reciprocals of numbers whose bounds leave 0 out; of others, no bounds."""
    apart = (box.low > 0) | (box.high < 0)
    low = torch.where(apart, 1 / box.high, -inf)
    high = torch.where(apart, 1 / box.low, inf)
    return Interval.around(low, high, margin(low, high))


_BY_CONSTANT = Product()


@dataclass(frozen=True, kw_only=True)
class Quotient(Rule):
    """Division: by what no row changes it is a product, else one with reciprocals."""

    def affine(self, use: Use) -> bool:
        """Whether the divisor is known."""
        return 1 not in use.intervals

    def bound(self, use: Use) -> Made:
        """The corners of dividend and reciprocal."""
        if self.affine(use):
            return _BY_CONSTANT.bound(use)
        divisor, dividend = _inverted(use.intervals[1]), use.given[0]
        rows = divisor.low
        if isinstance(dividend, Interval):
            lower, upper = _aligned(dividend.low, rows), _aligned(dividend.high, rows)
        elif isinstance(dividend, Tensor):
            lower = upper = _aligned(dividend[None], rows)
        else:
            raise NoBounds(use.step.operator)
        below, above = _aligned(rows, lower), _aligned(divisor.high, lower)
        ends = torch.broadcast_tensors(lower * below, lower * above, upper * below, upper * above)
        low, high = torch.stack(ends).amin(0), torch.stack(ends).amax(0)
        return (Interval.around(low, high, margin(low, high)),)

    def relax(self, use: Use, outputs: tuple[Interval, ...]) -> Link:
        """As a product with a constant, or cut."""
        return _BY_CONSTANT.relax(use, outputs) if self.affine(use) else Cut.of(*outputs)


def _aligned(x: Tensor, other: Tensor) -> Tensor:
    """Rows (n, *shape) with as many axes as another's, so that their last axes meet."""
    return x.reshape(len(x), *[1] * max(other.ndim - x.ndim, 0), *x.shape[1:])


@dataclass(frozen=True, kw_only=True)
class Power(Rule):
    """A power with a known exponent."""

    def bound(self, use: Use) -> Made:
        """As a valley or as what rises; of a number that may be 0, no negative power."""
        return self._as(use).bound(use)

    def relax(self, use: Use, outputs: tuple[Interval, ...]) -> Link:
        """Even powers are convex."""
        return self._as(use).relax(use, outputs)

    def _as(self, use: Use) -> Rule:
        exponent = use.given[1]
        if isinstance(exponent, Tensor) and exponent.numel() == 1:
            exponent = exponent.item()
        if 1 in use.intervals or not isinstance(exponent, int | float) or exponent < 0:
            raise NoBounds(use.step.operator, "with an exponent that is negative or no one number")
        if exponent % 2 == 0:
            return Valley(bottom=lambda _use: 0.0, least=0.0, line=convex)
        return Rising()  # an odd power, or one of numbers that are not negative


@dataclass(frozen=True, kw_only=True)
class Inverse(Rule):
    """The reciprocal."""

    def bound(self, use: Use) -> Made:
        """It falls on either side of 0; where 0 is within, there is no bound."""
        return (_inverted(use.only),)


@dataclass(frozen=True, kw_only=True)
class Largest(Rule):
    """The largest of several numbers."""

    def bound(self, use: Use) -> Made:
        """It rises with each."""
        (low,), (high,) = use.at(lows(use)), use.at(highs(use))
        return (Interval(low=low, high=high),)

    def relax(self, use: Use, outputs: tuple[Interval, ...]) -> Link:
        """At least the one whose middle is the largest; at most the largest upper bound."""
        return Tangent.of(use, outputs[0])


@dataclass(frozen=True, kw_only=True)
class Softmax(Rule):
    """Softmax, or its logarithm: each output rises with its own input and falls with the others."""

    log: bool

    def bound(self, use: Use) -> Made:
        """The extremes, from the distances to all others."""
        box, settings = use.only, use.step.settings
        axis = settings.get("dim", settings.get("axis"))
        if not isinstance(axis, int):
            raise NoBounds(use.step.operator, "over an unknown axis")
        place = axis % (box.low.ndim - 1) + 1
        ends = [end if "dim" in settings else end.flatten(place) for end in (box.low, box.high)]
        low, high = _share(ends[0], ends[1], place), _share(ends[1], ends[0], place)
        if not self.log:
            low, high = low.exp(), high.exp()
        size = 1 + box.size.flatten(1).amax(1).reshape(-1, *[1] * (low.ndim - 1))
        wide = 2 * eps(low) * (ROUNDINGS + low.shape[place]) * size
        found = Interval.around(low, high, wide)
        shape = box.low.shape
        return (Interval(low=found.low.reshape(shape), high=found.high.reshape(shape)),)


def _share(own: Tensor, others: Tensor, axis: int) -> Tensor:
    """The log-softmax of each number against the others' numbers: -log(1 + sum exp(o - own))."""
    own, others = own.movedim(axis, -1), others.movedim(axis, -1)
    apart = others[..., None, :] - own[..., :, None]
    apart.diagonal(dim1=-2, dim2=-1).zero_()
    return -apart.logsumexp(-1).movedim(-1, axis)


@dataclass(frozen=True, kw_only=True)
class Norm(Rule):
    """A reduction that rises with the size of each number."""

    def bound(self, use: Use) -> Made:
        """At the least and at the largest sizes."""
        box = use.only
        nearest = torch.maximum(box.low, -box.high).clamp_min(0)
        low, high = use(nearest), use(box.size)
        wide = use.spread(low) * margin(low, high)
        return (Interval.around((low - wide).clamp_min(0), high + wide),)


@dataclass(frozen=True, kw_only=True)
class Cast(Rule):
    """A change of type that changes no number."""

    def affine(self, _use: Use) -> bool:
        """Always."""
        return True

    def bound(self, use: Use) -> Made:
        """The same bounds."""
        like = use.given[1]
        if not isinstance(like, Tensor) or like.dtype != use.only.low.dtype:
            raise NoBounds(use.step.operator, "to another type of numbers")
        return (use.only,)

    def relax(self, use: Use, outputs: tuple[Interval, ...]) -> Link:
        """The same coefficients."""
        return Affine(use=use, scale=(outputs[0].size,), terms=1)


@dataclass(frozen=True, kw_only=True)
class Bent(Rule):
    """Two lines that meet at 0, of any slopes."""

    def bound(self, use: Use) -> Made:
        """The extremes are at the ends, or at 0."""
        box = use.only
        nearest = box.low.clamp_min(0).minimum(box.high)
        found = torch.stack([use(x) for x in (box.low, nearest, box.high)])
        low, high = found.amin(0), found.amax(0)
        return (Interval.around(low, high, margin(low, high)),)

    def relax(self, use: Use, outputs: tuple[Interval, ...]) -> Link:
        """The chord and the tangent at the middle."""
        return relaxed(bent, use, outputs[0])
