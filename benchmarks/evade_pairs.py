"""Our run against each rival's, paired by image: how far, or how often."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.evade import OURS, Study
from benchmarks.family import Json
from benchmarks.processes import Measured
from benchmarks.table import grid, interval
from pellucid.statistics import Interval, bootstrap_bounds

FAR = 1e6  # stands for no success at all, so that two such rows are as far


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two figures of ours against one rival, and on how many images which of the two is ahead.

    With distances: the ratio of the medians over images (geometric mean over rounds), and the
    median over images of the ratio. Without: the difference in success (share of images) alone.
    """

    rival: str
    distances: bool
    first: Interval
    second: Interval | None
    ahead: float  # images a round on which ours is nearer (by 1 % or more), or alone succeeds
    behind: float

    @classmethod
    def read(cls, kept: Json) -> "Pair":
        bounds = {
            name: kept[name]
            and Interval(*(nan if value is None else value for value in kept[name]))
            for name in ("first", "second")
        }
        return cls(**{**kept, **bounds})


def medians(ours: NDArray, theirs: NDArray) -> NDArray:
    ratios = np.median(ours, -1) / np.median(theirs, -1)
    return np.exp(np.log(ratios).mean(0))


def typical(ours: NDArray, theirs: NDArray) -> NDArray:
    return np.exp(np.median(np.log(ours) - np.log(theirs), -1).mean(0))


def more(ours: NDArray, theirs: NDArray) -> NDArray:
    return (ours - theirs).mean(-1).mean(0)


def compare(rival: str, found: Sequence[Measured], *, distances: bool) -> Pair:
    """Ours against one rival, resampling images; both keep their pairs."""

    def stacked(name: str) -> NDArray:
        mine = [one for one in found if one.tool == name]
        kept = [one.distance.clamp_max(FAR) if distances else one.success.double() for one in mine]
        return torch.stack(kept).numpy()

    ours, theirs = stacked(OURS.name), stacked(rival)
    if distances:
        first = bootstrap_bounds(medians, ours, theirs)
        second = bootstrap_bounds(typical, ours, theirs)
        ahead, behind = ours < 0.99 * theirs, theirs < 0.99 * ours
    else:
        first, second = bootstrap_bounds(more, ours, theirs), None
        ahead, behind = ours > theirs, theirs > ours
    return Pair(
        rival=rival,
        distances=distances,
        first=first,
        second=second,
        ahead=float(ahead.sum(-1).mean()),
        behind=float(behind.sum(-1).mean()),
    )


def paired(study: Study, found: Sequence[Measured]) -> list[Pair]:
    """Ours against every rival: by distance where the study minimises it, else by success."""
    rivals = [tool.name for tool in study.tools if tool is not OURS]
    return [compare(rival, found, distances=study.minimises) for rival in rivals]


def paired_table(pairs: Sequence[Pair]) -> str:
    if not pairs:
        return ""
    if pairs[0].distances:
        head = (
            "Pellucid's distance over that of",
            "Ratio of medians",
            "Median ratio of an image",
            "Images nearer by 1 %",
            "Images farther by 1 %",
        )
        rows = [
            (one.rival, interval(one.first), interval(one.second or one.first)) for one in pairs
        ]
    else:
        head = (
            "Pellucid's success less that of",
            "Points",
            "Images that only Pellucid got",
            "Images that only the other got",
        )
        rows = [
            (one.rival, interval(Interval(*(100 * part for part in one.first)), 1)) for one in pairs
        ]
    counts = [(f"{one.ahead:.1f}", f"{one.behind:.1f}") for one in pairs]
    return grid([head, *((*row, *count) for row, count in zip(rows, counts, strict=True))])
