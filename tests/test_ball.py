"""Balls against brute force, closed forms, and in both precisions."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.rng import Streams

NORMS = ["l2", "linf"]
DTYPES = [torch.float32, torch.float64]
NUMBERS = st.floats(-100, 100, width=32)
POINT = st.lists(NUMBERS, min_size=3, max_size=3)


def size(norm, v):
    """The norm of one vector, by numpy."""
    return np.linalg.norm(np.asarray(v, dtype=np.float64), {"l2": 2, "linf": np.inf}[norm])


def streams(n, seed=0, dtype=torch.float32):
    return Streams(seed, [str(i) for i in range(n)], torch.zeros((), dtype=dtype))


@pytest.mark.parametrize("norm", NORMS)
def test_distance(norm):
    a, b = torch.tensor([[[3.0, 4.0]], [[0.0, 0.0]]]), torch.tensor([[[0.0, 0.0]], [[-2.0, 0.0]]])
    assert Ball(norm).distance(a, b).tolist() == {"l2": [5.0, 2.0], "linf": [4.0, 2.0]}[norm]


@pytest.mark.parametrize("norm", NORMS)
@settings(max_examples=25, deadline=None)
@given(x=POINT, z=POINT, radius=st.floats(0.1, 50))
def test_projection_is_the_nearest_point(norm, x, z, radius):
    """A constrained minimiser finds no point of the ball that is nearer (in l2)."""
    x, z = torch.tensor([x], dtype=torch.float64), torch.tensor([z], dtype=torch.float64)
    got = Ball(norm, radius).project(z, x)
    centre, target = x[0].numpy(), z[0].numpy()
    inside = {
        "l2": [{"type": "ineq", "fun": lambda p: radius**2 - ((p - centre) ** 2).sum()}],
        "linf": [
            {"type": "ineq", "fun": lambda p: radius - (p - centre)},
            {"type": "ineq", "fun": lambda p: radius + (p - centre)},
        ],
    }[norm]
    best = minimize(
        lambda p: ((p - target) ** 2).sum(),
        centre,
        jac=lambda p: 2 * (p - target),
        constraints=inside,
        method="SLSQP",
    )
    assert size(norm, (got - x)[0]) <= radius * (1 + 1e-9)
    assert size("l2", (got - z)[0]) <= math.sqrt(best.fun) + 1e-4 * (1 + radius)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("norm", NORMS)
def test_projection_is_idempotent_and_keeps_what_is_inside(norm, dtype):
    rng = streams(50, dtype=dtype)
    x, z = rng.normal(2, (7,))
    ball = Ball(norm, 0.8)
    once = ball.project(z, x)
    assert once.dtype == dtype
    torch.testing.assert_close(ball.project(once, x), once, rtol=0, atol=4 * torch.finfo(dtype).eps)
    near = x + 0.1 * (z - x) / ball.distance(z, x)[:, None]
    torch.testing.assert_close(ball.project(near, x), near)
    assert bool((ball.distance(once, x) <= ball.limit(x)).all())


@pytest.mark.parametrize("norm", NORMS)
def test_each_row_may_have_a_radius_of_its_own(norm):
    x, z = torch.zeros(3, 4), torch.ones(3, 4)
    radii = torch.tensor([0.0, 0.25, 9.0])
    got = Ball(norm).project(z, x, radii)
    expected = torch.minimum(radii, Ball(norm).distance(z, x))
    torch.testing.assert_close(Ball(norm).distance(got, x), expected)


def test_without_radius_nothing_is_projected_or_out_of_reach():
    x = torch.zeros(2, 3)
    z = torch.full((2, 3), 1e30)
    assert torch.equal(Ball("l2").project(z, x), z)
    assert Ball("l2").limit(x).tolist() == [math.inf, math.inf]
    with pytest.raises(UserError, match="radius"):
        Ball("l2").sample(streams(2), x)


@pytest.mark.parametrize("norm", NORMS)
@settings(max_examples=60, deadline=None)
@given(gradient=POINT, others=st.lists(POINT, min_size=5, max_size=20))
def test_steepest_climbs_fastest_of_all_unit_steps(norm, gradient, others):
    g = torch.tensor([gradient], dtype=torch.float64)
    step = Ball(norm).steepest(g)
    # the steepest ascent under a norm gains the dual norm of the gradient
    dual = {"l2": np.linalg.norm(gradient), "linf": np.abs(gradient).sum()}[norm]
    assert float((step * g).sum()) == pytest.approx(dual, rel=1e-12, abs=1e-300)
    assert size(norm, step[0]) <= 1 + 1e-12
    for other in others:
        if size(norm, other) > 0:
            assert np.dot(gradient, np.array(other) / size(norm, other)) <= dual * (1 + 1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("norm", NORMS)
def test_no_gradient_no_step(norm, dtype):
    step = Ball(norm).steepest(torch.zeros(2, 3, dtype=dtype))
    assert step.dtype == dtype
    assert not step.any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("tiny", [1e-38, 1e-30, 1e30])
def test_gradients_of_any_size_give_steps_of_size_one(tiny, dtype):
    gradient = tiny * torch.tensor([[3.0, -4.0]], dtype=dtype)
    step = Ball("l2").steepest(gradient)
    torch.testing.assert_close(step, torch.tensor([[0.6, -0.8]], dtype=dtype), atol=1e-6, rtol=0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("norm", NORMS)
def test_sample_is_uniform(norm, dtype):
    """The share within a fraction s of the radius is s^d; directions favour no side."""
    n, d, radius = 20_000, 3, 2.5
    x = torch.full((n, d), 7.0, dtype=dtype)
    points = Ball(norm, radius).sample(streams(n, dtype=dtype), x)
    assert points.dtype == dtype
    distance = Ball(norm).distance(points, x) / radius
    assert float(distance.max()) <= 1 + 1e-5
    for share in (0.3, 0.5, 0.7, 0.9):
        expected = share**d
        bound = 4 * math.sqrt(expected * (1 - expected) / n)
        assert abs(float((distance <= share).double().mean()) - expected) < bound
    # a uniform point's coordinates have variance r^2/(d+2) in l2 and r^2/3 in linf
    variance = {"l2": radius**2 / (d + 2), "linf": radius**2 / 3}[norm]
    moment = (points - x).double().T @ (points - x).double() / n
    torch.testing.assert_close(
        moment, variance * torch.eye(d, dtype=torch.float64), atol=0.05 * variance, rtol=0
    )
    assert float((points - x).double().mean(0).abs().max()) < 4 * math.sqrt(variance / n)


@pytest.mark.parametrize("norm", NORMS)
def test_both_precisions_sample_the_same_points(norm):
    single = Ball(norm, 0.5).sample(streams(9), torch.zeros(9, 20))
    double = Ball(norm, 0.5).sample(streams(9, dtype=torch.float64), torch.zeros(9, 20).double())
    torch.testing.assert_close(single.double(), double, atol=1e-6, rtol=0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("d", "scale"), [(1, 0.0), (3, 1.0), (784, 1.0), (784, 255.0), (9, 1e4)])
def test_limit_allows_rounding_and_no_more(norm, d, scale, dtype):
    x = scale * streams(200, dtype=dtype).uniform(1, (d,))[0]
    z = x + 10 * streams(200, seed=1, dtype=dtype).normal(1, (d,))[0]
    ball = Ball(norm, 0.03)
    limit = ball.limit(x)
    for point in (ball.project(z, x), ball.sample(streams(200, seed=2, dtype=dtype), x)):
        assert bool((ball.distance(point, x) <= limit).all())
    growth = {"l2": math.sqrt(d), "linf": 1.0}[norm]
    allowance = 8 * torch.finfo(dtype).eps * growth * max(scale, 0.03)
    assert bool((limit - 0.03 <= allowance + torch.finfo(dtype).eps).all())


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan])
def test_radius_must_be_positive(bad):
    with pytest.raises(UserError, match="radius"):
        Ball("l2", bad)


def test_unknown_norm_is_named():
    with pytest.raises((UserError, TypeError)):  # the type check of the tests may come first
        Ball("l1")
