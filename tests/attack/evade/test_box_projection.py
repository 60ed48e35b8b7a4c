"""The shortest step onto a plane within bounds, against linear and quadratic programmes."""

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from tests.attack.evade.nearest import DUAL, draws, shortest

from pellucid.attack.evade._box_projection import dot, step_onto_plane
from pellucid.ball import NORMS

ROWS, D = 30, 9


def problem(share=0.7):
    """Planes that can be reached, in both directions, with some weights zero and some tiny."""
    w = draws(ROWS, D, seed=1)
    w[:, 0] = 0
    w[:, 1] *= 1e-9
    low, high = -draws(ROWS, D, seed=2).abs(), draws(ROWS, D, seed=3).abs()
    low[:, 2] = 0  # on its bound already
    most = (w * torch.where(w > 0, high, low)).sum(1)
    least = (w * torch.where(w > 0, low, high)).sum(1)
    gap = share * torch.where(torch.arange(ROWS) % 2 == 0, most, least)
    return w, gap, low, high


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_it_reaches_the_plane_within_bounds_and_no_step_is_shorter(norm, share):
    w, gap, low, high = problem(share)
    step = step_onto_plane(norm, w, gap, low, high)
    assert ((step >= low) & (step <= high)).all()
    assert torch.allclose(dot(w, step), gap, rtol=1e-9, atol=1e-12)
    sign = gap.sign()
    least = shortest(norm, sign[:, None] * w, gap.abs(), low, high)
    assert torch.allclose(NORMS[norm].size(step), least, rtol=1e-6)


def test_in_linf_it_is_the_solution_of_the_linear_programme():
    w, gap, low, high = problem()
    step = step_onto_plane("linf", w, gap, low, high)
    for row in range(ROWS):
        # variables: the step and its size t; t - s >= 0 and t + s >= 0
        cost = np.r_[np.zeros(D), 1]
        eye, ones = np.eye(D), np.ones((D, 1))
        found = linprog(
            cost,
            A_ub=np.block([[eye, -ones], [-eye, -ones]]),
            b_ub=np.zeros(2 * D),
            A_eq=np.r_[w[row].numpy(), 0][None],
            b_eq=[float(gap[row])],
            bounds=[*zip(low[row].tolist(), high[row].tolist(), strict=True), (0, None)],
        )
        assert float(step[row].abs().max()) == pytest.approx(found.fun, rel=1e-6)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_without_bounds_it_is_the_closed_form(norm):
    w, gap, low, _ = problem()
    far = torch.full_like(low, torch.inf)
    step = step_onto_plane(norm, w, gap, -far, far)
    size = gap.abs() / torch.linalg.vector_norm(w, ord=DUAL[norm], dim=1)
    assert torch.allclose(NORMS[norm].size(step), size, rtol=1e-12)
    assert torch.allclose(dot(w, step), gap, rtol=1e-12)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_a_plane_out_of_reach_sends_all_that_help_to_their_bounds(norm):
    w, gap, low, high = problem(share=1.5)
    step = step_onto_plane(norm, w, gap, low, high)
    up = w * gap.sign()[:, None] > 0
    assert torch.equal(step, torch.where(w == 0, 0, torch.where(up, high, low)))


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_a_row_without_a_slope_takes_no_step_and_moves_no_other(norm):
    w, gap, low, high = problem()
    whole = step_onto_plane(norm, w, gap, low, high)
    w[3], gap[4] = 0, torch.nan
    step = step_onto_plane(norm, w, gap, low, high)
    assert (step[3] == 0).all()
    assert (step[4] == 0).all()
    others = [row for row in range(ROWS) if row not in (3, 4)]
    assert torch.equal(step[others], whole[others])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_a_row_has_the_same_bits_alone(norm, dtype):
    parts = [part.to(dtype) for part in problem()]
    whole = step_onto_plane(norm, *parts)
    for row in range(ROWS):
        alone = step_onto_plane(norm, *(part[row : row + 1] for part in parts))
        assert torch.equal(alone[0], whole[row])


def test_tiny_slopes_are_no_zeros():
    w, gap, low, high = (part.float() for part in problem())
    step = step_onto_plane("l2", 1e-30 * w, 1e-30 * gap, low, high)
    assert torch.allclose(step, step_onto_plane("l2", w, gap, low, high), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("d", [9, 49, 784, 3072])
def test_an_inner_product_s_bits_ignore_how_many_rows_there_are(d):
    a, b = draws(ROWS, d, seed=1).float(), draws(ROWS, d, seed=2).float()
    whole = dot(a, b)
    assert torch.allclose(whole.double(), (a.double() * b.double()).sum(1), atol=1e-3)
    for n in (1, 2, 5):
        for row in range(ROWS - n):
            assert torch.equal(
                dot(a[row : row + n].clone(), b[row : row + n].clone()), whole[row : row + n]
            )
