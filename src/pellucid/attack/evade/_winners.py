"""Which classes would do: what attacks that aim at a class ask of a goal."""

import torch
from torch import Tensor

from pellucid.errors import UserError
from pellucid.goals import Goal


def winners(goal: Goal, classes: int) -> Tensor:
    """Which classes meet the goal of each row: (n, classes)."""
    if goal.needs_scores:
        raise UserError("This attack aims at one class: choose a goal that labels decide.")
    labels = torch.arange(classes)[:, None].expand(-1, len(goal))
    return goal(labels).T
