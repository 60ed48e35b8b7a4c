"""The keeper of the best against a plain loop over everything that was asked."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.ball import Ball
from pellucid.goals import misled, ordered_topk
from pellucid.spec import NO_ANSWER, OneClass, Spec, Vector
from pellucid.watch import Best

SPEC = Spec(input=Vector(shape=(2,), low=-4.0, high=4.0), answer=OneClass(size=3))


def keeper(n, ball, goal=None):
    x, closed = torch.zeros(n, 2), torch.zeros(n, dtype=torch.bool)
    y = torch.zeros(n, dtype=torch.long)
    return Best(x, goal or misled(y), ball, SPEC, closed), closed


ENTRY = st.tuples(
    st.integers(0, 2),  # row
    st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 5.0, math.nan]),  # place, with ties
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([0, 1, 2, -1, -2]),  # label
)


@pytest.mark.parametrize("norm", ["l2", "linf"])
@settings(max_examples=150, deadline=None)
@given(questions=st.lists(st.lists(ENTRY, min_size=1, max_size=8), min_size=1, max_size=4))
def test_the_first_nearest_success_is_kept(norm, questions):
    best, closed = keeper(3, Ball(norm))
    nearest = [(math.inf, None, 0)] * 3
    found, number = [], 0
    for entries in questions:
        before = [distance for distance, *_ in nearest]
        numbers = []
        for row, a, b, label in entries:
            number += 1
            numbers.append(number)
            distance = max(a, b) if norm == "linf" else math.hypot(a, b)
            if label > 0 and a <= 4.0 and distance < nearest[row][0] - 1e-6:
                nearest[row] = (distance, (a, b), number)
        asked = torch.tensor([entry[1:3] for entry in entries])
        who, labels = (torch.tensor([entry[i] for entry in entries]) for i in (0, 3))
        best(asked, labels, who, torch.tensor(numbers))
        found += [
            (row, nearest[row][2]) for row in range(3) if nearest[row][0] < before[row] - 1e-6
        ]
    for row in range(3):
        assert bool(best.success[row]) == (nearest[row][0] < math.inf)
        assert float(best.distance[row]) == pytest.approx(nearest[row][0])
        expected = nearest[row][1] or (0.0, 0.0)
        assert tuple(best.points[row].tolist()) == expected
    told = [
        pair for rows, at, _ in best.found for pair in zip(rows.tolist(), at.tolist(), strict=True)
    ]
    assert told == found
    assert not closed.any()


def test_in_a_ball_the_first_success_closes_the_row():
    best, closed = keeper(3, Ball("l2", 1.0))
    asked = torch.tensor([[1.0, 0.0], [1.01, 0.0], [0.5, 0.0]])
    best(asked, torch.tensor([1, 1, 0]), torch.arange(3), torch.ones(3).long())
    assert closed.tolist() == [True, False, False]
    assert best.success.tolist() == [True, False, False]


def test_scores_and_labels_serve_alike():
    best, _ = keeper(2, Ball("linf"))
    scores = torch.tensor([[-9.0, -0.1, -9.0], [math.nan, -0.1, -0.2]])
    best(torch.ones(2, 2), scores, torch.arange(2), torch.ones(2).long())
    assert best.success.tolist() == [True, False]


def test_labels_say_nothing_about_an_order():
    best, _ = keeper(1, Ball("l2"), ordered_topk(torch.tensor([[1, 0]])))
    who, one = torch.zeros(1).long(), torch.ones(1).long()
    best(torch.ones(1, 2), torch.tensor([1]), who, one)
    assert not best.success.any()
    best(torch.ones(1, 2), torch.tensor([[-1.0, -0.5, -2.0]]), who, one)
    assert best.success.all()


def test_no_answer_is_no_success():
    best, _ = keeper(1, Ball("l2"))
    best(torch.ones(1, 2), torch.tensor([NO_ANSWER]), torch.zeros(1).long(), torch.ones(1).long())
    assert not best.success.any()


def test_equal_probes_are_never_mixed():
    """Two writes to a row in one go may interleave; a mixture was never asked about."""
    d, rows, probes = 60_000, 4, 4
    spec = Spec(input=Vector(shape=(d,)), answer=OneClass(size=2))
    x, closed = torch.zeros(rows, d), torch.zeros(rows, dtype=torch.bool)
    signs = torch.tensor([1.0, -1.0, 1.0, -1.0]).repeat_interleave(rows)
    asked = signs[:, None].expand(rows * probes, d).contiguous()  # all at distance 1 in linf
    who = torch.arange(rows).repeat(probes)
    threads = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        for _ in range(25):
            best = Best(x, misled(torch.zeros(rows).long()), Ball("linf"), spec, closed)
            best(asked, torch.ones(rows * probes).long(), who, torch.arange(rows * probes))
            assert bool((best.points == 1).all())
    finally:
        torch.set_num_threads(threads)
