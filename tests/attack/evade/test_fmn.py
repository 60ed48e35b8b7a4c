"""FMN, where the nearest adversarial point is known."""

import pytest
import torch
from tests.attack.evade.nearest import bounded, linear, tiny
from tests.subjects import Formula, vector_box

import pellucid
from pellucid.attack.evade.fmn import FMN
from pellucid.ball import Ball

NORMS = pytest.mark.parametrize("norm", ["l2", "linf"])


@NORMS
@pytest.mark.parametrize("known", [linear, bounded])
def test_it_finds_the_exact_distance_of_a_linear_model(norm, known):
    known = known(norm)
    ratio = known.attacked(FMN(ball=Ball(norm))).distance(norm) / known.exact
    assert (ratio <= 1.002).all()
    assert (ratio >= 1 - 1e-9).all()


@NORMS
def test_of_a_curved_net_it_finds_nearly_what_a_grid_finds(norm):
    known = tiny(norm)
    ratio = known.attacked(FMN(ball=Ball(norm))).distance(norm) / known.exact
    assert ratio.median() <= 1.02
    assert (ratio <= 1.1).double().mean() >= 0.8


@NORMS
def test_it_crosses_a_boundary_whose_slope_always_promises_too_little(norm):
    """Where the margin is concave, Newton's steps come ever nearer and never arrive."""
    total, d = torch.tensor(1.0, dtype=torch.float64), 4
    box = vector_box(
        Formula(lambda x: torch.stack([0 * x[:, 0], (-total).exp() - (-x.sum(1)).exp()], 1)), d=d
    )
    x = 0.1 * torch.rand(5, d, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    exact = (total - x.sum(1)) / d ** (0.5 if norm == "l2" else 1)
    y = torch.zeros(5, dtype=torch.long)
    found = pellucid.run(FMN(ball=Ball(norm)), box, x, goal=pellucid.misled(y), progress=False)
    assert (found.distance(norm) <= 1.001 * exact).all()


def test_a_step_is_a_query_and_a_gradient():
    known = tiny("l2")
    found = known.attacked(FMN(steps=9))
    assert found.queries.tolist() == found.gradients.tolist() == [9] * len(known.x)
    assert found.calls == 9


def test_a_radius_ends_a_row_at_its_first_success():
    known = linear("l2")
    narrow = known.attacked(FMN(ball=Ball("l2", 0.99 * float(known.exact.min()))))
    assert not narrow.success.any()
    wide = known.attacked(FMN(ball=Ball("l2", 2 * float(known.exact.max()))))
    assert wide.success.all()
    assert (wide.queries < 20).all()
