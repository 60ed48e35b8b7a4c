"""Safety by a fine grid: where it is said, no point between the grid's changes the class."""

import pytest
import torch
from torch import nn

import pellucid
from pellucid.attack.grid_safety import covering_radius, grid, least_margin, proves_safe
from pellucid.errors import UserError


def network():
    """Six inputs, sixteen hidden units, three classes, and a bound on its slope."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        first, second = nn.Linear(6, 16), nn.Linear(16, 3)
    module = nn.Sequential(first, nn.ReLU(), second).double()
    box = pellucid.open(module, access="score", shape=(6,), bounds=(0.0, 1.0), emits="logits")
    sizes = [torch.linalg.matrix_norm(layer.weight, 2).item() for layer in (first, second)]
    # a difference of two logits is a product with a vector of length sqrt(2)
    return box, 2**0.5 * sizes[0] * sizes[1]


def rows(count, seed=1):
    draws = torch.rand(count, 6, generator=torch.Generator().manual_seed(seed)).double()
    return 0.3 + 0.4 * draws


def test_the_grid_has_all_its_points():
    x = rows(2)
    points = grid(x, torch.tensor([1, 4]), 0.2, 3)
    assert points.shape == (9, 2, 6)
    due = [(a, b) for a in (-0.2, 0, 0.2) for b in (-0.2, 0, 0.2)]
    moved = points - x
    assert torch.allclose(moved[:, 0, [1, 4]], torch.tensor(due).double(), atol=1e-6)
    assert (moved[:, :, [0, 2, 3, 5]] == 0).all()


def test_no_point_is_farther_from_the_grid_than_the_covering_radius():
    spacing, axes = 0.5, torch.arange(3) * 0.5
    points = torch.cartesian_prod(axes, axes, axes)
    away = torch.rand(2000, 3, generator=torch.Generator().manual_seed(0))
    away = torch.cat([away, torch.full((1, 3), spacing / 2)])  # the middle of a cell
    for norm, order in (("l2", 2), ("linf", torch.inf)):
        nearest = torch.linalg.vector_norm(away[:, None] - points, order, dim=2).amin(1)
        assert nearest.max().item() == pytest.approx(covering_radius(spacing, 3, norm))


def test_what_it_proves_is_so_and_what_is_not_so_it_does_not_prove():
    box, slope = network()
    x, values, radius, points = rows(3000), torch.tensor([0, 3]), 0.25, 21
    lead = box.scores(x).topk(2).values.diff(dim=1).abs()[:, 0]
    x = x[lead.argsort()[:300]]  # near to where the class changes
    y = box.labels(x)
    margin = least_margin(box, y, x, values, radius, points)
    safe = proves_safe(margin, slope, 2 * radius / (points - 1), 2, "l2")
    draws = torch.rand(4000, 300, 2, generator=torch.Generator().manual_seed(2)).double()
    z = x.repeat(4000, 1, 1)
    z[:, :, values] += radius * (2 * draws - 1)
    broken = (box.labels(z) != y).any(0)
    assert 20 < int(safe.sum()) < 280
    assert int(broken.sum()) > 5
    assert not (safe & broken).any()


def test_a_grid_of_no_size_is_refused():
    for radius, points in ((0.1, 1), (0.0, 3)):
        with pytest.raises(UserError, match="two points"):
            grid(rows(1), torch.tensor([0]), radius, points)
