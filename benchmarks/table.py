"""Figures over rounds, promises, and Markdown tables of both."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from statistics import median

from pellucid.statistics import Interval


@dataclass(frozen=True)
class Spread:
    """A figure over rounds."""

    median: float
    low: float  # the least
    high: float  # the greatest

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(float(median(values)), float(min(values)), float(max(values)))

    @classmethod
    def read(cls, kept: dict[str, float | None]) -> "Spread":
        """As it was recorded; JSON has null where a number was infinite."""
        return cls(**{name: inf if value is None else value for name, value in kept.items()})

    def scaled(self, factor: float) -> "Spread":
        return Spread(self.median * factor, self.low * factor, self.high * factor)

    def text(self, digits: int) -> str:
        if not isfinite(self.median):
            return "-"
        if f"{self.low:.{digits}f}" == f"{self.high:.{digits}f}":
            return f"{self.median:,.{digits}f}"
        return f"{self.median:,.{digits}f} ({self.low:,.{digits}f} to {self.high:,.{digits}f})"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A promise and what was measured."""

    text: str
    measured: float
    limit: float

    @property
    def holds(self) -> bool:
        return self.measured <= self.limit


def promises(bars: Sequence[Bar]) -> str:
    """The table of the bars and of which hold."""
    rows = [
        (bar.text, f"{bar.limit:g}", f"{bar.measured:,.4g}", "yes" if bar.holds else "**no**")
        for bar in bars
    ]
    return grid([("Bar", "At most", "Measured", "Holds"), *rows])


def interval(found: Interval, digits: int = 3) -> str:
    """An estimate, its bounds in brackets."""
    return f"{found.estimate:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f})"


def grid(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head, the first column is left-aligned."""
    rule = [":--", *["--:"] * (len(rows[0]) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], rule, *rows[1:]])
