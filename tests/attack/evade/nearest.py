"""Models whose nearest adversarial point is known: linear ones, and a tiny net seen on a grid."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

import pellucid

DUAL = {"l2": 2, "linf": 1}


@dataclass(frozen=True, eq=False, kw_only=True)
class Known:
    """A box, rows that it gets right, and how far each is from another class."""

    box: object
    x: Tensor
    y: Tensor
    exact: Tensor

    def attacked(self, method, **options):
        """What the runner makes of a method on these rows."""
        options = {"budget": None, "goal": pellucid.misled(self.y), "progress": False} | options
        return pellucid.run(method, self.box, self.x, **options)


def draws(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def linear(norm, classes=4, d=12, rows=20):
    """A linear model without bounds: the nearest of K - 1 planes."""
    model = nn.Linear(d, classes, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(draws(classes, d, seed=1))
        model.bias.copy_(0.3 * draws(classes, seed=2))
        x = 0.5 * draws(rows, d, seed=3)
        logits = model(x)
        y = logits.argmax(1)
        margins = logits.gather(1, y[:, None]) - logits
        apart = torch.linalg.vector_norm(
            model.weight[y][:, None] - model.weight, ord=DUAL[norm], dim=2
        )
        planes = (margins / apart).scatter(1, y[:, None], torch.inf)
    box = pellucid.open(model, access="gradient", shape=(d,), emits="logits")
    return Known(box=box, x=x, y=y, exact=planes.amin(1))


def shortest(norm, w, gap, low, high):
    """The least radius at which some step within bounds reaches a plane, by bisection."""
    least, most = torch.zeros_like(gap), torch.full_like(gap, 1e3)
    for _ in range(200):
        middle = (least + most) / 2
        enough = reach(norm, w, low, high, middle) >= gap
        least, most = torch.where(enough, least, middle), torch.where(enough, middle, most)
    return most


def reach(norm, w, low, high, radius):
    """How much a step within bounds and radius adds to w . x: exact in linf, by duality in l2."""
    if norm == "linf":
        cube = radius[:, None]
        return (w * torch.where(w > 0, high.minimum(cube), low.maximum(-cube))).sum(1)
    slow, fast = torch.zeros_like(radius), torch.full_like(radius, 1e6)
    for _ in range(200):  # the best step is the gradient, stretched and clipped
        middle = (slow + fast) / 2
        step = (middle[:, None] * w).maximum(low).minimum(high)
        inside = torch.linalg.vector_norm(step, dim=1) <= radius
        slow, fast = torch.where(inside, middle, slow), torch.where(inside, fast, middle)
    return (w * (slow[:, None] * w).maximum(low).minimum(high)).sum(1)


def bounded(norm, d=12, rows=20):
    """Two linear classes in the unit cube, with rows near its walls: some values hit a bound."""
    w, b = draws(d, seed=5), -0.2
    x = torch.rand(rows, d, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    x = torch.where(x < 0.5, x**3, 1 - (1 - x) ** 3)
    model = nn.Linear(d, 2, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.stack([0 * w, w]))
        model.bias.copy_(torch.tensor([0.0, b]))
    margin = x @ w + b
    y = (margin > 0).long()
    away = -margin.sign()[:, None] * w  # the direction in which the row's class loses
    possible = (away * torch.where(away > 0, 1 - x, -x)).sum(1) > 1.05 * margin.abs()
    x, y, away, margin = x[possible], y[possible], away[possible], margin[possible]
    exact = shortest(norm, away, margin.abs(), -x, 1 - x)
    box = pellucid.open(model, access="gradient", shape=(d,), bounds=(0.0, 1.0), emits="logits")
    return Known(box=box, x=x, y=y, exact=exact)


def tiny(norm, points=401):
    """A net of eight tanh units on the unit square; distances are those of a fine grid."""
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    with torch.no_grad():
        model[0].weight.copy_(2 * draws(8, 2, seed=7))
        model[0].bias.copy_(-model[0].weight @ torch.tensor([0.5, 0.5], dtype=torch.float64))
        model[2].weight.copy_(draws(3, 8, seed=8))
        model[2].bias.zero_()
        axis = torch.linspace(0, 1, points, dtype=torch.float64)
        grid = torch.cartesian_prod(axis, axis)
        said = model(grid).argmax(1)
        x = torch.rand(24, 2, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
        y = model(x).argmax(1)
    order = {"l2": 2, "linf": torch.inf}[norm]
    far = torch.linalg.vector_norm(x[:, None] - grid, ord=order, dim=2)
    exact = far.masked_fill(said == y[:, None], torch.inf).amin(1)
    clear = exact > 0.05  # where a cell of the grid is a small share of the way
    x, y, exact = x[clear], y[clear], exact[clear]
    box = pellucid.open(model, access="gradient", shape=(2,), bounds=(0.0, 1.0), emits="logits")
    return Known(box=box, x=x, y=y, exact=exact)
