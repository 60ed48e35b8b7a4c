"""How bad a finding is: one table, of levels by a bound and the plan's limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pellucid.errors import UserError

Level = Literal["none", "low", "medium", "high", "critical"]
LEVELS: tuple[Level, ...] = get_args(Level)  # from harmless to worst
WORST_FIRST: tuple[Level, ...] = LEVELS[:0:-1]  # those that are faults


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What a share must reach lest the finding have at least this level."""

    low: float
    medium: float
    high: float
    critical: float

    def __post_init__(self) -> None:
        """Refuse steps that are not in order."""
        if not 0 <= self.critical <= self.high <= self.medium <= self.low <= 1:
            raise UserError(
                f"The limits {self} must be shares that fall from low to critical: 0 <= critical "
                "<= high <= medium <= low <= 1."
            )

    def short(self, bound: float) -> Level:
        """The level of a share whose lower bound this is."""
        passed = [bound >= step for step in (self.low, self.medium, self.high, self.critical)]
        return LEVELS[passed.index(True) if any(passed) else len(passed)]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a model must reach.

    A finding is judged by the bound on its bad side, so that few rows, which promise little, weigh
    against the model.
    """

    accuracy: Steps = Steps(low=0.95, medium=0.9, high=0.8, critical=0.5)
    class_accuracy: Steps = Steps(low=0.85, medium=0.75, high=0.6, critical=0.3)  # worst class
    slice_accuracy: Steps = Steps(low=0.9, medium=0.8, high=0.7, critical=0.4)  # worst slice
    corrupted_accuracy: Steps = Steps(low=0.8, medium=0.7, high=0.5, critical=0.2)  # the worst one
    calibrated: Steps = Steps(low=0.95, medium=0.9, high=0.8, critical=0.6)  # 1 - its error
    robust_accuracy: float = 0.5  # inside each radius of a curve

    def broken(self, bounds: Sequence[float]) -> Level:
        """The level of a robustness curve, by its lower bounds at four radii, the least first.

        A model that breaks at the least radius is critical, one that breaks at the largest alone
        is low; of fewer radii the least count.
        """
        fallen = [bound < self.robust_accuracy for bound in bounds]
        last = len(WORST_FIRST) - 1
        return WORST_FIRST[min(fallen.index(True), last)] if any(fallen) else "none"


def worst(levels: Sequence[Level]) -> Level:
    """The worst of some levels; "none" of none."""
    return LEVELS[max(map(LEVELS.index, levels), default=0)]
