"""A Bayesian surrogate on linear networks, whose gradients and the edge they lead to are known."""

from collections import deque

import pytest
import torch
from tests.attack.evade.planes import affine, draws

import pellucid
from pellucid.attack.evade.bayesian_surrogate import BayesianSurrogate
from pellucid.attack.evade.ensemble_mi_fgsm import EnsembleMIFGSM
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.rng import Streams, ids_of

L2 = Ball("l2", 1.0)
D, CLASSES, SAMPLES = 12, 3, 4


def samples():
    return [affine(draws(CLASSES, D, seed=10 + i), draws(CLASSES, seed=20 + i)) for i in range(4)]


def climb(method, boxes, x, y):
    rng = Streams(0, ids_of(x), x)
    call = method(box=boxes[0], goal=pellucid.misled(y), x=x, surrogates=boxes, rng=rng)
    return list(call)


def slopes(boxes, z, y):
    """Of the cross-entropy of the mean logits of linear networks, in closed form."""
    weights = torch.stack([box.module.weight.detach() for box in boxes]).mean(0)
    biases = torch.stack([box.module.bias.detach() for box in boxes]).mean(0)
    p = (z @ weights.T + biases).softmax(1)
    return (p - torch.eye(CLASSES, dtype=z.dtype)[y]) @ weights


@pytest.mark.parametrize(("together", "each"), [(1, 1), (2, 2), (None, 4), (9, 4)])
def test_each_step_follows_the_samples_whose_turn_it_is(together, each):
    boxes, x, y = samples(), draws(5, D, seed=1), torch.arange(5) % CLASSES
    method = BayesianSurrogate(ball=L2, steps=9, step=0.05, together=together)
    turns = list(method.turns(SAMPLES))
    assert [len(turn) for turn in turns] == [each] * 9
    z = x
    for turn, iterate in zip(turns, climb(method, boxes, x, y), strict=True):
        gradient = slopes([boxes[i] for i in turn], z, y)
        due = z + 0.05 * gradient / gradient.norm(dim=1, keepdim=True)
        torch.testing.assert_close(iterate, due, rtol=0, atol=1e-12)
        z = iterate


def test_samples_take_turns_in_an_order_that_the_seed_decides():
    first = [turn[0] for turn in BayesianSurrogate(steps=2 * SAMPLES).turns(SAMPLES)]
    assert sorted(first[:SAMPLES]) == [0, 1, 2, 3]
    assert first[:SAMPLES] == first[SAMPLES:]
    orders = {
        tuple(turn[0] for turn in BayesianSurrogate(steps=4, shuffle=seed).turns(SAMPLES))
        for seed in range(20)
    }
    assert len(orders) > 5


def test_all_samples_at_once_are_an_ensemble():
    boxes, x, y = samples(), draws(5, D, seed=1), torch.arange(5) % CLASSES
    fields = {"ball": L2, "steps": 6, "step": 0.3, "decay": 0.9}
    ours = climb(BayesianSurrogate(together=None, **fields), boxes, x, y)
    theirs = climb(EnsembleMIFGSM(**fields), boxes, x, y)
    torch.testing.assert_close(ours[-1], theirs[-1], rtol=0, atol=1e-12)
    assert (L2.distance(ours[-1], x) <= 1 + 1e-12).all()


def test_the_model_is_asked_by_the_judge_alone_and_a_step_costs_one_sample():
    boxes, x = samples(), draws(6, D, seed=2)
    target = affine(draws(CLASSES, D, seed=10) + 0.1 * draws(CLASSES, D, seed=30), draws(CLASSES))
    y = target.labels(x)
    method = BayesianSurrogate(ball=Ball("l2", 3.0), steps=8)
    found = pellucid.run(method, target, x, goal=pellucid.misled(y), surrogates=boxes)
    assert found.queries.tolist() == found.gradients.tolist() == [0] * 6
    assert found.judged.tolist() == [2] * 6
    assert found.surrogate_queries.tolist() == [[2] * 6] * SAMPLES
    assert found.surrogate_gradients.tolist() == [[2] * 6] * SAMPLES


def test_where_all_samples_are_the_model_it_finds_the_nearest_plane():
    w, x = draws(D, seed=3), draws(8, D, seed=4)
    box = affine(torch.stack([0 * w, w]), torch.tensor([0.0, 0.2], dtype=torch.float64))
    y, distance = box.labels(x), (x @ w + 0.2).abs() / w.norm()
    radius = 0.9  # some rows are nearer to the plane, and some farther
    method = BayesianSurrogate(ball=Ball("l2", radius), steps=12)
    goal = pellucid.misled(y)
    last = deque(climb(method, [box, box], x, y), maxlen=1).pop()
    assert torch.equal(goal(box.labels(last)), distance < radius)


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"ball": Ball("l2")}, "give it a radius"), ({"together": 0}, "a sample or more")],
)
def test_what_cannot_be_climbed_is_refused(fields, said):
    with pytest.raises(UserError, match=said):
        BayesianSurrogate(**fields)
