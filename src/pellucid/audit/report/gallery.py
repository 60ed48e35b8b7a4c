"""Why the model said so: attributions of some rows, and how faithful they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from pellucid.audit.finding import Figure, Finding
from pellucid.audit.report import pictures
from pellucid.audit.report.chart import SERIES, Chart, Table, Trace, line, shares
from pellucid.audit.report.reading import of_stage, single
from pellucid.audit.report.subjects import Subjects
from pellucid.audit.report.words import number, percent, system

METHODS = 6
ROWS = 4  # a method
CURVES = {
    "deletion": (
        "Deletion",
        "The mean score of the class as the most important parts are taken away first. A faithful "
        "attribution falls fast; the dotted line takes parts away at random.",
    ),
    "insertion": (
        "Insertion",
        "The mean score of the class as the most important parts are put back first. A faithful "
        "attribution rises fast; the dotted line puts parts back at random.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Attributed:
    """One row with its attribution."""

    row: int
    truth: str
    said: str
    original: str  # data URIs; empty where the rows are no pictures
    attribution: str
    deletion: str  # areas under its curves
    insertion: str
    largest: str  # the features of the largest attributions, where there are no pictures


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What one explainer gave."""

    title: str
    text: str
    rows: tuple[Attributed, ...]


def gallery(found: Sequence[Finding], subjects: Subjects) -> list[Explained]:
    """The first explainers with their first rows."""
    kept = [one for one in of_stage(found, "explain") if "values" in _arrays(one, subjects)]
    return [_explained(one, subjects) for one in kept[:METHODS]]


def charts(found: Sequence[Finding], subjects: Subjects) -> list[Chart]:
    """The mean curves of deletion and of insertion, of all explainers together."""
    return [
        _curves(name, kept)
        for name in CURVES
        if (
            kept := [
                (one, _arrays(one, subjects))
                for one in of_stage(found, "explain")
                if name in _arrays(one, subjects)
            ]
        )
    ]


def scores(found: Sequence[Finding]) -> Table | None:
    """The faithfulness of each explainer as a table; None if nothing was explained."""
    lines = tuple(
        (
            system(one.system or one.check),
            number(single(one, "rows")),
            _gain(one, "deletion_gain"),
            _gain(one, "insertion_gain"),
            _share(single(one, "agreement")),
            number(single(one, "gap")),
        )
        for one in of_stage(found, "explain")
    )
    head = ("method", "rows", "deletion gain", "insertion gain", "agreement", "gap")
    if not lines:
        return None
    return Table(
        caption="How faithful the attributions are",
        head=head,
        lines=lines,
        note="A gain is how much better than a random order the attribution does, with its 95 % "
        "interval; at 0 it does no better. Agreement and gap are the method's own account: how far "
        "its runs agree, and how far its values miss the score that they should add up to. Beside "
        "the pictures stand the areas under both curves: low is good of deletion, high of "
        "insertion.",
    )


def _arrays(finding: Finding, subjects: Subjects) -> dict[str, ndarray]:
    return dict(subjects.arrays.get(finding.check, {}))


def _gain(finding: Finding, name: str) -> str:
    value = single(finding, name)
    low, high = single(finding, f"{name}_low"), single(finding, f"{name}_high")
    told = number(value)
    return told if low is None else f"{told} ({number(low)} to {number(high)})"


def _share(value: Figure) -> str:
    return number(value) if value is None else percent(value)


def _explained(finding: Finding, subjects: Subjects) -> Explained:
    kept = _arrays(finding, subjects)
    places = range(min(ROWS, len(kept["rows"])))
    return Explained(
        title=system(finding.system or finding.check),
        text=finding.text,
        rows=tuple(_attributed(place, kept, subjects) for place in places),
    )


def _attributed(place: int, kept: dict[str, ndarray], subjects: Subjects) -> Attributed:
    row, values = int(kept["rows"][place]), kept["values"][place]
    shown = subjects.pictured and pictures.is_picture(values.shape)
    low, high = subjects.span
    return Attributed(
        row=row,
        truth=subjects.named(int(subjects.y[row])),
        said=subjects.before(row),
        original=pictures.picture(subjects.x[row], low, high) if shown else "",
        attribution=pictures.attribution(values) if shown else "",
        deletion=_area(kept, "deletion", place),
        insertion=_area(kept, "insertion", place),
        largest="" if shown else _largest(values.ravel()),
    )


def _area(kept: dict[str, ndarray], name: str, place: int) -> str:
    """The area under a curve over the share of parts, by the trapezoidal rule."""
    return (
        number(float(np.trapezoid(kept[name][place], dx=1 / _steps(kept, name))))
        if (name in kept)
        else number(None)
    )


def _steps(kept: dict[str, ndarray], name: str) -> int:
    return max(kept[name].shape[1] - 1, 1)


def _largest(values: ndarray) -> str:
    order = np.argsort(-np.abs(values), kind="stable")[:3]
    return ", ".join(f"x[{i}] {float(values[i]):+.3g}" for i in order)


def _curves(name: str, kept: Sequence[tuple[Finding, dict[str, ndarray]]]) -> Chart:
    title, caption = CURVES[name]
    drawn, told = [], []
    for i, (finding, arrays) in enumerate(kept[:SERIES]):
        mean = [float(v) for v in np.nanmean(arrays[name], axis=0)]
        label = system(finding.system or finding.check)
        drawn += line(i, label, _parts(arrays, name), mean, what="share of parts")
        told.append((label, *_some(mean)))
    _, arrays = kept[0]
    random = f"{name}_random"
    if random in arrays:
        mean = [float(v) for v in np.nanmean(arrays[random], axis=0)]
        told.append(("random order", *_some(mean)))
        (trace,) = line(SERIES - 1, "random order", _parts(arrays, random), mean, what="share")
        quiet: Trace = {"mode": "lines", "line": {"dash": "dot", "color": "var(--quiet)"}}
        drawn.append(trace | quiet)
    return Chart(
        slug=f"explain-{name}",
        title=f"{title} curves",
        caption=caption,
        traces=tuple(drawn),
        x=shares("share of the input"),
        y={"title": {"text": "score of the class"}, "rangemode": "tozero"},
        table=Table(
            caption=f"{title}: the mean score on the way",
            head=("method", "start", "a quarter", "half", "three quarters", "end"),
            lines=tuple(told),
        ),
    )


def _parts(kept: dict[str, ndarray], name: str) -> list[float]:
    steps = _steps(kept, name)
    return [k / steps for k in range(kept[name].shape[1])]


def _some(mean: Sequence[float]) -> list[str]:
    return [number(mean[round(k * (len(mean) - 1) / 4)]) for k in range(5)]
