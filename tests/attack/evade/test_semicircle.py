"""Semicircles by Thales and by the plane that they lie in."""

import math

import pytest
import torch

from pellucid.attack.evade._semicircle import Semicircle
from pellucid.ball import Ball

L2, ROWS = Ball("l2"), torch.arange(6)


def draws(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def dots(a, b):
    return (a * b).flatten(1).sum(1)


X, Z, NORMAL = (draws(6, 3, 4, 5, seed=seed) for seed in (1, 2, 3))


@pytest.mark.parametrize("angle", [0.1, 0.8, 1.5])
def test_a_point_sees_both_ends_at_a_right_angle_in_the_plane_of_the_normal(angle):
    arc = Semicircle.beside(X, Z, NORMAL)
    point = arc(torch.full((6,), angle, dtype=torch.float64), ROWS)
    assert torch.allclose(
        dots(point - X, point - Z), torch.zeros(6, dtype=torch.float64), atol=1e-9
    )
    assert torch.allclose(L2.distance(point, X), L2.distance(Z, X) * math.cos(angle))
    assert (dots(point - X, arc.aside) > 0).all()
    assert (dots(NORMAL, arc.aside) > 0).all()
    for row in range(6):
        plane = torch.stack([(Z - X)[row].flatten(), NORMAL[row].flatten()], 1)
        inside = plane @ torch.linalg.lstsq(plane, (point - X)[row].flatten()).solution
        assert torch.allclose(inside, (point - X)[row].flatten())


def test_its_ends_are_the_point_itself_and_the_input():
    x, z, normal = X.float(), Z.float(), NORMAL.float()
    arc = Semicircle.beside(x, z, normal)
    assert torch.equal(arc(torch.zeros(6), ROWS), z)
    assert torch.allclose(arc(torch.full((6,), math.pi / 2), ROWS), x, atol=1e-5)


def test_at_the_angle_of_a_flat_boundary_s_normal_it_is_the_foot_of_the_perpendicular():
    """Why the search cannot fail on a plane: the arc leaves the goal there and nowhere else."""
    across = draws(6, 60, seed=4).reshape(X.shape)
    across = across * dots(Z - X, across).sign()[:, None, None, None]
    normal = L2.steepest(across)  # the plane through z at a right angle to it; x is behind
    arc = Semicircle.beside(X, Z, normal)
    foot = X + dots(Z - X, normal)[:, None, None, None] * normal
    assert torch.allclose(arc(arc.angle, ROWS), foot)
    for share, sign in ((0.5, 1), (0.99, 1), (1.01, -1)):
        assert (dots(arc(share * arc.angle, ROWS) - Z, normal).sign() == sign).all()


@pytest.mark.parametrize("turn", [1.0, -1.0])
def test_a_direction_along_the_diameter_leaves_the_diameter(turn):
    arc = Semicircle.beside(X, Z, turn * (Z - X))
    point = arc(torch.full((6,), 0.7, dtype=torch.float64), ROWS)
    assert point.isfinite().all()
    assert (L2.distance(point, X) <= L2.distance(Z, X)).all()


def test_no_direction_and_no_diameter_give_finite_points():
    for arc in (Semicircle.beside(X, Z, 0 * X), Semicircle.beside(X, X, NORMAL)):
        point = arc(torch.full((6,), 0.7, dtype=torch.float64), ROWS)
        assert point.isfinite().all()
        assert (L2.distance(point, X) <= L2.distance(arc.z, X)).all()


@pytest.mark.parametrize("d", [25, 49, 729])
def test_a_row_s_bits_do_not_depend_on_its_company(d):
    x, z, normal = (draws(33, d, seed=seed, dtype=torch.float32) for seed in (1, 2, 3))
    angle = torch.linspace(0.1, 1.5, 33)
    whole = Semicircle.beside(x, z, normal)(angle, torch.arange(33))
    for row in range(33):
        one = Semicircle.beside(*(part[[row]].clone() for part in (x, z, normal)))
        assert torch.equal(one(angle[[row]], torch.zeros(1, dtype=torch.long))[0], whole[row])
