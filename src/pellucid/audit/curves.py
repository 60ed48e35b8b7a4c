"""Robustness curves: accuracy against epsilon, and against the questions that an attack asks.

Their intervals are Clopper and Pearson's, point by point. Resampling the rows would draw each
point from Binomial(n, k / n), and nothing is paired inside one point; at n = 200 the percentiles of
those draws hold a share of 0.01 or 0.99 in 86.5 % of all samples and not in 95 %, and a share of
0.005 in 63 %. What is paired, a difference, is in `paired.py`.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from pellucid.audit.finding import Figure, Lines
from pellucid.ball import Ball
from pellucid.runs import Run, Status
from pellucid.statistics import clopper_pearson

POINTS = 200  # of a curve against epsilon, at most
QUERY_POINTS = 50  # of one against questions, at most: there is one for each radius
FALLEN = (Status.MET, Status.INVALID)  # wrong, or no finite answer: a row that falls at once

Falls = Float[ndarray, " n"]  # where each row falls: a distance, or a number of questions


def fall_distances(run: Run, ball: Ball) -> Falls:
    """How far each row was moved when it fell: 0 for rows that were wrong, infinite for none.

    A distance that exceeds the ball's radius by rounding alone counts as the radius.

    Args:
        run: of an attack in this ball, or of one that seeks the nearest success.
        ball: its norm measures; its radius may be None.
    """
    distance = run.distance(ball.norm).double()  # or a radius would be rounded up itself
    if ball.radius is not None:
        beyond = (distance > ball.radius) & (distance <= ball.limit(run.x))
        distance = distance.masked_fill(beyond, ball.radius)
    return _at_once(run, distance)


def fall_queries(run: Run, ball: Ball) -> Falls:
    """How many questions each row had asked when an attack first was inside the ball.

    0 for rows that were wrong, infinite where it never was. What the judge alone saw counts as
    found with the row's last question.

    Args:
        run: of an attack that measures in this ball's norm.
        ball: an infinite one (radius None) asks for the first success.
    """
    near = run.found_distance <= ball.limit(run.x)[run.found_row]
    row, query = run.found_row[near], run.found_query[near]
    query = torch.where(query == 0, run.queries[row], query).double()
    first = torch.full((len(run),), torch.inf, dtype=torch.double)
    return _at_once(run, first.scatter_reduce(0, row, query, "amin"))


def _at_once(run: Run, falls: Tensor) -> Falls:
    fallen = torch.tensor([status in FALLEN for status in run.status])
    return falls.double().masked_fill(fallen, 0.0).numpy()


def soonest(rows: int, *parts: tuple[Int[ndarray, " _"], Float[ndarray, " _"]]) -> Falls:
    """Where each row falls first, of several attacks or of one at several radii.

    Args:
        rows: how many there are.
        parts: which rows each was put to, and where they fell; who is in none does not fall.
    """
    falls = np.full(rows, np.inf)
    for which, where in parts:
        np.minimum.at(falls, which, where)
    return falls


def by_epsilon(falls: Falls, *, at: Sequence[float] = (), points: int = POINTS) -> Lines:
    """Accuracy against epsilon: the share of rows that fall at no distance up to it.

    A step curve: each point holds until the next. Every point is exact; where not every step has
    room, between points it is too high by at most (n - 1) // (points - len(at) - 2) rows.

    Args:
        falls: the distance at which each row falls.
        at: radii that must be among the points.
        points: how many at most, more than len(at) + 2.

    Returns:
        Lines of epsilon, accuracy, low, high, from epsilon 0 to the last row that falls.
    """
    steps, fallen = np.unique(falls[(falls > 0) & np.isfinite(falls)], return_counts=True)
    fallen = fallen.cumsum()
    room = points - len(at) - 1  # epsilon 0 is always there
    kept = np.arange(len(steps))
    if len(steps) > room:  # by rows, not by epsilon: the error is counted in rows
        kept = np.unique(np.searchsorted(fallen, np.linspace(1, fallen[-1], room)))
    return _lines(falls, "epsilon", np.unique([0.0, *at, *steps[kept]]), {})


def by_queries(falls: Falls, epsilon: float | None, *, points: int = QUERY_POINTS) -> Lines:
    """Accuracy against the questions a row: the share of rows that had not fallen by then.

    Args:
        falls: how many questions each row had asked when it fell.
        epsilon: the radius inside which they count as fallen, for the lines.
        points: how many at most, at least 3; evenly spaced on a logarithmic axis if they must be.

    Returns:
        Lines of epsilon, queries, accuracy, low, high; the points are exact.
    """
    steps = np.unique(falls[(falls > 0) & np.isfinite(falls)])
    if len(steps) >= points:
        wanted = np.geomspace(steps[0], steps[-1], points - 1)
        # the last step at or before each; 1e-9 because geomspace may end a rounding below it
        steps = steps[np.unique(np.searchsorted(steps, wanted * (1 + 1e-9), side="right") - 1)]
    return _lines(falls, "queries", np.unique([0.0, *steps]), {"epsilon": epsilon})


def _lines(falls: Falls, name: str, at: Float[ndarray, " p"], head: dict[str, Figure]) -> Lines:
    right = len(falls) - np.searchsorted(np.sort(falls), at, side="right")
    low, high = clopper_pearson(right, len(falls))
    table = zip(
        at.tolist(), (right / len(falls)).tolist(), low.tolist(), high.tolist(), strict=True
    )
    return [head | {name: a, "accuracy": k, "low": lo, "high": hi} for a, k, lo, hi in table]
