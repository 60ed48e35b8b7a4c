"""Targeted APGD on linear models of many classes, where what reaches each class is known."""

import pytest
import torch
from tests.attack.evade.planes import DUAL, affine, draws

import pellucid
from pellucid.attack.evade.apgd_targeted import APGDTargeted
from pellucid.ball import Ball
from pellucid.box.torch_box import TorchBox
from pellucid.errors import UserError
from pellucid.goals import hit, misled, ordered_topk
from pellucid.models.integer_net import IntegerNet
from pellucid.rng import ids_of
from pellucid.spec import OneClass, Spec, Vector

CLASSES = 6


def linear(rows=20, d=5, classes=CLASSES):
    """A box, rows, and the classes that it gives them."""
    weights, biases, x = draws(classes, d, seed=1), draws(classes, seed=2), draws(rows, d, seed=3)
    return weights, affine(weights, biases), x, (x @ weights.T + biases).argmax(1)


def distances(weights, box, x, y, norm):
    """How far each row is from the plane between its class and each other (rows, classes)."""
    scores = box.scores(x)
    gap = scores.gather(1, y[:, None]) - scores
    far = gap / torch.linalg.vector_norm(weights[y][:, None] - weights, DUAL[norm], dim=-1)
    return far.nan_to_num(torch.inf)  # of a row's own class


def a_radius_between(far):
    """A radius that about half of the rows are within, and none is nearly at."""
    sorted_ = far.sort().values
    middle = sorted_[len(far) // 4 :][: len(far) // 2]
    widest = int((middle[1:] / middle[:-1]).argmax())
    assert middle[widest + 1] > 1.02 * middle[widest]
    return float(middle[widest : widest + 2].mean())


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_row_succeeds_just_where_the_nearest_class_is_within_the_radius(norm):
    weights, box, x, y = linear()
    nearest = distances(weights, box, x, y, norm).amin(1)
    radius = a_radius_between(nearest)
    method = APGDTargeted(ball=Ball(norm, radius), steps=40)
    found = pellucid.run(method, box, x, goal=misled(y))
    assert torch.equal(found.success, nearest < radius)


def test_a_class_out_of_reach_is_followed_by_the_next_likeliest():
    # the first class leads; the second is near in logits but out of reach, the third in reach
    weights = torch.tensor([[0.0, 0.0], [0.1, 0.0], [0.0, 9.0], [0.0, 0.0]], dtype=torch.float64)
    box = affine(weights, torch.tensor([0.0, -0.5, -3.0, -9.0]))
    x, y = torch.zeros(3, 2, dtype=torch.float64), torch.zeros(3, dtype=torch.long)
    for targets in (1, 2):
        method = APGDTargeted(ball=Ball("linf", 0.4), targets=targets, steps=10, random=False)
        found = pellucid.run(method, box, x, goal=misled(y))
        assert found.success.tolist() == [targets == 2] * 3
        # the clean row, ten steps towards the second class, the end of that climb
        cost = {1: 1 + 10, 2: 1 + 10 + 1 + 2}[targets]  # then a step onto the third, and a look
        assert found.queries.tolist() == [cost] * 3


@pytest.mark.parametrize(("targets", "aims"), [(2, 2), (9, CLASSES - 1)])
def test_each_class_costs_a_query_more_than_it_has_steps(targets, aims):
    _, box, x, y = linear()
    box.rows = 0
    method = APGDTargeted(ball=Ball("linf", 1e-6), targets=targets, steps=7)
    found = pellucid.run(method, box, x, goal=misled(y))
    assert found.queries.tolist() == [aims * (7 + 1)] * len(x)
    assert found.gradients.tolist() == [aims * 7] * len(x)
    assert found.judged.tolist() == [2] * len(x)  # the clean row, and the last iterate
    assert box.rows == (aims * 8 + 2) * len(x)


def test_a_goal_of_one_class_is_the_only_aim():
    weights, box, x, y = linear(classes=2)
    far = distances(weights, box, x, y, "l2").amin(1)
    radius = a_radius_between(far)
    method = APGDTargeted(ball=Ball("l2", radius), steps=30)
    found = pellucid.run(method, box, x, goal=hit(1 - y))
    assert torch.equal(found.success, far < radius)
    assert (found.queries[~found.success] == 1 + 30).all()


def test_rows_with_many_aims_and_with_few_do_not_disturb_each_other():
    spec = Spec(input=Vector(shape=(6,), low=0.0, high=1.0), answer=OneClass(size=5))
    box = TorchBox(module=IntegerNet((6,), classes=5, seed=3), spec=spec, pad=1)
    x = torch.rand(12, 6, generator=torch.Generator().manual_seed(0))
    y, odd = box.labels(x), torch.arange(12) % 2
    # the rows with odd numbers may not end in the next class, nor in the one after
    goal = misled(y) & misled((y + odd) % 5) & misled((y + 2 * odd) % 5)
    method = APGDTargeted(ball=Ball("linf", 0.06), steps=6)

    def facts(rows):
        found = pellucid.run(method, box, x[rows], goal=goal[rows], progress=False)
        books = (found.success, found.queries, found.gradients)
        return list(zip(*(book.tolist() for book in books), ids_of(found.adversarial), strict=True))

    together = facts(torch.arange(12))
    costs = {queries for won, queries, *_ in together if not won}
    assert costs == {4 * 7, 2 * 7}
    assert together == [fact for row in range(12) for fact in facts(torch.tensor([row]))]


def test_rows_that_are_won_or_broke_are_asked_no_more():
    weights, box, x, y = linear()
    far = distances(weights, box, x, y, "linf")
    radius = float(far.amin(1).median())
    method = APGDTargeted(ball=Ball("linf", radius), steps=5)
    for budget in (None, 8, 13):
        box.rows = 0
        found = pellucid.run(method, box, x, goal=misled(y), budget=budget)
        assert 0 < int(found.success.sum()) < len(x)
        assert int(found.queries.max()) <= (budget or 5 * 6)
        assert box.rows == int(found.queries.sum() + found.judged.sum())


def test_an_order_is_no_aim():
    _, box, x, y = linear()
    goal = ordered_topk(torch.stack([(y + 1) % CLASSES, y], 1))
    with pytest.raises(UserError, match="a goal that labels decide"):
        pellucid.run(APGDTargeted(), box, x, goal=goal)


def test_a_ball_without_radius_is_refused():
    with pytest.raises(UserError, match="give the ball a radius"):
        APGDTargeted(ball=Ball("l2"))
