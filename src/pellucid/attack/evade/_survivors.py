"""Which rows are still worth a query between two attacks, or two runs of one."""

from torch import Tensor

from pellucid.ball import Ball
from pellucid.box.protocols import LabelBox
from pellucid.goals import Goal
from pellucid.shapes import Batch, RowNumbers
from pellucid.spec import NO_ANSWER


def survivors(
    box: LabelBox, goal: Goal, ball: Ball, x: Batch, z: Batch, rows: RowNumbers
) -> Tensor:
    """Ask about the last iterates z of these rows; those that did not win, and can pay for more.

    A climb leaves its last iterate unasked, so the question is no waste: a query a row that can
    still ask, and none of the others. To meet the goal outside the ball is not to win.
    """
    label = box[rows].labels(z[rows])
    near = ball.distance(z[rows], x[rows]) <= ball.limit(x[rows])
    return rows[(label != NO_ANSWER) & ~(goal[rows](label) & near)]
