"""Deletion and insertion: closed forms, brute force, and the model that looks at one pixel."""

import pytest
import torch
from tests.explain.perturb.games import columns, image_box, value_box
from tests.subjects import Counting, Formula, vector_box

from pellucid.box.torch_box import TorchBox
from pellucid.errors import UserError
from pellucid.explain import label, labels
from pellucid.explain.evaluate import Deletion, Insertion, evaluate
from pellucid.explain.evaluate._removing import removed
from pellucid.methods import from_json, to_json, with_fields
from pellucid.spec import Image, OneClass, Spec, Vector

BOTH = [Deletion, Insertion]
WEIGHTS = torch.tensor([3.0, -1.0, 2.0, 0.5]).double()


def linear(z):
    return z.to(WEIGHTS) @ WEIGHTS


@pytest.mark.parametrize(
    ("metric", "curve"),
    [  # what is left of 3, 2, 0.5 and -1 while they go in that order, and while they come
        (Deletion(), [4.5, 1.5, -0.5, -1.0, 0.0]),
        (Insertion(), [0.0, 3.0, 5.0, 5.5, 4.5]),
    ],
)
def test_a_linear_model_has_the_curve_of_its_partial_sums(metric, curve):
    x = torch.ones(1, 4).double()
    found = evaluate(metric, value_box(linear, 4), x, columns(1), WEIGHTS * x)
    torch.testing.assert_close(found.curve, torch.tensor([curve]).double())
    area = (sum(curve) - (curve[0] + curve[-1]) / 2) / 4
    torch.testing.assert_close(found.score, torch.tensor([area]).double())
    assert metric.shares(value_box(linear, 4).spec) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_no_order_deletes_a_linear_model_faster_than_its_own():
    x = torch.randn(20, 12, generator=torch.Generator().manual_seed(0)).double()
    weights = torch.linspace(-1, 2, 12).double()
    box = value_box(lambda z: z.to(weights) @ weights, 12)
    for metric in (Deletion(orders=5), Insertion(orders=5)):
        best = evaluate(metric, box, x, columns(20), weights * x)
        worst = evaluate(metric, box, x, columns(20), -weights * x)
        assert (best.gain > 0).all()
        assert (worst.gain < 0).all()
        assert torch.equal(best.random, worst.random)  # the same draws beside both


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("steps", [1, 3, 7, 64, None])
def test_it_equals_brute_force_on_a_colour_image(kind, steps):
    draw = torch.Generator().manual_seed(0)
    weights = torch.randn(75, 9, generator=draw).double()
    x, values = torch.rand(2, 3, 3, 5, 5, generator=draw).double()

    def function(z):
        return (z.flatten(1).double() @ weights).relu().sum(1)

    box, metric = image_box(function, (3, 5, 5)), kind(steps=steps, baseline=(0.1, 0.5, 0.9))
    found = evaluate(metric, box, x, columns(3), values)
    parts = min(steps or 25, 25)
    away = torch.tensor([0.1, 0.5, 0.9]).double()[:, None].expand(3, 25)
    for row in range(3):
        order = sorted(range(25), key=lambda i: -float(values[row].reshape(3, 25)[:, i].sum()))
        curve = []
        for step in range(parts + 1):
            gone = order[: step * 25 // parts]
            shown, other = (x[row].reshape(3, 25), away)
            z, there = (shown, other) if kind is Deletion else (other, shown)
            z = z.clone()
            z[:, gone] = there[:, gone]
            curve.append(float(function(z.reshape(1, 3, 5, 5))))
        torch.testing.assert_close(found.curve[row], torch.tensor(curve).double())
        area = torch.trapezoid(torch.tensor(curve), torch.tensor(metric.shares(box.spec)))
        assert float(found.score[row]) == pytest.approx(float(area), rel=1e-5)


def looks_at_one(place, d=16):
    """A classifier that is all but sure of class 1 as long as one number is above a half."""
    return vector_box(
        Formula(lambda z: 20 * torch.stack([0.5 - z[:, place], z[:, place] - 0.5], 1)), d=d
    )


def test_of_a_model_that_looks_at_one_place_everything_hangs_on_that():
    x, perfect = torch.ones(1, 16), torch.zeros(1, 16)
    perfect[0, 11] = 1.0
    box, target = looks_at_one(11), label(torch.tensor([1]))
    best = evaluate(Deletion(), box, x, target, perfect)
    assert best.curve[0, 0] > 0.99
    assert best.curve[0, 1:].max() < 0.01  # the first step takes the one that counts
    worst = evaluate(Deletion(), box, x, target, -perfect)
    assert worst.curve[0, :-1].min() > 0.99
    assert float(best.score) == pytest.approx(1 / 32, abs=1e-3)
    assert float(worst.score) == pytest.approx(31 / 32, abs=1e-3)
    for seed in range(20):
        other = torch.randn(1, 16, generator=torch.Generator().manual_seed(seed))
        between = evaluate(Deletion(), box, x, target, other).score
        assert best.score <= between <= worst.score
    shown = evaluate(Insertion(), box, x, target, perfect)
    assert float(shown.score) == pytest.approx(31 / 32, abs=1e-3)


def test_of_equal_values_the_lower_index_goes_first():
    x = torch.ones(1, 4).double()
    box = value_box(linear, 4)
    constant = evaluate(Deletion(), box, x, columns(1), torch.full((1, 4), 0.7).double())
    torch.testing.assert_close(constant.curve, torch.tensor([[4.5, 1.5, 2.5, 0.5, 0.0]]).double())
    falling = evaluate(Deletion(), box, x, columns(1), torch.tensor([[4.0, 3, 2, 1]]).double())
    assert torch.equal(constant.curve, falling.curve)


def test_values_that_are_random_themselves_gain_nothing():
    draw = torch.Generator().manual_seed(0)
    x, values = torch.rand(2, 400, 30, generator=draw).double()
    weights = torch.randn(30, generator=draw).double()
    box = value_box(lambda z: z.to(weights) @ weights, 30)
    gain = evaluate(Deletion(orders=3), box, x, columns(400), values).gain
    assert abs(float(gain.mean())) < 3 * float(gain.std()) / 20


def test_more_random_orders_are_their_mean():
    x = torch.rand(1, 30, generator=torch.Generator().manual_seed(0)).double().expand(60, -1)
    weights = torch.linspace(-1, 1, 30).double()
    box, ids = value_box(lambda z: z.to(weights) @ weights, 30), list(map(str, range(60)))
    one, many = (
        evaluate(Deletion(orders=orders), box, x, columns(60), x, ids=ids).random.std()
        for orders in (1, 16)
    )
    assert 2.5 < one / many < 6.5  # 4, if the orders are independent


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(("steps", "orders", "asked"), [(20, 1, 42), (3, 4, 20), (None, 2, 195)])
def test_it_costs_what_it_says(kind, steps, orders, asked):
    net = Counting(Formula(lambda z: torch.stack([z[:, 0], z[:, 1]], 1)))
    box, metric = vector_box(net, d=64, pad=1), kind(steps=steps, orders=orders)
    x = torch.rand(5, 64, generator=torch.Generator().manual_seed(0))
    found = evaluate(metric, box, x, label(torch.tensor([0, 1, 0, 1, 0])), x)
    assert metric.questions(box.spec) == asked
    assert found.queries.tolist() == [asked] * 5
    assert net.rows == 5 * asked
    assert found.calls == net.passes


def test_probabilities_are_read_of_a_classifier_and_of_a_set_of_its_classes():
    x = torch.tensor([[0.2, 0.5, 1.0]])
    logits = Formula(lambda z: z)
    spec = Spec(input=Vector(shape=(3,), low=-9.0, high=9.0), answer=OneClass(size=3))
    box = TorchBox(module=logits, spec=spec)
    one = evaluate(Deletion(), box, x, label(torch.tensor([2])), x)
    assert float(one.curve[0, 0]) == pytest.approx(float(x.softmax(1)[0, 2]))
    assert float(one.curve[0, -1]) == pytest.approx(1 / 3)
    several = labels(torch.tensor([[True, False, True]]))
    two = evaluate(Deletion(), box, x, several, x)
    assert float(two.curve[0, 0]) == pytest.approx(float(x.softmax(1)[0, [0, 2]].sum()))


def test_a_blur_keeps_flat_images_and_spreads_others():
    spec = Spec(input=Image(shape=(2, 20, 20)), answer=OneClass(size=2))
    flat = torch.full((1, 2, 20, 20), 0.3)
    torch.testing.assert_close(removed("blur", spec, flat), flat)
    dot = torch.zeros(1, 2, 20, 20)
    dot[0, 0, 10, 10] = 1.0
    spread = removed("blur", spec, dot)
    assert spread[0, 1].count_nonzero() == 0  # channels do not mix
    assert float(spread[0, 0].max()) < 0.02
    assert float(spread[0, 0].sum()) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("kind", BOTH)
def test_they_are_plain_data(kind):
    metric = with_fields(kind, {"steps": "none", "baseline": "blur", "orders": "3"})
    assert metric == kind(steps=None, baseline="blur", orders=3)
    assert from_json(kind, to_json(metric)) == metric


@pytest.mark.parametrize("fields", [{"steps": 0}, {"orders": 0}])
def test_what_measures_nothing_is_refused(fields):
    with pytest.raises(UserError, match=r"^Deletion takes 1 step or more and 1 random order"):
        Deletion(**fields)


def test_a_baseline_that_does_not_fit_is_refused():
    box, x = image_box(lambda z: z.sum((1, 2, 3)), (1, 4, 4)), torch.rand(1, 1, 4, 4)
    with pytest.raises(UserError, match="outside the input's bounds"):
        evaluate(Deletion(baseline=2.0), box, x, columns(1), x)
