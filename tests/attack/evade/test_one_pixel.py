"""The one-pixel attack against brute force over every pixel, and its breeding by definition."""

import pytest
import torch
from torch import nn

import pellucid
from pellucid.attack.evade.one_pixel import OnePixel
from pellucid.errors import UserError
from pellucid.testing.driving import driven
from pellucid.testing.subjects import subject

SHAPE, ROWS = (2, 3, 4), 24


def draws(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plane():
    """Weights (2, 3, 4), a box of the plane through the middle of the cube, and rows near it."""
    w = draws(*SHAPE, seed=1) - 0.5
    x = draws(ROWS, *SHAPE, seed=2)
    model = nn.Linear(w.numel(), 2, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.stack([0 * w, w]).flatten(1))
        model.bias.copy_(torch.tensor([0.0, -0.5 * float(w.sum())]))
    box = pellucid.open(
        nn.Sequential(nn.Flatten(), model), access="score", shape=SHAPE, emits="logits"
    )
    return w, box, x


def test_it_wins_where_brute_force_over_pixels_does():
    w, box, x = plane()
    y = box.labels(x)
    side = (2 * y - 1).to(x)[:, None, None, None]
    margin = ((x - 0.5) * w).sum((1, 2, 3)).abs()
    # the most that a pixel can do is to go to the worst corner in both channels
    corner = torch.where(side * w > 0, 0.0, 1.0)
    gain = (side * w * (x - corner)).sum(1).flatten(1).amax(1)
    clear = (gain / margin - 1).abs() > 0.05
    method = OnePixel(population=60, generations=20)
    found = pellucid.run(method, box, x, goal=pellucid.misled(y), budget=None)
    assert torch.equal(found.success[clear], (gain > margin)[clear])
    assert 3 < int(found.success.sum()) < ROWS - 3


@pytest.mark.parametrize("pixels", [1, 3])
def test_no_candidate_differs_in_more_pixels(pixels):
    on = subject(shape=(2, 5, 5))
    method = OnePixel(pixels=pixels, population=8, generations=3)
    driven(method, on)
    asked = torch.cat(on.tally.asked)[:, None]
    changed = (asked != on.x).any(2).flatten(2).sum(2).amin(1)  # against the row it is about
    assert int(changed.max()) == pixels


def test_a_row_pays_for_its_population_in_each_generation():
    on = subject(shape=(1, 5, 5), rows=8)
    method = OnePixel(population=10, generations=3, together=4)
    goal = on.goal & ~on.goal  # which nothing meets
    found = pellucid.run(method, on.box, on.x, goal=goal, budget=None)
    assert found.queries.tolist() == [10 * 4] * 8
    assert found.calls == 3 * 4
    won = pellucid.run(method, on.box, on.x, goal=on.goal, budget=None)
    whole = {4, 8, 10}  # parts of a population
    assert won.success.any()
    assert {q % 10 or 10 for q in won.queries[won.success].tolist()} <= whole


def test_children_are_a_candidate_and_half_the_difference_of_two_others():
    on = subject(shape=(1, 4, 4), bounds=(-1e6, 1e6), dtype=torch.float64)
    method = OnePixel(population=5)
    rng = driven(OnePixel(population=5, generations=0), on).rng
    # powers of ten tell who the parents of a child were
    tags = torch.tensor([0.0, 1e-5, 1e-4, 1e-3, 1e-2], dtype=torch.float64)
    parents = 0.5 + tags[:, None, None, None].expand(5, len(on.x), 1, 3)
    seen = set()
    for _ in range(40):
        children = method._children(on.box, parents, rng)
        for child in (children[..., 0] - 0.5).flatten().tolist():
            trio = [
                (a, b, c)
                for a in range(5)
                for b in range(5)
                for c in range(5)
                if len({a, b, c}) == 3
                and abs(float(tags[a] + 0.5 * (tags[b] - tags[c])) - child) < 1e-9
            ]
            assert len(trio) == 1
            seen.add(trio[0])
    assert len(seen) == 60  # each trio of different parents


def test_the_best_candidate_never_gets_worse():
    on = subject(shape=(1, 5, 5), dtype=torch.float64)
    goal = on.goal
    method = OnePixel(population=6, generations=8)
    iterates = driven(method, on).iterates
    losses = torch.stack([goal.loss(on.box.scores(z)) for z in iterates])
    assert (losses.diff(dim=0) >= 0).all()


def test_too_small_a_population_is_refused():
    for fields in ({"population": 2}, {"pixels": 0}):
        with pytest.raises(UserError, match="three candidates and one pixel"):
            OnePixel(**fields)
