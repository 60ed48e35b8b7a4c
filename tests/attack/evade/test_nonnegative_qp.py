"""Quadratic programs over numbers that are not negative, against SciPy's NNLS and their own law."""

import pytest
import torch
from scipy.optimize import nnls
from tests.attack.evade.nearest import draws

from pellucid.attack.evade import _nonnegative_qp
from pellucid.attack.evade._nonnegative_qp import nonnegative_qp


def programs(n, m, d):
    """Least squares |G' v - b|^2 with m unknowns and d equations."""
    g, b = draws(n, m, d, seed=m), draws(n, d, seed=d)
    return g, b, g @ g.mT, -torch.einsum("nmd,nd->nm", g, b)


def cold(linear):
    return torch.zeros_like(linear, dtype=torch.bool)


@pytest.mark.parametrize(("m", "d"), [(1, 3), (9, 16), (40, 60)])
@pytest.mark.parametrize("patience", [3, 0])  # 0: Murty's rule alone
def test_it_solves_least_squares_as_scipy_does(m, d, patience, monkeypatch):
    monkeypatch.setattr(_nonnegative_qp, "PATIENCE", patience)
    g, b, quadratic, linear = programs(20, m, d)
    v, free = nonnegative_qp(quadratic, linear, cold(linear))
    due = torch.stack(
        [torch.from_numpy(nnls(a.T, c)[0]) for a, c in zip(g.numpy(), b, strict=True)]
    )
    assert torch.allclose(v, due, atol=1e-4)
    assert torch.equal(v > 1e-9, free & (v > 1e-9))
    again, same = nonnegative_qp(quadratic, linear, free)  # the answer is a guess that stands
    assert torch.equal(again, v)
    assert torch.equal(same, free)


def test_more_unknowns_than_equations_still_end_where_no_slope_is_left():
    _, _, quadratic, linear = programs(8, 30, 10)
    v, _ = nonnegative_qp(quadratic, linear, cold(linear))
    slope = torch.einsum("nij,nj->ni", quadratic, v) + linear
    assert (v >= -1e-9).all()
    assert (slope >= -1e-2).all()  # the ridge leaves so much
    assert ((v * slope).abs() <= 1e-2).all()


def test_an_unknown_without_a_quadratic_term_and_an_empty_batch_do_no_harm():
    quadratic, linear = torch.zeros(1, 2, 2).double(), torch.tensor([[1.0, -2.0]]).double()
    quadratic[0, 1, 1] = 4
    v, free = nonnegative_qp(quadratic, linear, cold(linear))
    assert v[0].tolist() == pytest.approx([0, 0.5], abs=1e-5)
    assert free.tolist() == [[False, True]]
    assert nonnegative_qp(quadratic[:0], linear[:0], free[:0])[0].shape == (0, 2)


def test_a_program_s_bits_are_its_own():
    _, _, quadratic, linear = programs(12, 9, 16)
    together = nonnegative_qp(quadratic, linear, cold(linear))[0]
    alone = [
        nonnegative_qp(q[None], c[None], cold(c[None]))[0]
        for q, c in zip(quadratic, linear, strict=True)
    ]
    assert torch.equal(together, torch.cat(alone))
