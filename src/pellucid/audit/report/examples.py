"""Inputs whose answer was changed: as they stand, what was added, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pellucid.audit.finding import Finding
from pellucid.audit.report import pictures
from pellucid.audit.report.chart import Table
from pellucid.audit.report.reading import of_stage, single
from pellucid.audit.report.robustness import together
from pellucid.audit.report.subjects import Subjects
from pellucid.audit.report.words import norm, number, system

MOST = 6  # a norm
LARGEST = 5  # changes of a row that is no picture


@dataclass(frozen=True, kw_only=True)
class Example:
    """One row that was turned; of pictures the three, of others a table of what changed."""

    norm: str
    row: int
    attack: str
    truth: str
    before: str
    after: str
    distance: str
    original: str = ""  # data URIs
    change: str = ""
    adversarial: str = ""
    factor: str = ""  # by which the change is amplified
    table: Table | None = None


class _Success(NamedTuple):
    distance: float
    row: int
    place: int  # in the arrays of its check
    finding: Finding


def examples(found: Sequence[Finding], subjects: Subjects) -> list[Example]:
    """For each norm the nearest successes, of as many classes as can be."""
    by_norm: dict[str, list[_Success]] = {}
    for one in of_stage(found, "falsify"):
        if not together(one):
            by_norm.setdefault(str(single(one, "norm")), []).extend(_successes(one, subjects))
    return [
        _shown(name, success, subjects)
        for name, successes in by_norm.items()
        for success in _chosen(successes, subjects)
    ]


def _successes(finding: Finding, subjects: Subjects) -> list[_Success]:
    kept = subjects.arrays.get(finding.check, {})
    if not {"adversarial", "distance", "labels_after"} <= kept.keys():
        return []
    distance = kept["distance"]
    rows = kept["rows"] if "rows" in kept else np.arange(len(distance))
    places = np.flatnonzero(np.isfinite(distance) & (distance > 0))
    nearest = places[np.argsort(distance[places], kind="stable")]
    return [_Success(float(distance[i]), int(rows[i]), int(i), finding) for i in nearest]


def _chosen(successes: Sequence[_Success], subjects: Subjects) -> list[_Success]:
    """The nearest of each class, then the second of each, and so on; no row twice."""
    nearest: dict[int, _Success] = {}
    for each in sorted(successes, key=lambda s: (s.distance, s.row)):
        nearest.setdefault(each.row, each)
    ranks: dict[int, int] = {}
    ranked = []
    for each in nearest.values():
        label = int(subjects.y[each.row])
        ranks[label] = ranks.get(label, -1) + 1
        ranked.append((ranks[label], each.distance, each))
    return [each for _, _, each in sorted(ranked, key=lambda r: r[:2])[:MOST]]


def _shown(name: str, success: _Success, subjects: Subjects) -> Example:
    finding, row = success.finding, success.row
    kept = subjects.arrays[finding.check]
    original = subjects.x[row]
    adversarial = kept["adversarial"][success.place]
    low, high = subjects.span
    told = Example(
        norm=norm(name),
        row=row,
        attack=system(finding.system or finding.check),
        truth=subjects.named(int(subjects.y[row])),
        before=subjects.before(row),
        after=subjects.named(int(kept["labels_after"][success.place])),
        distance=number(success.distance),
    )
    if not subjects.pictured:
        return replace(told, table=_changes(original.ravel(), adversarial.ravel()))
    factor = pictures.amplification(adversarial - original, low, high)
    return replace(
        told,
        original=pictures.picture(original, low, high),
        change=pictures.change(adversarial - original, low, high, factor),
        adversarial=pictures.picture(adversarial, low, high),
        factor=number(factor),
    )


def _changes(original: np.ndarray, adversarial: np.ndarray) -> Table:
    """The values that were moved most."""
    change = adversarial - original
    largest = np.argsort(-np.abs(change), kind="stable")[:LARGEST]
    return Table(
        caption="The largest changes",
        head=("feature", "before", "after", "change"),
        lines=tuple(
            (
                f"x[{i}]",
                number(float(original[i])),
                number(float(adversarial[i])),
                f"{float(change[i]):+.3g}",
            )
            for i in largest
            if change[i] != 0
        ),
        note=f"{int((change != 0).sum()):,} of {change.size:,} values were changed.",
    )
