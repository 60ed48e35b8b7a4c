"""What a bound needs of an operator, and the rules that say it for families of operators."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from pellucid.verify.bounds.curves import Relaxation, cut, relaxed
from pellucid.verify.bounds.links import Affine, Cut, Link
from pellucid.verify.bounds.values import Interval, Made, NoBounds, Use

ROUNDINGS = 8  # of one operation, in units of the type's epsilon, with room to spare


class Rule(ABC):
    """An operator's bounds."""

    def affine(self, _use: Use) -> bool:
        """Whether the outputs are affine in the inputs that rows change."""
        return False

    @abstractmethod
    def bound(self, use: Use) -> Made:
        """The outputs' bounds; `NoBounds` where there are none."""

    def relax(self, _use: Use, outputs: tuple[Interval, ...]) -> Link:
        """The way back through the operator, given bounds of its outputs: the bounds alone."""
        return Cut.of(*outputs)


def eps(x: Tensor) -> float:
    """The distance from 1 to the next number."""
    return torch.finfo(x.dtype).eps


def lows(use: Use) -> dict[int, Tensor]:
    """The lower bounds of what rows change, by place."""
    return {place: interval.low for place, interval in use.intervals.items()}


def highs(use: Use) -> dict[int, Tensor]:
    """The upper bounds of what rows change, by place."""
    return {place: interval.high for place, interval in use.intervals.items()}


def refuse_negative(use: Use, names: tuple[str, ...]) -> None:
    """`NoBounds` if a setting that may not be negative is."""
    for name in names:
        value = use.step.settings.get(name, 1.0)
        if not isinstance(value, float) or value < 0:
            raise NoBounds(use.step.operator, f"with {name}={value}")


@dataclass(frozen=True, kw_only=True)
class Told(Rule):
    """The output is the same for all points of all boxes: it speaks of sizes."""

    def affine(self, _use: Use) -> bool:
        """Nothing goes back."""
        return True

    def bound(self, use: Use) -> Made:
        """The output of any row."""
        return use.run(*(interval.low[0] for interval in use.intervals.values()))


def few(_use: Use) -> int:
    """No more terms than the sizes of input and output tell."""
    return 0


@dataclass(frozen=True, kw_only=True)
class Sum(Rule):
    """The outputs are sums or means of inputs, or inputs laid out anew; some are subtracted."""

    minus: tuple[int, ...] = ()  # places of inputs that are subtracted
    moved: bool = False  # nothing is computed, so nothing is rounded
    terms: Callable[[Use], int] = few  # more of them than the sizes tell

    def affine(self, _use: Use) -> bool:
        """Always."""
        return True

    def bound(self, use: Use) -> Made:
        """The outputs at one end of the inputs and at the other."""
        low, high = lows(use), highs(use)
        turned = {place: high[place] for place in self.minus if place in high}
        back = {place: low[place] for place in self.minus if place in low}
        ends = zip(use.at(low | turned), use.at(high | back), strict=True)
        if self.moved:
            return tuple(Interval(low=least, high=most) for least, most in ends)
        (scale,), ((least, most),) = self._scale(use), ends
        return (Interval.around(least, most, self._rounding(use, least) * scale),)

    def relax(self, use: Use, outputs: tuple[Interval, ...]) -> Link:
        """The transpose."""
        scale = tuple(out.size for out in outputs) if self.moved else self._scale(use)
        terms = self.terms(use) + use.spread(outputs[0].low)
        return Affine(use=use, scale=scale, terms=terms)

    def _scale(self, use: Use) -> tuple[Tensor, ...]:
        """The sum of the absolute terms."""
        sizes = {
            place: -interval.size if place in self.minus else interval.size
            for place, interval in use.intervals.items()
        }
        return use.absolute(negated=self.minus).at(sizes)

    def _rounding(self, use: Use, out: Tensor) -> float:
        return eps(out) * (ROUNDINGS + self.terms(use) + use.spread(out))


@dataclass(frozen=True, kw_only=True)
class Product(Rule):
    """The output is a product of two inputs, with offsets; affine while one of both is known."""

    factors: tuple[int, ...] = (0, 1)
    offsets: tuple[int, ...] = ()  # places of what is added
    negated: tuple[int, ...] = ()  # places of offsets that are subtracted before the product
    axes: tuple[int, ...] = (0, 1)  # of the weight: one is summed over on the way, the other back
    both: Callable[[Use], Made] | None = None  # bounds where rows change both factors
    positive: tuple[str, ...] = ()  # settings that may not be negative

    def affine(self, use: Use) -> bool:
        """Whether rows change one factor alone."""
        return len(use.intervals.keys() & set(self.factors)) < 2

    def bound(self, use: Use) -> Made:
        """From the middle, as far as the absolute weights carry the radius."""
        if not self.affine(use):
            return self._of_both(use)
        refuse_negative(use, self.positive)
        boxes = use.intervals
        (centre,) = use.at({place: box.middle for place, box in boxes.items()})
        alone = use.absolute(zeroed=(*self.offsets, *self.negated))
        (radius,) = alone.at({place: box.radius for place, box in boxes.items()})
        (scale,) = self._scale(use)
        margin = radius + eps(centre) * (ROUNDINGS + self._terms(use, centre)) * scale
        return (Interval.around(centre, centre, margin),)

    def relax(self, use: Use, outputs: tuple[Interval, ...]) -> Link:
        """The transpose, or the output's bounds where rows change both factors."""
        if not self.affine(use):
            return Cut.of(*outputs)
        terms = self._terms(use, outputs[0].low)
        return Affine(use=use, scale=self._scale(use), terms=terms)

    def _scale(self, use: Use) -> tuple[Tensor, ...]:
        """The sum of the absolute terms."""
        sizes = {place: box.size for place, box in use.intervals.items()}
        return use.absolute(negated=self.negated).at(sizes)

    def _terms(self, use: Use, out: Tensor) -> int:
        weights = (use.given[place] for place in self.factors if place < len(use.given))
        sizes = [_longest(w, self.axes) for w in weights if isinstance(w, Tensor) and w.ndim > 1]
        return use.spread(out) + sum(sizes)

    def _of_both(self, use: Use) -> Made:
        if self.both is None:
            raise NoBounds(use.step.operator, "where both of its factors change with the rows")
        return self.both(use)


def _longest(weight: Tensor, axes: tuple[int, ...]) -> int:
    return weight.numel() // max(min((weight.shape[axis] for axis in axes), default=1), 1)


@dataclass(frozen=True, kw_only=True)
class Rising(Rule):
    """The output rises with each input, or falls with each."""

    falling: bool = False
    exact: bool = False  # it is one of the inputs' numbers or a constant: nothing is rounded
    floor: float = 0.0  # the smallest size that errors are relative to
    least: float = -inf  # what no output is below
    line: Relaxation = cut
    positive: tuple[str, ...] = ()  # settings without which it does not rise

    def bound(self, use: Use) -> Made:
        """The outputs at both ends of the inputs."""
        refuse_negative(use, self.positive)
        ends = use.at(lows(use)), use.at(highs(use))
        (low,), (high,) = reversed(ends) if self.falling else ends
        wide = 0.0 if self.exact else margin(low, high, self.floor)
        return (Interval.around((low - wide).clamp_min(self.least), high + wide),)

    def relax(self, use: Use, outputs: tuple[Interval, ...]) -> Link:
        """Lines where there are any."""
        return relaxed(self.line, use, outputs[0])


def margin(low: Tensor, high: Tensor, floor: float = 0.0) -> Tensor:
    """What functions of torch may err by, with room to spare."""
    size = torch.maximum(low.abs(), high.abs()).clamp_min(floor)
    return 2 * ROUNDINGS * eps(low) * size + torch.finfo(low.dtype).tiny


@dataclass(frozen=True, kw_only=True)
class Valley(Rule):
    """The output falls up to a place and rises after it."""

    bottom: Callable[[Use], float]
    floor: float = 0.0  # the smallest size that errors are relative to
    least: float = -inf  # what no output is below
    line: Relaxation = cut

    def bound(self, use: Use) -> Made:
        """The output at the point that is nearest to the bottom, and at the higher end."""
        box = use.only
        bottom = self.bottom(use)
        low = use(box.low.clamp_min(bottom).minimum(box.high))
        high = torch.maximum(use(box.low), use(box.high))
        wide = margin(low, high, self.floor)
        return (Interval.around((low - wide).clamp_min(self.least), high + wide),)

    def relax(self, use: Use, outputs: tuple[Interval, ...]) -> Link:
        """Lines where there are any."""
        return relaxed(self.line, use, outputs[0])
