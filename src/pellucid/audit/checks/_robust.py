"""What attacks leave behind: how near the nearest success of each row lies, and what that says."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pellucid.audit.curves import (
    Falls,
    by_epsilon,
    by_queries,
    fall_distances,
    fall_queries,
    soonest,
)
from pellucid.audit.finding import Lines
from pellucid.ball import Ball, NormName
from pellucid.runs import Run
from pellucid.shapes import Batch, Counts, RowNumbers
from pellucid.statistics import clopper_pearson


@dataclass(frozen=True, kw_only=True, eq=False)
class Raid:
    """One run of an attack on some of the rows."""

    rows: RowNumbers
    run: Run
    ball: Ball
    before: Counts  # questions that each of these rows had been asked in earlier runs


@dataclass(frozen=True, kw_only=True, eq=False)
class Raids:
    """The runs of one attack, in which only rows go on that are still right."""

    x: Batch
    norm: NormName
    done: tuple[Raid, ...] = ()

    def then(self, rows: RowNumbers, run: Run, ball: Ball) -> "Raids":
        """One more run."""
        raid = Raid(rows=rows, run=run, ball=ball, before=self.queries()[rows])
        return Raids(x=self.x, norm=self.norm, done=(*self.done, raid))

    def queries(self) -> Counts:
        """Questions of each row in all runs."""
        asked = torch.zeros(len(self.x), dtype=torch.long)
        for raid in self.done:
            asked = asked.index_add(0, raid.rows, raid.run.queries)
        return asked

    def distance(self) -> Falls:
        """Where each row falls: 0 if it is wrong from the start, infinite if it never does."""
        falls = ((r.rows.numpy(), fall_distances(r.run, r.ball)) for r in self.done)
        return soonest(len(self.x), *falls)

    def asked(self, radius: float) -> Falls:
        """How many questions each row had been asked when it fell within the radius."""
        ball = Ball(self.norm, radius)
        falls = (
            (r.rows.numpy(), fall_queries(r.run, ball) + r.before.double().numpy())
            for r in self.done
        )
        return soonest(len(self.x), *falls)

    def adversarial(self) -> Batch:
        """The nearest success of each row; the row itself where there is none."""
        points = self.x
        for raid in self.done:
            points = points.index_copy(0, raid.rows, raid.run.adversarial)
        return points

    def curves(self, radii: Sequence[float]) -> dict[str, Lines]:
        """Accuracy at the radii, between them, and against questions."""
        falls = self.distance()
        return {
            "by_epsilon": at_radii(falls, radii),
            "curve": by_epsilon(falls, at=radii),
            "by_queries": [line for r in radii for line in by_queries(self.asked(r), r, points=50)],
        }


def at_radii(falls: Falls, radii: Sequence[float]) -> Lines:
    """How many rows are still right at each radius, with the exact 95 % interval of their share."""
    right = [int((falls > radius).sum()) for radius in radii]
    low, high = clopper_pearson(right, len(falls))
    table = zip(radii, right, low.tolist(), high.tolist(), strict=True)
    return [
        {"epsilon": e, "accuracy": k / len(falls), "robust": k, "low": lo, "high": hi}
        for e, k, lo, hi in table
    ]


def lows(lines: Lines) -> list[float]:
    """The lower bounds of some lines."""
    return [float(line["low"] or 0) for line in lines]


def broken(falls: Falls) -> Tensor:
    """The rows that were right, and fell."""
    return torch.from_numpy(np.flatnonzero(np.isfinite(falls) & (falls > 0)))


def told(norm: NormName, lines: Lines) -> str:
    """The accuracy at each radius in a sentence."""
    parts = [f"{line['accuracy']:.1%} at {line['epsilon']:.3g}" for line in lines]
    return f"Of all rows stay right, by {norm} distance: {', '.join(parts)}."
