"""FAB, untargeted and targeted, where the nearest adversarial point is known."""

import pytest
import torch
from tests.attack.evade.nearest import bounded, linear, tiny

import pellucid
from pellucid.attack.evade.fab import FAB
from pellucid.attack.evade.fab_targeted import FABTargeted
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.goals import hit, misled, ordered_topk

BOTH = pytest.mark.parametrize("method", [FAB, FABTargeted])
NORMS = pytest.mark.parametrize("norm", ["l2", "linf"])


@BOTH
@NORMS
@pytest.mark.parametrize("subject", [linear, bounded])
def test_it_finds_the_exact_distance_of_a_linear_model(method, norm, subject):
    known = subject(norm)
    ratio = known.attacked(method(ball=Ball(norm))).distance(norm) / known.exact
    assert (ratio <= 1.001 if subject is linear else ratio <= 1.005).all()
    assert (ratio >= 1 - 1e-9).all()


@pytest.mark.slow
@NORMS
def test_of_a_curved_net_it_finds_nearly_what_a_grid_finds(norm):
    known = tiny(norm)
    ratio = known.attacked(FABTargeted(ball=Ball(norm))).distance(norm) / known.exact
    assert ratio.median() <= 1.02
    assert (ratio <= 1.1).double().mean() >= 0.8


def test_a_step_is_a_query_and_a_gradient_for_each_other_class():
    known = tiny("l2")
    found = known.attacked(FAB(steps=7))
    assert found.success.all()
    assert found.queries.tolist() == [7 + 1 + 3] * len(known.x)
    assert found.gradients.tolist() == [7 * 2] * len(known.x)
    assert found.calls == 7 + 1 + 3


def test_targeted_a_step_is_one_gradient_and_there_are_as_many_walks_as_targets():
    known = tiny("l2")
    found = known.attacked(FABTargeted(steps=7, search=0))
    assert found.queries.tolist() == [2 * (7 + 1)] * len(known.x)
    assert found.gradients.tolist() == [2 * 7] * len(known.x)
    one = known.attacked(FABTargeted(steps=7, search=0, targets=1))
    assert one.queries.tolist() == [7 + 1] * len(known.x)


@pytest.mark.slow
@BOTH
def test_a_goal_of_one_class_is_walked_to_alone(method):
    known = linear("l2")
    target = (known.y + 1) % 4
    found = known.attacked(method(), goal=hit(target))
    logits = known.box.scores(found.adversarial)
    assert found.success.all()
    assert torch.equal(logits.argmax(1), target)
    if method is FABTargeted:
        assert found.queries.max() == 100 + 1 + 3  # a row that stands still asks less
    joined = known.attacked(method(), goal=misled(known.y) & misled(target))
    assert (joined.distance("l2") >= known.exact * (1 - 1e-9)).all()
    assert joined.success.all()


def test_a_radius_ends_a_row_at_its_first_success():
    known = linear("l2")
    wide = known.attacked(FAB(ball=Ball("l2", 2 * float(known.exact.max()))))
    assert wide.success.all()
    assert wide.queries.tolist() == [2] * len(known.x)  # x, and over the plane
    narrow = known.attacked(FAB(ball=Ball("l2", 0.99 * float(known.exact.min()))))
    assert not narrow.success.any()


@BOTH
def test_a_row_without_a_slope_stops_asking(method):
    box = pellucid.open(
        torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Threshold(1e6, 0.0)),
        access="gradient",
        shape=(2,),
        emits="logits",
    )
    x = torch.zeros(3, 2)
    found = pellucid.run(method(), box, x, goal=misled(box.labels(x)), progress=False)
    assert found.queries.tolist() == [1] * 3


@BOTH
def test_an_order_of_classes_is_refused(method):
    known = linear("l2")
    order = torch.stack([(known.y + 1) % 4, known.y], 1)
    with pytest.raises(UserError, match="a goal that labels decide"):
        known.attacked(method(), goal=ordered_topk(order))
