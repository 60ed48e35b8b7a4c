"""Goals against truth tables, brute force and finite differences."""

import itertools
import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pellucid.errors import UserError
from pellucid.goals import hit, misled, ordered_topk
from pellucid.spec import INVALID, NO_ANSWER, LabelSet, OneClass, Spec, Values, Vector

CLASSES = 3
SPEC = Spec(input=Vector(shape=(2,)), answer=OneClass(size=CLASSES))
# each with the same truth written in Python about the class c that the model says
TABLE = [
    (misled(torch.tensor([1])), lambda c: c != 1),
    (hit(torch.tensor([2])), lambda c: c == 2),
    (~misled(torch.tensor([1])), lambda c: c == 1),
    (misled(torch.tensor([1])) & misled(torch.tensor([2])), lambda c: c != 1 and c != 2),
    (hit(torch.tensor([0])) | hit(torch.tensor([2])), lambda c: c in (0, 2)),
    (~(hit(torch.tensor([0])) | hit(torch.tensor([2]))), lambda c: c == 1),
    (hit(torch.tensor([0])) & ~hit(torch.tensor([0])), lambda _c: False),
    (hit(torch.tensor([0])) | ~hit(torch.tensor([0])), lambda _c: True),
]
ORDER = ordered_topk(torch.tensor([[2, 0]]))
GOALS = [goal for goal, _ in TABLE] + [ORDER, ~ORDER, ORDER & misled(torch.tensor([1]))]
LOGITS = st.lists(st.floats(-20, 20, width=32), min_size=CLASSES, max_size=CLASSES)


@pytest.mark.parametrize(("goal", "truth"), TABLE)
def test_truth_on_labels_and_scores(goal, truth):
    for c in range(CLASSES):
        scores = torch.full((1, CLASSES), -5.0)
        scores[0, c] = -0.1
        assert goal(torch.tensor([c])).tolist() == [truth(c)]
        assert goal(scores).tolist() == [truth(c)]
        assert goal(scores.expand(4, 2, 1, CLASSES)).tolist() == [[[truth(c)]] * 2] * 4


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_unusable_scores_meet_nothing(goal, bad):
    for place in range(CLASSES):
        scores = torch.tensor([[-1.0, -2.0, -0.5]])
        scores[0, place] = bad
        assert goal(scores).tolist() == [False]
        assert (~goal)(scores).tolist() == [False]


@pytest.mark.parametrize(("goal", "_truth"), TABLE)
@pytest.mark.parametrize("bad", [NO_ANSWER, INVALID])
def test_missing_labels_meet_nothing(goal, _truth, bad):
    assert goal(torch.tensor([bad])).tolist() == [False]
    assert (~goal)(torch.tensor([bad])).tolist() == [False]


@pytest.mark.parametrize("goal", GOALS)
@settings(max_examples=100, deadline=None)
@given(logits=LOGITS)
def test_margin_is_positive_exactly_where_met(goal, logits):
    assume(min(abs(a - b) for a, b in itertools.combinations(logits, 2)) > 1e-3)
    outputs = torch.tensor([logits], dtype=torch.float64)
    for scores in (outputs, outputs.log_softmax(-1)):
        assert (float(goal.margin(scores)) > 0) == bool(goal(scores))


@pytest.mark.parametrize("goal", GOALS)
def test_margin_and_loss_are_differentiable(goal):
    logits = torch.tensor([[0.3, -0.7, 1.1]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(goal.margin, logits)
    assert torch.autograd.gradcheck(goal.loss, logits)


@pytest.mark.parametrize("goal", [g for g in GOALS if g.needs_scores] + GOALS[:6])
def test_following_the_loss_meets_the_goal(goal):
    logits = torch.tensor([[0.3, 0.7, -1.1]], dtype=torch.float64)
    for _ in range(200):
        logits = logits.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(goal.loss(logits).sum(), logits)
        logits = logits + 0.1 * gradient
    assert bool(goal(logits))


@settings(max_examples=100, deadline=None)
@given(
    logits=st.lists(st.integers(-5, 5), min_size=4, max_size=4),
    order=st.permutations(range(4)),
    k=st.integers(1, 4),
)
def test_ordered_topk_is_what_sorting_says(logits, order, k):
    """Ties in or at the edge of the top are no order."""
    target = order[:k]
    ranked = sorted(range(4), key=lambda c: -logits[c])
    strict = all(logits[a] > logits[b] for a, b in itertools.pairwise(ranked[: k + 1]))
    met = ordered_topk(torch.tensor([target]))(torch.tensor([logits]).float())
    assert met.tolist() == [strict and ranked[:k] == list(target)]


def test_ordered_topk_of_one_class_is_hit():
    scores = torch.tensor([[1.0, 2.0, 0.5], [3.0, 2.0, 0.5]])
    t = torch.tensor([1, 1])
    one, same = ordered_topk(t[:, None]), hit(t)
    assert torch.equal(one(scores), same(scores))
    assert torch.equal(one.margin(scores), same.margin(scores))
    torch.testing.assert_close(one.loss(scores), same.loss(scores))


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_plackett_luce_loss_by_enumeration(k):
    """The chance of an order's beginning is the sum over the whole orders that begin so."""
    logits = torch.tensor([[0.3, -1.2, 0.9, 0.1]], dtype=torch.float64)
    weights = logits[0].exp().tolist()

    def chance(order):
        left, product = sum(weights), 1.0
        for c in order:
            product, left = product * weights[c] / left, left - weights[c]
        return product

    for begin in itertools.permutations(range(4), k):
        total = sum(chance(o) for o in itertools.permutations(range(4)) if o[:k] == begin)
        loss = ordered_topk(torch.tensor([begin])).loss(logits)
        assert float(loss) == pytest.approx(math.log(total), rel=1e-9)


def test_losses_are_cross_entropies():
    logits = torch.tensor([[0.3, -1.2, 0.9]])
    y = torch.tensor([2])
    expected = torch.nn.functional.cross_entropy(logits, y, reduction="none")
    torch.testing.assert_close(misled(y).loss(logits), expected)
    torch.testing.assert_close(hit(y).loss(logits), -expected)


def test_goals_are_indexed_by_row():
    y, t = torch.tensor([0, 1, 2]), torch.tensor([[0, 1], [1, 2], [2, 0]])
    goal = (misled(y) & ~hit(y)) | ordered_topk(t)
    scores = torch.tensor([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    every = goal(scores)
    assert len(goal) == 3
    assert every.tolist() == [True, True, False]
    index = torch.tensor([2, 0])
    for rows in (index, torch.tensor([True, False, True])):
        assert torch.equal(goal[rows](scores[rows]), every[rows])
        assert torch.equal(goal[rows].margin(scores[rows]), goal.margin(scores)[rows])
        assert len(goal[rows]) == 2


def test_needs_scores_spreads():
    y = misled(torch.tensor([0]))
    assert not (y & ~y).needs_scores
    assert (y & ~ORDER).needs_scores
    assert (ORDER | y).needs_scores


@pytest.mark.parametrize(
    "goal",
    [
        misled(torch.tensor([0, 3])),
        hit(torch.tensor([-1, 0])),
        ~hit(torch.tensor([0, 7])),
        misled(torch.tensor([0, 1])) & hit(torch.tensor([0, 3])),
        ordered_topk(torch.tensor([[0, 1], [1, 3]])),
    ],
)
def test_labels_out_of_range_are_named(goal):
    with pytest.raises(UserError, match=r"names class (3|-1|7) in row [01]"):
        goal.check(SPEC)


def test_an_order_names_no_class_twice():
    with pytest.raises(UserError, match="twice"):
        ordered_topk(torch.tensor([[0, 1], [2, 2]])).check(SPEC)


@pytest.mark.parametrize("answer", [Values(size=3), LabelSet(size=3)])
def test_goals_about_classes_do_not_fit_other_answers(answer):
    spec = Spec(input=SPEC.input, answer=answer)
    for goal in (misled(torch.tensor([0])), ~hit(torch.tensor([0])), ORDER):
        with pytest.raises(UserError, match=type(answer).__name__):
            goal.check(spec)


def test_fitting_goals_pass():
    for goal in GOALS:
        goal.check(SPEC)


def test_goals_of_other_lengths_do_not_join():
    with pytest.raises(UserError, match=r"one has 2 and the other 1"):
        misled(torch.tensor([0, 1])) & hit(torch.tensor([0]))


def test_digest_tells_goals_apart():
    a, b = torch.tensor([0, 1]), torch.tensor([1, 0])
    goals = [misled(a), misled(b), hit(a), ~hit(a), misled(a) & hit(b), misled(b) & hit(a)]
    goals += [misled(a) | hit(b), ordered_topk(torch.stack([a, b], 1))]
    assert len({goal.digest() for goal in goals}) == len(goals)
    assert (misled(a) & hit(b)).digest() == (misled(a.clone()) & hit(b.clone())).digest()
