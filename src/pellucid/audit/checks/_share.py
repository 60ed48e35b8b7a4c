"""On what share of some rows a model is right, and how bad that is."""

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.audit.finding import Figure
from pellucid.audit.severity import LEVELS, Level, Steps
from pellucid.statistics import clopper_pearson

TAIL = 0.025  # beyond each end of a 95 % interval


@dataclass(frozen=True, kw_only=True)
class Share:
    """Rows that have something in common, at least one, and on how many the model is right."""

    name: str
    right: int
    rows: int

    @property
    def interval(self) -> tuple[float, float]:
        """The exact 95 % interval (Clopper and Pearson)."""
        low, high = clopper_pearson(self.right, self.rows)
        return float(low), float(high)

    def told(self) -> dict[str, Figure]:
        """The share with its interval."""
        low, high = self.interval
        return {
            "rows": self.rows,
            "right": self.right,
            "accuracy": self.right / self.rows,
            "low": low,
            "high": high,
        }

    def said(self) -> str:
        """The same in words that go on after a verb."""
        low, high = self.interval
        return (
            f"right on {self.right} of {self.rows} rows ({self.right / self.rows:.1%}, 95 % "
            f"interval {low:.1%} to {high:.1%})"
        )

    def judged(self, steps: Steps, tail: float) -> tuple[Level, float]:
        """How bad it is, and the one-sided bound at 1 - tail that decides.

        That is the lower bound. Where even rows without a mistake would be too few to pass by it,
        it is the upper one: a small group is bad only if its mistakes are so many that more rows
        could not make it good.
        """
        low, high = clopper_pearson(self.right, self.rows, 1 - tail, tails=1)
        faultless, _ = clopper_pearson(self.rows, self.rows, 1 - tail, tails=1)
        bound = float(low if faultless >= steps.low else high)
        return steps.short(bound), bound


def worst_of(
    shares: Sequence[Share], steps: Steps, tail: float = TAIL
) -> tuple[Share, Level, float]:
    """The worst of some groups of rows with its level and the bound that decides it.

    That is the one of the worst level, and among several the one of the least share.
    """
    judged = [(share, *share.judged(steps, tail)) for share in shares]
    return min(judged, key=lambda one: (-LEVELS.index(one[1]), one[0].right / one[0].rows))
