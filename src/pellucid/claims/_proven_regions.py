"""Regions of digits that a grid proves safe, and what a thousand climbs find in them."""

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from pellucid import data, opening
from pellucid.attack.grid_safety import least_margin, proves_safe
from pellucid.box.protocols import ScoreBox
from pellucid.claims.recipe import Recipe
from pellucid.shapes import Labels, Verdicts
from pellucid.train.course import Course
from pellucid.train.standard import Standard
from pellucid.train.threat import Threat

REGIONS, RESTARTS, STEPS = 40, 1000, 10
VALUES, RADIUS, POINTS = 3, 0.25, 11  # pixels that may change, how far, and the grid each way


def shallow() -> nn.Module:
    """One hidden layer, so that a bound on the slope is at hand."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10))


def network(seed: int) -> Recipe:
    """The network of digits."""
    return Recipe(
        name="digits-shallow",
        architecture=partial[nn.Module](shallow),
        data="digits",
        trainer=Standard(course=Course(epochs=20, batch=64, rate=5e-3)),
        seed=seed,
    )


class Regions(NamedTuple):
    """By region, whether it was proven safe, and whether a climb left the class."""

    proven: Verdicts
    broken: Verdicts


def regions(seed: int) -> Regions:
    """Around the images that the network is least sure of, and as many others.

    A region lets the three pixels that are nearest to grey go a quarter up or down.
    """
    module, test = network(seed).build(), data.load("digits", "test")
    box = opening.open(module, access="score", shape=(1, 8, 8), emits="logits")
    assert isinstance(box, ScoreBox)
    y = box.labels(test.x)
    lead = box.scores(test.x).topk(2).values.diff(dim=1)[:, 0].neg()
    order = lead.argsort()
    rows = torch.cat([order[: REGIONS // 2], order[-REGIONS // 2 :]])
    state = module.state_dict()
    first, second = (torch.linalg.matrix_norm(state[f"{layer}.weight"], 2) for layer in (1, 3))
    slope = 2**0.5 * float(first * second)  # of a difference of two logits
    proven, broken = [], []
    for row in rows.split(1):
        x = test.x[row]
        values = (x.flatten() - 0.5).abs().argsort()[:VALUES]
        x = x.flatten(1).index_copy(1, values, x.flatten(1)[:, values].clamp(RADIUS, 1 - RADIUS))
        x = x.reshape(1, 1, 8, 8)
        y = box.labels(x)
        margin = least_margin(box, y, x, values, RADIUS, POINTS)
        proven.append(proves_safe(margin, slope, 2 * RADIUS / (POINTS - 1), VALUES, "l2"))
        broken.append(climbed(module, x, y, values, seed))
    return Regions(proven=torch.cat(proven), broken=torch.cat(broken))


def climbed(module: nn.Module, x: Tensor, y: Labels, values: Tensor, seed: int) -> Verdicts:
    """Whether one of many climbs within a region leaves the class: (1,)."""
    centre = x.flatten(1)[:, values].expand(RESTARTS, -1)

    def logits(z: Tensor) -> Tensor:
        return module(x.flatten(1).expand(RESTARTS, -1).index_copy(1, values, z))

    def loss(z: Tensor) -> Tensor:
        return functional.cross_entropy(logits(z), y.expand(RESTARTS), reduction="sum")

    threat = Threat(epsilon=RADIUS)
    start = threat.anywhere(centre, torch.Generator().manual_seed(seed))
    ends = threat.climb(loss, start, centre, steps=STEPS, step=0.25)
    with torch.no_grad():
        return (logits(ends).argmax(1) != y).any(0, keepdim=True)
