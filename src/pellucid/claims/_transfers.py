"""What claims of attacks on surrogates measure: which rows pass to which victims."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pellucid.attack.transfer import transfer_matrix
from pellucid.box.protocols import GradBox
from pellucid.claims.claim import Pair
from pellucid.data.dataset import Dataset
from pellucid.goals import misled
from pellucid.needs import Attack
from pellucid.shapes import Batch, Labels


def rightly(boxes: Mapping[str, GradBox], rows: Dataset, count: int) -> tuple[Batch, Labels]:
    """The first so many rows that all victims get right."""
    right = torch.stack([box.labels(rows.x) == rows.y for box in boxes.values()]).all(0)
    chosen = right.nonzero()[:count, 0]
    return rows.x[chosen], rows.y[chosen]


def passed(
    method: Attack,
    group: Sequence[GradBox],
    targets: Mapping[str, GradBox],
    x: Batch,
    y: Labels,
    seed: int,
) -> Tensor:
    """Which rows each victim gets wrong after an attack on a group of surrogates: (victims, n)."""
    goal = misled(y)
    return transfer_matrix(method, {"all": group}, targets, x, goal=goal, seed=seed).won[0]


def pair(ours: Tensor, theirs: Tensor) -> Pair:
    """The share of victims that each row misleads."""
    return Pair(ours=ours.double().mean(0).tolist(), theirs=theirs.double().mean(0).tolist())
