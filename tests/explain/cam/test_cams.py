"""Class activation maps against a network small enough to follow by hand."""

import pytest
import torch
from tests.subjects import Counting, Formula, vector_box
from torch import nn
from torch.nn import functional

from pellucid.box.preprocessing import Preprocessing
from pellucid.box.torch_box import TorchBox
from pellucid.errors import UserError
from pellucid.explain import explain, label
from pellucid.explain.cam.grad_cam import GradCAM
from pellucid.explain.cam.grad_cam_plus_plus import GradCAMPlusPlus
from pellucid.models.small_cnn import SmallCNN
from pellucid.spec import Image, OneClass, Spec

SIGNS = torch.tensor([1.0, -1.0])  # the two maps: the image and its negative


class ByHand(nn.Module):
    """Two maps of an image, rectified, pooled over places, and weighed for each class."""

    def __init__(self, inplace=False, head=((2.0, -1.0), (-3.0, 5.0))):
        super().__init__()
        self.maps = nn.Conv2d(1, 2, 1, bias=False)
        self.maps.weight = nn.Parameter(SIGNS.reshape(2, 1, 1, 1).clone())
        self.rectify = nn.ReLU(inplace=inplace)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(2, 2, bias=False)
        self.head.weight = nn.Parameter(torch.tensor(head))

    def forward(self, x):
        return self.head(self.pool(self.rectify(self.maps(x))).flatten(1))


def image_box(module, shape=(1, 2, 2), classes=2, rows_per_call=1000, **facts):
    spec = Spec(
        input=Image(shape=shape, low=-10.0, high=10.0),
        answer=OneClass(size=classes),
        rows_per_call=rows_per_call,
    )
    return TorchBox(module=module, spec=spec, **facts)


X = torch.tensor([[[[1.0, -2.0], [3.0, 0.5]]], [[[-1.0, -4.0], [2.0, -1.0]]]])
Y = torch.tensor([0, 1])
# each place of a map adds a quarter of the class's weight: that is its gradient, where positive
ACTS = torch.stack([X[:, 0].relu(), (-X[:, 0]).relu()], 1)
HEAD = torch.tensor([[2.0, -1.0], [-3.0, 5.0]])[Y] / 4


def test_grad_cam_weighs_the_maps_by_their_mean_gradient():
    said = explain(GradCAM(), image_box(ByHand()), X, label(Y))
    due = (HEAD[:, :, None, None] * ACTS).sum(1, keepdim=True).relu()
    assert torch.allclose(said.values, due)
    assert said.values.shape == X.shape
    assert said.queries.tolist() == said.gradients.tolist() == [1, 1]
    assert said.calls == 1


@pytest.mark.parametrize("inplace", [False, True])
def test_a_layer_is_read_before_the_next_writes_into_it(inplace):
    said = explain(GradCAM(layer="maps"), image_box(ByHand(inplace)), X, label(Y))
    maps = X * SIGNS.reshape(1, 2, 1, 1)
    weights = (HEAD[:, :, None, None] * (maps > 0)).mean((2, 3), keepdim=True)
    assert torch.allclose(said.values, (weights * maps).sum(1, keepdim=True).relu())


def test_grad_cam_plus_plus_has_the_derivatives_of_the_exponential():
    torch.manual_seed(2)
    maps = nn.Conv2d(1, 3, 1)
    head = nn.Linear(12, 2)
    net = nn.Sequential(maps, nn.Flatten(), head).double()
    x = torch.rand(1, 1, 2, 2, generator=torch.Generator().manual_seed(0)).double()
    said = explain(GradCAMPlusPlus(layer="0"), image_box(net), x, label(torch.tensor([1])))

    def score(acts):  # the paper's Y: the exponential of the class's output
        return head(acts.flatten()[None])[0, 1].exp()

    acts = maps(x)[0].detach()
    weights = torch.zeros(3, dtype=torch.float64)
    for k, i, j in torch.cartesian_prod(*map(torch.arange, acts.shape)).tolist():
        at = acts[k, i, j].clone().requires_grad_()
        spot = torch.zeros_like(acts).index_put(
            tuple(torch.tensor([n]) for n in (k, i, j)), torch.ones(1).double()
        )
        first, second, third = derivatives(score(acts * (1 - spot) + at * spot), at)
        share = second / (2 * second + acts[k].sum() * third)
        weights[k] += share * first.clamp_min(0) / score(acts).detach()
    due = (weights[:, None, None] * acts).sum(0).relu()
    assert torch.allclose(said.values[0, 0], due, atol=1e-12)
    assert said.values.max() > 0


def derivatives(value, at):
    """The first three."""
    found = []
    for _ in range(3):
        (value,) = torch.autograd.grad(value, at, create_graph=True)
        found.append(value)
    return [each.detach() for each in found]


@pytest.mark.parametrize("method", [GradCAM, GradCAMPlusPlus])
def test_maps_come_back_at_the_size_of_the_image(method):
    torch.manual_seed(0)
    box = image_box(SmallCNN(shape=(1, 12, 8)), shape=(1, 12, 8), classes=10)
    x = torch.rand(3, 1, 12, 8)
    values = explain(method(), box, x, label(torch.tensor([0, 1, 2]))).values
    assert values.shape == (3, 1, 12, 8)
    assert bool((values >= 0).all())
    assert bool((values.flatten(1).amax(1) > 0).any())


def test_the_default_is_the_last_layer_with_several_places():
    torch.manual_seed(0)
    box = image_box(SmallCNN(shape=(1, 12, 8)), shape=(1, 12, 8), classes=10)
    x, target = torch.rand(3, 1, 12, 8), label(torch.tensor([0, 1, 2]))
    last, named, other = (
        explain(GradCAM(layer=layer), box, x, target).values for layer in (None, "pool2", "conv1")
    )
    assert torch.equal(last, named)
    assert not torch.equal(last, other)
    assert torch.equal(explain(GradCAM(layer="pool*"), box, x, target).values, named)


def test_padding_and_small_calls_change_nothing():
    plain = explain(GradCAM(), image_box(ByHand(), pad=1), X, label(Y)).values
    assert torch.equal(explain(GradCAM(), image_box(ByHand(), pad=8), X, label(Y)).values, plain)
    few = image_box(Counting(ByHand()), rows_per_call=1)
    assert torch.equal(explain(GradCAM(), few, X, label(Y)).values, plain)
    assert few.module.passes == 2


def test_the_image_is_seen_as_the_box_prepares_it():
    prepared = image_box(ByHand(), preprocessing=Preprocessing(mean=(1.0,), std=(2.0,)))
    said = explain(GradCAM(), prepared, X, label(Y))
    bare = explain(GradCAM(), image_box(ByHand()), (X - 1) / 2, label(Y))
    assert torch.equal(said.values, bare.values)


class TwoWays(nn.Module):
    """A layer that is computed, and left out of the answer."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Conv2d(1, 2, 1)
        self.used = nn.Conv2d(1, 2, 1)

    def forward(self, x):
        self.unused(x)
        return functional.relu(self.used(x)).mean((2, 3))


@pytest.mark.parametrize(
    ("box", "layer", "said"),
    [
        (image_box(ByHand()), "head", "head puts out no maps"),
        (image_box(ByHand()), "pool", "pool puts out no maps"),
        (image_box(ByHand()), "mops", "No layer is named like 'mops'.*maps"),
        (image_box(nn.Sequential(nn.Flatten(), nn.Linear(4, 2))), None, "network puts out no maps"),
        (image_box(TwoWays()), "unused", "does not depend on unused"),
    ],
)
def test_a_layer_that_cannot_serve_is_refused(box, layer, said):
    with pytest.raises(UserError, match=said):
        explain(GradCAM(layer=layer), box, X, label(Y))


def test_vectors_are_refused():
    with pytest.raises(UserError, match="explain images"):
        explain(GradCAM(), vector_box(Formula(lambda x: x)), torch.rand(2, 2), label(Y))
