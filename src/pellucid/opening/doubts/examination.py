"""What looks wrong in how a model is used, as rows of labelled data show it.

A doubt about facts is no hunch: the model is asked about the same rows in another way too, and is
right on so many more of them that chance does not explain it.
"""

from dataclasses import dataclass, replace

import torch

from pellucid.data import Dataset
from pellucid.errors import UserError
from pellucid.opening.doubts.doubt import Doubt, updated
from pellucid.opening.doubts.explanation import Explanation
from pellucid.opening.doubts.extent import unit_of
from pellucid.opening.doubts.relabelling import LABELS
from pellucid.opening.doubts.search import SCALES, Search
from pellucid.opening.doubts.symptoms import (
    at_chance,
    guess,
    misread,
    not_finite,
    one_class,
    out_of_range,
    saturated,
    unsteady,
    without_output,
)
from pellucid.opening.doubts.use import Answered, Interview, Use
from pellucid.opening.opened import Opened
from pellucid.statistics import clopper_pearson

FEWEST = 20  # rows: fewer show nothing of how right a model is
AGAIN = 20  # rows that are asked about twice


@dataclass(frozen=True, kw_only=True)
class Examination:
    """How right a model is on rows of data, and what looks wrong."""

    rows: int
    right: int
    accuracy: float
    low: float  # Clopper and Pearson's 95 % interval of the accuracy
    high: float
    chance: float  # the share that guessing gets, or that the most frequent class has
    doubts: tuple[Doubt, ...]
    asked: int  # rows that were asked about in all
    calls: int  # in which they were carried


def doubts(opened: Opened, data: Dataset, *, rows: int = 200, trials: bool = True) -> Examination:
    """Ask a classifier about rows of data, and again in other ways if it is often wrong.

    The rows are asked about once, and 20 of them a second time. Only where the model is wrong on
    many of them come trials, about 15 for images: a quarter of the rows each, and the others too
    where that quarter shows a gain. They end as soon as the errors are explained.

    Args:
        opened: the model as it would be used.
        data: rows that fit it, as `pellucid.opening.fitting.fitted` makes them.
        rows: how many to ask about at most; a fixed draw, as files are often sorted by class.
        trials: whether more may be asked than the rows once.

    Raises:
        UserError: the model answers raw values, the rows do not fit it, or there are none.
    """
    _check(opened, data, rows)
    drawn = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[:rows]
    use, interview = Use(opened=opened, x=data.x[drawn], y=data.y[drawn]), Interview()
    first = interview(use)
    emitted = misread(first)
    base = first if emitted is None else first.read_as(updated(opened.facts, emitted.instead))
    unit = unit_of(use.x, data.low, data.high)
    search = Search(interview=interview, unit=unit, names=data.class_names, trials=trials)
    enough = len(use.y) >= FEWEST
    found, tried = search.explain(base) if enough else ([], 0)
    last = found[-1].answered if found else base
    names = {explanation.name for explanation in found}
    lost = [None if names & {*LABELS} else without_output(base), not_finite(last)]
    weak = enough and not found and lost == [None, None]
    seen = [
        emitted or saturated(base),
        *_told(found),
        None if names & {*SCALES} else out_of_range(use, unit),
        *lost,
        _repeated(first, interview) if trials else None,
        one_class(base) or at_chance(base, tried) if weak else None,
    ]
    return _examined(first, tuple(doubt for doubt in seen if doubt), interview)


def _check(opened: Opened, data: Dataset, rows: int) -> None:
    if opened.facts.emits == "values":
        raise UserError(
            "A model that answers raw values is right or wrong on no class: open it with --emits "
            "logits if it is a classifier, or without data."
        )
    if rows < 1 or not len(data):
        raise UserError(f"There must be rows to ask about, not {min(rows, len(data))}.")


def _told(found: list[Explanation]) -> list[Doubt]:
    """Each explanation as a doubt; all after the first go on from those before."""
    later = "with that mended"
    return [e.doubt("as they stand" if e is found[0] else later) for e in found]


def _repeated(first: Answered, interview: Interview) -> Doubt | None:
    """What asking about some rows a second time shows."""
    few = first.use.rows(slice(AGAIN))
    return unsteady(first, interview(replace(few, x=few.x.flip(0), y=few.y.flip(0))))


def _examined(first: Answered, seen: tuple[Doubt, ...], interview: Interview) -> Examination:
    rows, right = len(first.labels), first.hits
    low, high = clopper_pearson(right, rows)
    return Examination(
        rows=rows,
        right=right,
        accuracy=right / rows,
        low=float(low),
        high=float(high),
        chance=max(guess(first)),
        doubts=seen,
        asked=interview.asked,
        calls=interview.calls,
    )
