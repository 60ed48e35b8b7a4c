"""Robustness curves: exact on a linear model, thinned without losing a row, honest intervals."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.subjects import Formula, Wander, vector_box

import pellucid
from pellucid.attack.evade.fab import FAB
from pellucid.attack.evade.pgd import PGD
from pellucid.audit.curves import by_epsilon, by_queries, fall_distances, fall_queries, soonest
from pellucid.ball import Ball
from pellucid.statistics import clopper_pearson

W = torch.tensor([3.0, 4.0])  # norm 5, so a margin of m lies m / 5 away
MARGINS = torch.tensor([0.5, 1.0, 1.5, 2.5, 4.0, -1.0])  # the last row is wrong from the start
Y = torch.ones(6, dtype=torch.long)


def linear():
    logits = Formula(lambda x: torch.stack([-(x @ W) / 2, (x @ W) / 2], -1))
    return vector_box(logits)


def rows():
    return MARGINS[:, None] * W / 25


def column(lines, name):
    return [line[name] for line in lines]


def test_the_curve_of_a_linear_model_steps_where_its_margins_say():
    run = pellucid.run(FAB(ball=Ball("l2")), linear(), rows(), goal=pellucid.misled(Y), seed=0)
    falls = fall_distances(run, Ball("l2"))
    expected = torch.cat([MARGINS[:-1] / 5, torch.zeros(1)])
    np.testing.assert_allclose(falls, expected, rtol=2e-3)
    curve = by_epsilon(falls)
    assert column(curve, "epsilon") == [0.0, *sorted(falls[:-1])]
    assert column(curve, "accuracy") == pytest.approx([5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0])
    low, high = clopper_pearson([5, 4, 3, 2, 1, 0], 6)
    assert column(curve, "low") == pytest.approx(low)
    assert column(curve, "high") == pytest.approx(high)


def test_a_row_at_the_edge_of_its_ball_falls_at_the_radius_and_not_a_rounding_later():
    ball = Ball("linf", 0.1)  # moves a margin by 0.7, so two rows fall
    x = torch.tensor([[0.02, 0.11], [-0.4, 0.4], [3.0, 0.3], [1.0, 1.0], [9.0, 9.0], [-1.0, 0.0]])
    run = pellucid.run(
        PGD(ball=ball, steps=3, step=1.0), linear(), x, goal=pellucid.misled(Y), seed=0
    )
    falls = fall_distances(run, ball)
    assert float(run.distance("linf")[0]) > 0.1  # by a rounding
    np.testing.assert_allclose(falls, [0.1, 0.1, np.inf, np.inf, np.inf, 0.0])
    last = by_epsilon(falls, at=[0.1])[-1]
    assert (last["epsilon"], last["accuracy"]) == (0.1, 3 / 6)


def test_questions_are_counted_as_a_slow_loop_counts_them():
    x = rows() / 4
    run = pellucid.run(
        Wander(steps=20, width=0.2), linear(), x, goal=pellucid.misled(Y), budget=50, seed=3
    )
    for radius in (0.05, 0.1, 0.3, None):
        slow = [0.0 if wrong else np.inf for wrong in MARGINS < 0]
        for row, query, distance in zip(
            run.found_row.tolist(),
            run.found_query.tolist(),
            run.found_distance.tolist(),
            strict=True,
        ):
            if radius is None or distance <= radius:
                slow[row] = min(slow[row], query or int(run.queries[row]))
        falls = fall_queries(run, Ball("l2", radius))
        assert falls.tolist() == slow
        for line in by_queries(falls, radius):
            assert line["epsilon"] == radius
            assert line["accuracy"] == sum(fall > line["queries"] for fall in slow) / 6
    assert np.isfinite(falls).sum() > 2  # the attack found something to count


def test_what_only_the_judge_saw_cost_all_the_questions_of_its_row():
    ball = Ball("linf", 0.5)  # the only iterate of one step is never asked about
    run = pellucid.run(
        PGD(ball=ball, steps=1, step=1.0), linear(), rows(), goal=pellucid.misled(Y), seed=0
    )
    assert bool((run.found_query == 0).all())
    expected = torch.where(run.success, run.queries.double(), torch.inf)
    assert fall_queries(run, ball).tolist() == expected.tolist()
    assert int(run.queries[0]) == 1


def test_a_row_whose_answer_is_not_finite_falls_at_once():
    broken = vector_box(Formula(lambda x: x / (x[:, :1] != 7)))
    x = torch.tensor([[7.0, 0.0], [0.0, 1.0]])
    run = pellucid.run(Wander(), broken, x, goal=pellucid.misled(Y[:2]), seed=0)
    assert fall_distances(run, Ball("l2"))[0] == 0
    assert fall_queries(run, Ball("l2"))[0] == 0


def test_attacks_and_radii_are_put_together_row_by_row():
    first = np.arange(4), np.array([0.3, np.inf, 0.1, np.inf])
    survivors = np.array([1, 3]), np.array([0.7, np.inf])
    again = np.array([0, 1]), np.array([0.2, 0.9])
    assert soonest(5, first, survivors, again).tolist() == [0.2, 0.7, 0.1, np.inf, np.inf]


@given(
    st.lists(st.sampled_from([0.0, np.inf, *np.arange(1, 400) / 7]), min_size=1, max_size=500),
    st.integers(6, 60),
)
def test_a_thinned_curve_is_exact_at_its_points_and_near_between_them(falls, points):
    falls, radii = np.array(falls), [1.0, 2.5]
    curve = by_epsilon(falls, at=radii, points=points)
    epsilons, told = np.array(column(curve, "epsilon")), np.array(column(curve, "accuracy"))
    assert len(curve) <= points
    assert {0.0, *radii} <= set(epsilons)
    every = np.union1d(falls[np.isfinite(falls)], epsilons)
    exact = (falls > every[:, None]).mean(1)
    shown = told[np.searchsorted(epsilons, every, side="right") - 1]
    at_points = np.isin(every, epsilons)
    np.testing.assert_allclose(shown[at_points], exact[at_points])
    off = (shown - exact) * len(falls)
    assert off.min() > -1e-9
    assert off.max() < (len(falls) - 1) // (points - len(radii) - 2) + 1e-9


def test_two_hundred_points_move_no_step_of_two_hundred_rows_by_more_than_one():
    falls = np.random.default_rng(0).random(200)
    curve = by_epsilon(falls, at=[0.1, 0.2, 0.3, 0.4])
    epsilons, told = np.array(column(curve, "epsilon")), np.array(column(curve, "accuracy"))
    shown = told[np.searchsorted(epsilons, falls, side="right") - 1]
    assert len(curve) <= 200
    assert ((shown - (falls > falls[:, None]).mean(1)) * 200).max() < 1 + 1e-9


def test_questions_are_thinned_evenly_on_a_logarithmic_axis():
    falls = np.arange(1.0, 2001.0)
    curve = by_queries(falls, 0.1, points=12)
    queries = np.array(column(curve, "queries"))
    assert queries[0] == 0
    assert queries[-1] == 2000
    assert len(queries) == 12
    ratios = queries[5:] / queries[4:-1]
    assert ratios.max() / ratios.min() < 1.1
    assert column(curve, "accuracy") == ((2000 - queries) / 2000).tolist()


@pytest.mark.parametrize("right", [0, 1, 10])
def test_without_any_success_a_curve_is_a_point(right):
    falls = np.array([np.inf] * right + [0.0] * (10 - right))
    (line,) = by_epsilon(falls)
    assert (line["epsilon"], line["accuracy"]) == (0.0, right / 10)
    assert by_queries(falls, 0.3) == [
        {"epsilon": 0.3, "queries": 0.0} | {k: line[k] for k in ("accuracy", "low", "high")}
    ]
