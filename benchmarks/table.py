"""Processes into figures a tool, figures into bars, and both into Markdown."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.evade import OURS, Study
from benchmarks.processes import Measured
from pellucid.statistics import Interval, bootstrap_bounds


@dataclass(frozen=True)
class Spread:
    """A figure over rounds."""

    median: float
    low: float  # the least
    high: float  # the greatest

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(float(np.median(values)), float(min(values)), float(max(values)))

    def text(self, digits: int) -> str:
        if not np.isfinite(self.median):
            return "-"
        if f"{self.low:.{digits}f}" == f"{self.high:.{digits}f}":
            return f"{self.median:,.{digits}f}"
        return f"{self.median:,.{digits}f} ({self.low:,.{digits}f} to {self.high:,.{digits}f})"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One tool's line of a table."""

    tool: str
    versions: dict[str, str]
    success: Spread  # share of rows
    distance: Spread  # median over rows
    queries: Spread  # a row
    gradients: Spread  # a row
    calls: Spread
    largest_call: int
    overhead: Spread
    outside: Spread  # share of CPU time spent outside the network
    spine: Spread | None  # share of CPU time spent outside the network and the method
    cpu_seconds: Spread
    wall_seconds: Spread
    peak_mb: Spread


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Distances of our run against a rival's, paired by image."""

    rival: str
    medians: Interval  # ratio of the medians over images, geometric mean over rounds
    typical: Interval  # median over images of the ratio


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A promise and what was measured."""

    text: str
    measured: float
    limit: float

    @property
    def holds(self) -> bool:
        return self.measured <= self.limit


def line(tool: str, rounds: Sequence[Measured]) -> Line:
    told = [one.told for one in rounds]
    method = [one["method_seconds"] for one in told]
    outside = [1 - one["model_seconds"] / one["last_cpu_seconds"] for one in told]
    rest = [
        share - seconds / one["last_cpu_seconds"]
        for share, seconds, one in zip(outside, method, told, strict=True)
        if seconds is not None
    ]
    return Line(
        tool=tool,
        versions=told[0]["versions"],
        success=Spread.of([float(one.success.double().mean()) for one in rounds]),
        distance=Spread.of([float(one.distance.median()) for one in rounds]),
        queries=Spread.of([one["queries"] / one["rows"] for one in told]),
        gradients=Spread.of([one["gradients"] / one["rows"] for one in told]),
        calls=Spread.of([one["calls"] for one in told]),
        largest_call=max(one["largest_call"] for one in told),
        overhead=Spread.of([one["overhead"] for one in told]),
        outside=Spread.of(outside),
        spine=Spread.of(rest) if rest else None,
        cpu_seconds=Spread.of([one["cpu_seconds"] for one in told]),
        wall_seconds=Spread.of([one["wall_seconds"] for one in told]),
        peak_mb=Spread.of([one["peak_mb"] for one in told]),
    )


def lines(study: Study, found: Sequence[Measured]) -> list[Line]:
    by_tool = ((tool.name, [one for one in found if one.tool == tool.name]) for tool in study.tools)
    return [line(name, rounds) for name, rounds in by_tool]


def compare(study: Study, found: Sequence[Measured]) -> list[Comparison]:
    """Ours against every rival, resampling images; both keep their pairs."""

    def distances(name: str) -> NDArray:
        return torch.stack([one.distance for one in found if one.tool == name]).numpy()

    def medians(ours: NDArray, theirs: NDArray) -> NDArray:
        ratios = np.median(ours, -1) / np.median(theirs, -1)
        return np.exp(np.log(ratios).mean(0))

    def typical(ours: NDArray, theirs: NDArray) -> NDArray:
        return np.exp(np.median(np.log(ours) - np.log(theirs), -1).mean(0))

    return [
        Comparison(
            rival=tool.name,
            medians=bootstrap_bounds(medians, distances(OURS.name), distances(tool.name)),
            typical=bootstrap_bounds(typical, distances(OURS.name), distances(tool.name)),
        )
        for tool in study.tools
        if tool is not OURS
    ]


def bars(study: Study, table: Sequence[Line], pairs: Sequence[Comparison]) -> list[Bar]:
    """What the project promises of this study, if anything."""
    ours = table[0]
    if study.slug == "hopskipjump":
        best = min(table[1:], key=lambda one: one.distance.median).tool
        ratio = next(pair for pair in pairs if pair.rival == best).medians.estimate
        return [
            Bar(text="calls to the model", measured=ours.calls.high, limit=400),
            Bar(text="largest call, inputs", measured=ours.largest_call, limit=1000),
            Bar(text=f"median L2 over that of {best}, paired", measured=ratio, limit=1.02),
            Bar(text="CPU over raw model time", measured=ours.overhead.median, limit=1.30),
            Bar(text="the spine's share of CPU time", measured=ours.spine.median, limit=0.06),
        ]
    if study.slug in ("pgd-hopeless", "square-hopeless"):
        return [Bar(text="CPU over raw model time", measured=ours.overhead.median, limit=1.10)]
    if study.slug == "apgd-hopeless":
        return [
            Bar(text="queries a row, the judge's included", measured=ours.queries.high, limit=42)
        ]
    if study.slug == "square":
        return [
            Bar(
                text="queries a row, the judge's two included",
                measured=ours.queries.high,
                limit=1002,
            )
        ]
    return []


def markdown(study: Study, table: Sequence[Line], pairs: Sequence[Comparison]) -> str:
    """The section of a study: its table, the paired distances, and the bars."""
    rows = [
        (
            "Tool",
            "Success, %",
            f"Median {study.job.norm.capitalize()}",
            "Queries a row",
            "Gradients a row",
            "Calls",
            "Largest call",
            "CPU over raw model time",
            "CPU outside the network, %",
            "CPU, s",
            "Wall, s",
            "Peak memory, MB",
        ),
        *(
            (
                one.tool,
                scaled(one.success, 100).text(0),
                one.distance.text(4 if study.job.norm == "linf" else 3),
                one.queries.text(0),
                one.gradients.text(0),
                one.calls.text(0),
                f"{one.largest_call:,}",
                one.overhead.text(2),
                scaled(one.outside, 100).text(1),
                one.cpu_seconds.text(2),
                one.wall_seconds.text(2),
                one.peak_mb.text(0),
            )
            for one in table
        ),
    ]
    parts = [f"## {study.title}", grid(rows)]
    spine = table[0].spine
    if spine is not None:
        parts.append(
            f"Of Pellucid's CPU time {scaled(spine, 100).text(1)} % is the spine: what is neither "
            "the network nor the method's own arithmetic."
        )
    if pairs:
        head = ("Pellucid's distance over that of", "Ratio of medians", "Median ratio of an image")
        rows = [(pair.rival, interval(pair.medians), interval(pair.typical)) for pair in pairs]
        parts.append(grid([head, *rows]))
    promised = bars(study, table, pairs)
    if promised:
        head = ("Bar", "At most", "Measured", "Holds")
        rows = [
            (bar.text, f"{bar.limit:g}", f"{bar.measured:,.4g}", "yes" if bar.holds else "**no**")
            for bar in promised
        ]
        parts.append(grid([head, *rows]))
    return "\n\n".join(parts)


def scaled(spread: Spread, factor: float) -> Spread:
    return Spread(spread.median * factor, spread.low * factor, spread.high * factor)


def interval(ratio: Interval) -> str:
    return f"{ratio.estimate:.3f} ({ratio.low:.3f} to {ratio.high:.3f})"


def grid(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head, the first column is left-aligned."""
    rule = [":--", *["--:"] * (len(rows[0]) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], rule, *rows[1:]])


def record(study: Study, found: Sequence[Measured]) -> dict:
    """Everything of a study that is kept, as JSON: figures, bars, and each process's own."""
    table = lines(study, found)
    pairs = compare(study, found) if study.job.epsilon is None else []
    return {
        "slug": study.slug,
        "title": study.title,
        "job": asdict(study.job),
        "lines": [asdict(one) for one in table],
        "paired": [
            {
                "rival": pair.rival,
                "medians": pair.medians._asdict(),
                "typical": pair.typical._asdict(),
            }
            for pair in pairs
        ],
        "bars": [{**asdict(bar), "holds": bar.holds} for bar in bars(study, table, pairs)],
        "processes": [{"tool": one.tool, **one.told} for one in found],
        "markdown": markdown(study, table, pairs),
    }
