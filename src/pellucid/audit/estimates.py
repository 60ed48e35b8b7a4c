"""The figures by which two audits are compared, each between its bounds."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import hypot

from pellucid.audit.finding import Finding, rows_of
from pellucid.statistics import Interval


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number that an audit measured, between its 95 % bounds."""

    value: float
    low: float
    high: float
    rises: bool = True  # whether more is better
    epsilon: float | None = None  # the radius within which it holds


@dataclass(frozen=True, kw_only=True)
class Told:
    """Which figure of a finding is compared."""

    value: str
    low: str = "low"
    high: str = "high"
    rises: bool = True


TOLD = {  # by the beginning of a check's name: its single figures
    "clean.accuracy": (Told(value="accuracy"),),
    "clean.classes": (Told(value="accuracy"),),
    "clean.slices": (Told(value="accuracy"),),
    "clean.corruptions": (Told(value="accuracy"),),
    "clean.calibration": (Told(value="ece", rises=False),),
}


def estimates(finding: Finding) -> dict[str, Estimate]:
    """What a finding measured, by a name that is the same in another audit."""
    return dict(_single(finding)) | dict(_by_epsilon(finding))


def _single(finding: Finding) -> Iterator[tuple[str, Estimate]]:
    figures = finding.figures
    for told in TOLD.get(finding.check, ()):
        found = _numbers(figures.get(told.value), figures.get(told.low), figures.get(told.high))
        if found:
            value, low, high = found
            yield told.value, Estimate(value=value, low=low, high=high, rises=told.rises)


def _by_epsilon(finding: Finding) -> Iterator[tuple[str, Estimate]]:
    rows = _numbers(finding.figures.get("rows"))
    for line in rows_of(finding, "by_epsilon"):
        share = line.get("accuracy")
        certified = _numbers(line.get("certified"))
        name = "accuracy"
        if certified and rows:  # proofs are counted
            name, share = "certified", certified[0] / rows[0]
        found = _numbers(line["epsilon"], share, line["low"], line["high"])
        if found:
            epsilon, value, low, high = found
            estimate = Estimate(value=value, low=low, high=high, epsilon=epsilon)
            yield f"{name} at {epsilon:.4g}", estimate


def _numbers(*figures: object) -> tuple[float, ...]:
    """The figures, if all of them are numbers; else nothing."""
    found = tuple(float(one) for one in figures if isinstance(one, int | float))
    return found if len(found) == len(figures) else ()


def unpaired(new: Estimate, old: Estimate) -> Interval:
    """New less old between the 95 % bounds that those of two independent estimates give.

    As if nothing were paired, so on the same rows it is too wide rather than too narrow.
    Source: Zou and Donner, Statistics in Medicine 2008 (for shares: Newcombe, same journal 1998).
    """
    difference = new.value - old.value
    below = hypot(new.value - new.low, old.high - old.value)
    above = hypot(new.high - new.value, old.value - old.low)
    return Interval(difference, difference - below, difference + above)
