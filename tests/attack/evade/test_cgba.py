"""CGBA against boundaries whose distance is known: a plane, the inside and outside of a sphere."""

import math

import pytest
import torch
from torch import nn

import pellucid
from pellucid.attack.evade.cgba import CGBA
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.testing.driving import driven
from pellucid.testing.subjects import subject

D, ROWS, L2 = 64, 8, Ball("l2")
BOTH = pytest.mark.parametrize("curved", [False, True])


class Sphere(nn.Module):
    """The second class inside (side 1) or outside (side -1) of a sphere."""

    def __init__(self, centre, radius, side):
        super().__init__()
        self.centre, self.radius, self.side = nn.Parameter(centre), radius, side

    def forward(self, x):
        margin = self.side * (self.radius - torch.linalg.vector_norm(x - self.centre, dim=1))
        return torch.stack([-margin, margin], 1)


def draws(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def attacked(model, x, start, method, budget):
    box = pellucid.open(model, access="label", shape=tuple(x.shape[1:]), emits="logits")
    goal = pellucid.hit(torch.ones(len(x), dtype=torch.long))
    return pellucid.run(method, box, x, goal=goal, budget=budget, start=start, progress=False)


def plane():
    """Rows two units of margin from a plane, starts beyond it, and their exact distance."""
    w, x, beside = draws(D, seed=1), draws(ROWS, D, seed=2), draws(ROWS, D, seed=3)
    x = x - ((x @ w + 2) / (w @ w))[:, None] * w
    start = x + beside + ((2 + 3 - beside @ w) / (w @ w))[:, None] * w
    model = nn.Linear(D, 2, bias=False, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.stack([0 * w, w]))
    return model, x, start, 2 / float(torch.linalg.vector_norm(w))


@pytest.mark.slow
@BOTH
def test_it_comes_near_the_exact_distance_of_a_plane(curved):
    model, x, start, exact = plane()
    ratio = attacked(model, x, start, CGBA(curved=curved), 4000).distance("l2") / exact
    assert (ratio >= 1 - 1e-9).all()
    assert (ratio <= 1.05).all()


@BOTH
def test_more_cuts_are_fewer_calls(curved):
    model, x, start, _ = plane()
    halved, cut = (
        attacked(model, x, start, CGBA(curved=curved, cuts=cuts, steps=10), None) for cuts in (1, 3)
    )
    assert cut.calls < 0.75 * halved.calls
    assert (cut.queries <= 1.2 * halved.queries).all()
    near = [float(one.distance("l2").mean()) for one in (cut, halved)]
    assert near[0] == pytest.approx(near[1], rel=0.1)


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("side", [-1, 1])
def test_it_comes_near_the_exact_distance_of_a_sphere(curved, side):
    centre, radius, x = 0.5 * draws(D, seed=1), 12.0, draws(ROWS, D, seed=2)
    if side == 1:
        x = centre + 3 * (x - centre)  # from outside, the way in is to a boundary that curves away
    exact = side * (torch.linalg.vector_norm(x - centre, dim=1) - radius)
    assert (exact > 1).all()
    beside = L2.steepest(draws(ROWS, D, seed=4))
    start = centre + (20.0 if side == -1 else 8.0) * beside
    found = attacked(Sphere(centre, radius, side), x, start, CGBA(curved=curved), 6000)
    ratio = found.distance("l2") / exact
    assert (ratio >= 1 - 1e-9).all()
    assert (ratio <= 1.05).all()


@pytest.mark.slow
@BOTH
def test_no_point_is_farther_than_the_one_before_and_all_meet_the_goal(curved):
    for bounds in ((0.0, 1.0), (-math.inf, math.inf)):
        on = subject(shape=(30,), bounds=bounds)
        iterates = driven(CGBA(curved=curved, steps=8, probes=20), on, budget=10_000).iterates
        distances = torch.stack([L2.distance(z, on.x) for z in iterates])
        assert len(distances) == 9
        assert all(on.goal(on.box.labels(z)).all() for z in iterates)
        assert (distances.diff(dim=0) <= 1e-6).all()
        assert (distances[-1] < 0.9 * distances[0]).float().mean() > 0.5


def test_probes_are_as_many_and_as_wide_as_the_paper_says():
    on = subject(shape=(30,), bounds=(-math.inf, math.inf))
    iterates = driven(CGBA(steps=5, probes=20), on, budget=10_000).iterates
    rows = len(on.x)
    asked = [question for question in on.tally.asked if len(question) > rows]
    assert [len(question) // rows for question in asked] == [
        int(20 * math.sqrt(step)) for step in (1, 2, 3, 4, 5)
    ]
    for question, z in zip(asked, iterates, strict=False):
        assert float((question.reshape(-1, rows, 30) - z).std()) == pytest.approx(2e-4, rel=0.1)


def test_in_images_it_probes_in_a_share_of_the_waves():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16 * 8, 2))
    asked = []
    model[0].register_forward_hook(lambda _, given, __: asked.append(given[0].clone()))
    with torch.no_grad():
        model[1].weight.copy_(torch.stack([torch.zeros(128), draws(128, seed=1).float()]))
    box = pellucid.open(model, access="label", shape=(1, 16, 8), emits="logits")
    x = torch.full((1, 1, 16, 8), 0.5)
    goal = ~pellucid.hit(box.labels(x))
    for reduction, rank in ((4.0, 4 * 2), (16.0, 1), (1.0, 60)):
        asked.clear()
        method = CGBA(steps=1, probes=60, reduction=reduction)
        assert pellucid.run(method, box, x, goal=goal, budget=None, progress=False).success.all()
        probes = max(asked, key=len)[:60].flatten(1)  # of one row: all other calls are shorter
        apart = torch.linalg.svdvals((probes - probes.mean(0)).double())
        assert int((apart > 1e-2 * apart[0]).sum()) == min(rank, 59)


@BOTH
def test_a_row_pays_for_probes_brackets_and_bisections_and_no_more(curved):
    model, x, start, _ = plane()
    method = CGBA(steps=4, probes=20, curved=curved)
    found = attacked(model, x, start, method, None)
    others = found.queries - sum(int(20 * math.sqrt(step)) for step in (1, 2, 3, 4))
    halvings = math.log2(20 / method.tolerance)  # no start is 20 away
    assert (others <= 5 * (halvings + 1) + 4 * 6).all()
    assert (others >= 5).all()


@pytest.mark.parametrize(
    "fields", [{"sigma": 0.0}, {"tolerance": -1e-4}, {"reduction": 0.5}, {"sigma": math.nan}]
)
def test_what_cannot_be_is_refused(fields):
    with pytest.raises(UserError, match="CGBA needs"):
        CGBA(**fields)
