"""QuadAttacK and CW-K, where the nearest input with the wanted order is known."""

import pytest
import torch
from tests.attack.evade.nearest import draws
from torch import nn

import pellucid
from pellucid.attack.evade._head import Head, head
from pellucid.attack.evade._ordered import comparisons, wanted
from pellucid.attack.evade.cw_topk import CWTopK, hinges
from pellucid.attack.evade.quadattack import Projection, QuadAttacK
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.goals import hit, misled, ordered_topk

CLASSES, WIDE = 6, 12


def network(features=WIDE, hidden=0):
    """A linear layer alone, or one behind a hidden layer."""
    first = [nn.Linear(features, hidden), nn.Tanh()] if hidden else []
    layers = [*first, nn.Linear(hidden or features, CLASSES)]
    model = nn.Sequential(*layers).double()
    with torch.no_grad():
        for number, weight in enumerate(model.parameters()):
            weight.copy_(draws(*weight.shape, seed=number))
    return model


def opened(model, **options):
    return pellucid.open(model, access="white", shape=(WIDE,), **{"emits": "logits"} | options)


def orders(rows, k, seed=0):
    return draws(rows, CLASSES, seed=seed).argsort(1)[:, :k]


def nearest(model, f, order, margin):
    """The point nearest to f with the order, by projecting onto one half space after another."""
    weight, bias = model[-1].weight.detach(), model[-1].bias.detach()
    above, below = comparisons(order, CLASSES)
    normal, due = weight[above] - weight[below], margin - bias[above] + bias[below]
    point, owed = f.clone(), torch.zeros_like(normal)  # Dykstra's algorithm
    for _ in range(1000):
        for j in range(normal.shape[1]):
            moved = point + owed[:, j]
            short = (due[:, j] - (normal[:, j] * moved).sum(1)).clamp_min(0)
            point = moved + (short / normal[:, j].square().sum(1))[:, None] * normal[:, j]
            owed[:, j] = moved - point
    return point


@pytest.mark.parametrize("k", [1, 3, 5])
def test_comparisons_hold_just_where_the_order_is_met(k):
    order = orders(2000, k)
    logits = draws(2000, CLASSES, seed=9)
    logits[:500] = logits[:500].scatter_add(
        1, order[:500], torch.arange(k, 0, -1.0).expand(500, k).double() * 9
    )
    above, below = comparisons(order, CLASSES)
    assert above.shape == (2000, CLASSES - 1)
    held = (logits.gather(1, above) > logits.gather(1, below)).all(1)
    due = (logits.argsort(1, descending=True)[:, :k] == order).all(1)
    assert torch.equal(held, due)
    assert torch.equal(hinges(order, logits) == 0, due)
    assert due.any()
    assert not due.all()


@pytest.mark.parametrize("scale", [1.0, 0.25])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_the_program_finds_the_nearest_features_and_their_slope(k, scale):
    model, f, order = network(), draws(7, WIDE, seed=5), orders(7, k)
    weight, bias = model[-1].weight.detach(), model[-1].bias.detach()
    f.requires_grad_()
    logits = scale * (f @ weight.T + bias)
    layer = Head(weight=weight, scale=torch.full((7,), scale).double(), logits=logits.detach())
    aim = Projection(layer, order, margin=scale * 0.2)
    v, (above, below) = (
        aim.multipliers(torch.arange(7), logits.detach()),
        comparisons(order, CLASSES),
    )
    normal = scale * (weight[above] - weight[below])
    found = f.detach() + torch.einsum("nm,nmd->nd", v, normal)
    z = scale * (found @ weight.T + bias)
    assert (z.gather(1, above) - z.gather(1, below) >= scale * 0.2 - 1e-3).all()
    due = nearest(model, f.detach(), order, 0.2)
    assert torch.allclose(found, due, atol=1e-3)
    (slope,) = torch.autograd.grad(aim(torch.arange(7), logits).sum(), f)
    assert torch.allclose(slope, 2 * (f.detach() - due), atol=3e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "method",
    [
        QuadAttacK(steps=300, rate=0.02, margin=0.02, upper=200.0, fall=1.0),
        CWTopK(steps=300, rate=0.02, upper=10.0),
    ],
)
@pytest.mark.parametrize("k", [1, 3, 5])
def test_a_linear_model_is_met_near_its_nearest_point(method, k):
    model, x, order = network(), 0.3 * draws(8, WIDE, seed=3), orders(8, k, seed=4)
    found = pellucid.run(method, opened(model), x, goal=ordered_topk(order), budget=None)
    exact = torch.linalg.vector_norm(nearest(model, x, order, 0.0) - x, dim=1)
    ratio = (found.distance("l2") / exact)[exact > 0]
    assert found.success.all()
    assert (ratio >= 1 - 1e-6).all()
    assert ratio.median() <= 1.1
    said = model(found.adversarial).argsort(1, descending=True)[:, :k]
    assert torch.equal(said, order)


def test_one_row_pays_a_query_and_a_gradient_a_step_for_an_order_of_all_classes():
    model, x = network(hidden=9), draws(1, WIDE, seed=3)
    order = model(draws(1, WIDE, seed=8)).argsort(1, descending=True)[:, :-1]
    method = QuadAttacK(steps=80, rate=0.1, searches=2)
    found = pellucid.run(method, opened(model), x, goal=ordered_topk(order), budget=None)
    assert found.success.all()
    assert found.queries.tolist() == found.gradients.tolist() == [2 * 80 + 1]


class Ends(nn.Module):
    """A network, and what becomes of its logits."""

    def __init__(self, model, end):
        super().__init__()
        self.model, self.end = model, end

    def forward(self, x):
        return self.end(self.model(x))


@pytest.mark.parametrize(
    ("end", "emits", "scale"),
    [
        (lambda z: z, "logits", 1.0),
        (lambda z: z / 4 + torch.arange(CLASSES), "logits", 0.25),
        (lambda z: z.softmax(1), "probabilities", 1.0),
    ],
)
def test_a_head_s_factor_is_what_the_logits_make_of_it(end, emits, scale):
    model = network(hidden=9)
    x = 0.1 * draws(5, WIDE, seed=2)
    for batch in (1000, 2):
        box = opened(Ends(model, end), emits=emits, rows_per_call=batch)
        layer = head(box, x, None)
        assert torch.equal(layer.weight, model[-1].weight.detach())
        assert torch.allclose(layer.scale, torch.full((5,), scale).double(), rtol=1e-5)


@pytest.mark.parametrize("end", [torch.tanh, lambda z: -z, lambda z: z.flip(1)])
def test_logits_that_are_made_otherwise_are_refused(end):
    box = opened(Ends(network(hidden=9), end))
    with pytest.raises(UserError, match="up to a factor: name the last linear layer"):
        head(box, draws(5, WIDE, seed=2), None)


def test_a_layer_is_named_or_there_is_none():
    square = nn.Sequential(
        nn.Linear(WIDE, CLASSES), nn.Tanh(), nn.Linear(CLASSES, CLASSES)
    ).double()
    x = 0.1 * draws(5, WIDE, seed=2)
    assert torch.equal(head(opened(square), x, "2").weight, square[2].weight.detach())
    with pytest.raises(UserError, match="no linear layer 'fc' with 6 outputs: name one of 0, 2"):
        head(opened(square), x, "fc")
    with pytest.raises(UserError, match="are not those of its layer '0'"):
        head(opened(square), x, "0")
    bare = nn.Sequential(nn.Flatten(0), nn.Unflatten(0, (-1, WIDE))).double()
    box = pellucid.open(bare, access="white", shape=(WIDE,), emits="logits")
    with pytest.raises(UserError, match="has no linear layer with 12 outputs"):
        head(box, x, None)


def test_a_goal_on_labels_is_met_by_its_likeliest_class():
    scores = torch.tensor([[0.1, 0.7, 0.2]]).log()
    assert wanted(misled(torch.tensor([1])), scores).tolist() == [[2]]
    assert wanted(hit(torch.tensor([0])), scores).tolist() == [[0]]
    assert wanted(ordered_topk(torch.tensor([[2, 0]])), scores).tolist() == [[2, 0]]
    with pytest.raises(UserError, match="a goal that labels decide"):
        wanted(~ordered_topk(torch.tensor([[2, 0]])), scores)


@pytest.mark.parametrize("method", [QuadAttacK, CWTopK])
def test_another_norm_is_refused(method):
    with pytest.raises(UserError, match="give it an l2 ball"):
        method(ball=Ball("linf"))
