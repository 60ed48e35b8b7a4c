"""Level set traversal where level sets are planes and spheres, and the end of the walk is known."""

import pytest
import torch
from tests.attack.evade.nearest import draws
from torch import nn

import pellucid
from pellucid.attack.evade.level_set_traversal import (
    LevelSetTraversal,
    across,
    climb,
    log_odds,
)
from pellucid.attack.sure import sure
from pellucid.rng import Streams

D = 8


class Round(nn.Module):
    """Two classes, the second as likely as a row is near the origin."""

    def forward(self, x):
        odds = 1 - 4 * x.square().sum(1)
        return torch.stack([-odds / 2, odds / 2], 1)


def plane():
    """Two linear classes, the second up the first axis."""
    model = nn.Linear(D, 2).double()
    with torch.no_grad():
        model.weight.zero_()
        model.weight[1, 0] = 3
        model.bias.zero_()
    return model


def opened(model, **options):
    return pellucid.open(model, access="gradient", shape=(D,), emits="logits", **options)


def walked(model, x, start, method, **options):
    goal = pellucid.hit(torch.ones(len(x), dtype=torch.long))
    return pellucid.run(
        method, opened(model), x, goal=goal, start=start, budget=None, progress=False, **options
    )


def test_beside_a_plane_it_ends_below_x():
    x, start = draws(6, D, seed=1), draws(6, D, seed=2)
    x[:, 0], start[:, 0] = -1, 0.5
    still = LevelSetTraversal(steps=400, eta=0.05, noise=0.0, safety=0.0)
    *_, end = still(opened(plane()), x=x, start=start, rng=Streams(0, ["a"] * 6, x))
    due = x.clone()
    due[:, 0] = 0.5
    assert torch.allclose(end, due, atol=1e-6)


@pytest.mark.slow
def test_it_goes_round_a_sphere_as_far_as_it_leads():
    x, start = draws(6, D, seed=1), draws(6, D, seed=2)
    x, start = x / x.norm(dim=1, keepdim=True), 0.3 * start / start.norm(dim=1, keepdim=True)
    odds = torch.sigmoid(torch.tensor(1 - 4 * 0.09, dtype=torch.float64))
    # steps along the tangent lead outwards, until the class is `tolerance` less probable
    farthest = ((1 - torch.logit(odds - 0.2)) / 4).sqrt()
    found = walked(Round(), x, start, LevelSetTraversal(noise=0.0, safety=0.0, tolerance=0.2))
    end = found.adversarial
    assert found.success.all()
    ball = end.norm(dim=1)
    assert (ball <= (0.5 + 1e-6)).all()  # where the goal is met at all
    *_, last = LevelSetTraversal(noise=0.0, safety=0.0)(
        opened(Round()), x=x, start=start, rng=Streams(0, ["a"] * 6, x)
    )
    assert (last.norm(dim=1) <= farthest + 1e-9).all()
    assert ((last - x).norm(dim=1) < (start - x).norm(dim=1)).all()
    straight = 1 - farthest  # no point of the level set is nearer to x
    assert ((last - x).norm(dim=1) >= straight - 1e-9).all()


@pytest.mark.slow
def test_a_goal_of_its_own_keeps_what_was_found_within_the_tolerance():
    x, start = draws(6, D, seed=1), 0.3 * draws(6, D, seed=2)
    x, start = x / x.norm(dim=1, keepdim=True), 0.3 * start / start.norm(dim=1, keepdim=True)
    box, ones = opened(Round()), torch.ones(6, dtype=torch.long)
    least = box.scores(start)[:, 1].exp() - 0.1
    method = LevelSetTraversal(tolerance=0.1, safety=0.01)
    found = pellucid.run(method, box, x, goal=sure(ones, least), start=start, budget=None)
    assert found.success.all()
    assert (box.scores(found.adversarial)[:, 1].exp() > least).all()
    assert (found.distance("l2") < (start - x).norm(dim=1)).all()


@pytest.mark.slow
def test_safety_buys_steps_that_a_walk_without_it_is_refused():
    x, start = draws(6, D, seed=1), draws(6, D, seed=2)
    x, start = x / x.norm(dim=1, keepdim=True), 0.3 * start / start.norm(dim=1, keepdim=True)
    bare = LevelSetTraversal(noise=0.0, safety=0.0, eta=0.2, tolerance=0.05)
    safe = LevelSetTraversal(noise=0.0, safety=0.01, eta=0.2, tolerance=0.05)
    bare, safe = walked(Round(), x, start, bare), walked(Round(), x, start, safe)
    assert (bare.queries < 402).all()  # it has stopped: the same trial would fail again
    assert (safe.queries > bare.queries).all()
    assert safe.queries.tolist() == [q + 1 for q in safe.gradients.tolist()]


def test_the_slope_is_what_autograd_says_and_lives_where_the_softmax_is_one():
    logits = draws(5, 4, seed=3)
    classes = torch.tensor([0, 1, 2, 3, 0])
    p = logits.softmax(1).gather(1, classes[:, None])[:, 0]
    assert torch.allclose(log_odds(logits, classes), torch.logit(p))
    loud = nn.Linear(D, 4)
    with torch.no_grad():
        loud.weight.mul_(500)
    z = torch.ones(1, D)
    said = loud(z).argmax(1)
    odds, up = climb(opened(loud), z, said)
    assert odds > 20
    assert up.abs().sum() > 1
    v = draws(1, D, seed=4).float()
    assert torch.allclose((across(v, up) * up).sum(), torch.zeros(()), atol=1e-3)
    assert torch.equal(across(v, 0 * up), v)


def test_sure_is_met_by_probability_alone():
    scores = torch.tensor([[0.7, 0.2, 0.1], [0.4, 0.3, 0.3], [0.4, 0.3, 0.3]]).log()
    goal = sure(torch.tensor([0, 0, 1]), torch.tensor([0.69, 0.41, 0.29]))
    assert goal(scores).tolist() == [True, False, True]
    assert goal[torch.tensor([0, 2])](scores[[0, 2]]).tolist() == [True, True]
    assert (~goal)(scores).tolist() == [False, True, False]
    assert goal.digest() != goal[torch.tensor([0, 2, 1])].digest()
    assert torch.allclose(goal.loss(scores + 7), scores.gather(1, goal.t[:, None])[:, 0])
    with pytest.raises(pellucid.UserError, match="needs scores"):
        goal(torch.tensor([0, 0, 1]))


@pytest.mark.parametrize(("t", "least"), [([0, 2], [0.5, 0.5]), ([0, 1], [0.5, 1.0])])
def test_a_goal_that_no_model_has_is_refused(t, least):
    spec = opened(plane()).spec
    with pytest.raises(pellucid.UserError, match=r"sure takes a probability|names class 2"):
        sure(torch.tensor(t), torch.tensor(least)).check(spec)
