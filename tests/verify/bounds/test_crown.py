"""CROWN and intervals: closed forms, an independent reference, what they refuse, what they keep."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from tests.onnx.operator_graphs import model_of
from tests.verify.bounds.points import answers, assert_within, points

from pellucid.errors import UserError
from pellucid.onnx.graph import Graph
from pellucid.verify.bounds.crown import crown
from pellucid.verify.bounds.interval import interval
from pellucid.verify.bounds.margins import margins
from pellucid.verify.bounds.values import Interval, NoBounds

NODE = helper.make_node


def graph(nodes, shape, **arrays):
    x = helper.make_tensor_value_info("x", TensorProto.DOUBLE, ("n", *shape))
    y = helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)
    stored = [numpy_helper.from_array(np.asarray(a, float), n) for n, a in arrays.items()]
    return Graph.of(model_of(nodes, [x], [y], stored))


def mlp(*sizes, seed=0, activation="Relu"):
    """A network of random weights, and these."""
    draw = np.random.default_rng(seed)
    layers = [
        (draw.normal(size=(out, size)) / np.sqrt(size), draw.normal(size=out) / 4)
        for size, out in pairwise(sizes)
    ]
    nodes, arrays, last = [], {}, "x"
    for i, (weight, bias) in enumerate(layers):
        arrays |= {f"w{i}": weight, f"b{i}": bias}
        end = i == len(layers) - 1
        nodes.append(NODE("Gemm", [last, f"w{i}", f"b{i}"], ["y" if end else f"h{i}"], transB=1))
        nodes += [] if end else [NODE(activation, [f"h{i}"], [f"a{i}"])]
        last = f"a{i}"
    return graph(nodes, (sizes[0],), **arrays), layers


def boxes(n, size, radius, seed=0):
    x = torch.rand(n, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x - radius, x + radius


def test_an_affine_graph_has_exact_bounds_by_both():
    affine, ((weight, bias), (more, shift)) = mlp(4, 6, 3, activation="Identity")
    low, high = boxes(5, 4, 0.3)
    total, offset = more @ weight, more @ bias + shift
    middle = (low + high).numpy() / 2 @ total.T + offset
    due = middle - 0.3 * np.abs(total).sum(1)
    found = crown(affine, low, high)
    np.testing.assert_allclose(found.low, due, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.high, 2 * middle - due, rtol=0, atol=1e-12)
    once, ((weight, bias),) = mlp(4, 3)
    plain = interval(once, low, high).low
    due = (low + high).numpy() / 2 @ weight.T + bias - 0.3 * np.abs(weight).sum(1)
    np.testing.assert_allclose(plain, due, rtol=0, atol=1e-12)


def test_a_network_that_is_bounded_by_hand():
    # y = relu(a) - relu(b), a = x1 + x2, b = x1 - x2, on [-1, 2] x [-1, 1]: a, b in [-2, 3].
    # Chord: relu(z) <= 0.6 z + 1.2; below: z, as 3 > 2.
    # Upper: 0.6 a + 1.2 - b = -0.4 x1 + 1.6 x2 + 1.2 <= 0.4 + 1.6 + 1.2 = 3.2.
    # Lower: a - 0.6 b - 1.2 = 0.4 x1 + 1.6 x2 - 1.2 >= -0.4 - 1.6 - 1.2 = -3.2; interval: 3.
    nodes = [
        NODE("MatMul", ["x", "w"], ["h"]),
        NODE("Relu", ["h"], ["a"]),
        NODE("MatMul", ["a", "v"], ["y"]),
    ]
    net = graph(nodes, (2,), w=[[1, 1], [1, -1]], v=[[1, 2], [-1, 0]])
    low = torch.tensor([[-1.0, -1.0]], dtype=torch.float64)
    high = torch.tensor([[2.0, 1.0]], dtype=torch.float64)
    plain, found = interval(net, low, high), crown(net, low, high)
    assert plain.low.tolist() == pytest.approx([pytest.approx([-3, 0], abs=1e-12)])
    assert plain.high.tolist() == pytest.approx([pytest.approx([3, 6], abs=1e-12)])
    assert found.low.tolist() == [pytest.approx([-3, 0], abs=1e-12)]
    assert found.high.tolist() == [pytest.approx([3, 6], abs=1e-12)]
    direct = crown(net, low, high, torch.tensor([[1.0, -1.0]], dtype=torch.float64))
    # y1 - y2 = -relu(a) - relu(b) >= -0.6 (a + b) - 2.4 = -1.2 x1 - 2.4 >= -4.8; interval: -9
    # and <= -a - b = -2 x1 <= 2
    assert direct.low.item() == pytest.approx(-4.8, abs=1e-12)
    assert direct.high.item() == pytest.approx(2, abs=1e-12)


def reference(layers, low, high, functions):
    """CROWN for one box and a chain of ReLUs, written plainly; bounds of functions from below."""
    found = []  # bounds of each layer's values
    for depth in range(len(layers)):
        size = len(layers[depth][1])
        rows = functions if depth == len(layers) - 1 else np.eye(size)
        least = go_back(layers, found, depth, rows, low, high)
        most = -go_back(layers, found, depth, -rows, low, high)
        found.append((least, most))
    return found[-1]


def go_back(layers, found, depth, a, low, high):
    total = np.zeros(len(a))
    for k in range(depth, -1, -1):
        weight, bias = layers[k]
        total, a = total + a @ bias, a @ weight
        if k:
            least, most = found[k - 1]
            mixed = (least < 0) & (most > 0)
            chord = np.where(mixed, most / (most - least), (least >= 0) * 1.0)
            flat = np.where(mixed, most > -least, chord)
            total = total - np.minimum(a, 0) @ np.where(mixed, chord * least, 0)
            a = np.maximum(a, 0) * flat + np.minimum(a, 0) * chord
    return total + np.maximum(a, 0) @ low + np.minimum(a, 0) @ high


@pytest.mark.parametrize("radius", [0.02, 0.2])
def test_a_chain_of_relus_is_bounded_as_the_plain_algorithm_does(radius):
    net, layers = mlp(6, 20, 20, 20, 4, seed=1)
    low, high = boxes(3, 6, radius)
    functions = torch.randn(5, 4, generator=torch.Generator().manual_seed(2)).double()
    found = crown(net, low, high, functions)
    for row in range(3):
        least, most = reference(layers, low[row].numpy(), high[row].numpy(), functions.numpy())
        # ours is met with intervals on the way, which can only help
        assert (found.low[row].numpy() >= least - 1e-9).all()
        assert (found.high[row].numpy() <= most + 1e-9).all()
        if radius == 0.02:
            np.testing.assert_allclose(found.low[row], least, rtol=0, atol=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_crown_is_far_tighter_than_intervals_on_relu_networks(seed):
    net, _ = mlp(6, 30, 30, 30, 4, seed=seed)
    low, high = boxes(4, 6, 0.05)
    plain, found = interval(net, low, high), crown(net, low, high)
    assert bool((found.low >= plain.low).all() & (found.high <= plain.high).all())
    assert (found.high - found.low).mean() < 0.3 * (plain.high - plain.low).mean()
    assert_within(found, answers(net, points(net, low, high)))


@pytest.mark.parametrize("activation", ["Sigmoid", "Tanh", "Softplus", "Exp", "Abs", "Softsign"])
@pytest.mark.parametrize("radius", [1e-9, 0.05, 1.0, 30.0])
def test_curves_are_bounded_and_tight_where_boxes_are_small(activation, radius):
    sizes = (3, 12, 2) if radius > 5 else (3, 12, 12, 2)  # exp(exp(30)) is no number
    net, _ = mlp(*sizes, seed=3, activation=activation)
    low, high = boxes(4, 3, radius)
    found = crown(net, low, high)
    assert_within(found, answers(net, points(net, low, high)))
    if radius == 0.05:
        plain = interval(net, low, high)
        assert (found.high - found.low).mean() < 0.6 * (plain.high - plain.low).mean()


def test_a_number_over_a_value_of_fewer_axes_is_bounded():
    nodes = [
        NODE("Exp", ["x"], ["e"]),
        NODE("Div", ["c", "e"], ["q"]),
        NODE("ReduceSum", ["q"], ["y"], axes=[0, 1], keepdims=0),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.DOUBLE, (3,))
    y = helper.make_tensor_value_info("y", TensorProto.DOUBLE, (3,))
    c = numpy_helper.from_array(np.arange(6.0).reshape(2, 1, 3) - 2, "c")
    net = Graph.of(model_of(nodes, [x], [y], [c], opset=11))
    assert net.ports.rowless
    low, high = boxes(4, 3, 0.2)
    out = answers(net, points(net, low, high))
    for bound in (interval, crown):
        found = bound(net, low, high)
        assert found.low.shape == (4, 3)
        assert_within(found, out)
        due = torch.tensor([-1.0, 1.0, 3.0]) / low.exp()  # -2 + 1, -1 + 2, 0 + 3
        assert bool((found.high >= due.double() - 1e-9).all())


def test_a_point_has_bounds_that_are_its_answer():
    net, _ = mlp(6, 20, 20, 4)
    x, _ = boxes(3, 6, 0.0)
    for bound in (interval, crown):
        found = bound(net, x, x)
        torch.testing.assert_close(found.low, net(x), rtol=0, atol=1e-11)
        torch.testing.assert_close(found.high, net(x), rtol=0, atol=1e-11)


def test_each_row_is_bounded_by_itself():
    net, _ = mlp(6, 20, 20, 4)
    low, high = boxes(5, 6, 0.2)
    together = crown(net, low, high)
    for row in range(5):
        alone = crown(net, low[row : row + 1], high[row : row + 1])
        torch.testing.assert_close(alone.low[0], together.low[row], rtol=1e-10, atol=1e-10)


def test_a_split_tightens_the_bounds_and_the_bounds_on_the_way_are_kept():
    net, _ = mlp(6, 20, 20, 4)
    low, high = boxes(2, 6, 0.3)
    whole = crown(net, low, high)
    kept = whole.values["h1"]
    assert set(whole.values) == {"x", "h0", "a0", "h1", "a1", "y"}
    assert kept.low.shape == (2, 1, 20)  # behind the axis of rows, as in a run of one row
    place = int(torch.minimum(-kept.low, kept.high).amin((0, 1)).argmax())
    assert bool((kept.low[..., place] < 0).all() & (kept.high[..., place] > 0).all())
    sides = []
    for low_side in (True, False):
        least, most = kept.low.clone(), kept.high.clone()
        (most if low_side else least)[..., place] = 0.0
        sides.append(crown(net, low, high, known={"h1": Interval(low=least, high=most)}))
    x = points(net, low, high)
    out, hidden = answers(net, x), layer(net, x, place)
    for side, within in zip(sides, (hidden <= 0, hidden >= 0), strict=True):
        assert bool((side.low > whole.low + 1e-3).any())
        assert side.low.mean() > whole.low.mean()
        assert_within(side, torch.where(within[..., None], out, torch.nan))


def layer(net, x, place):
    """One number of h1."""
    step, value = iter(net.children()), x.flatten(0, 1)
    for _ in range(3):
        value = next(step)(value)
    return value[:, place].unflatten(0, x.shape[:2]).detach()


def test_margins_are_a_class_less_each_other():
    found = margins(torch.tensor([1, 0]), 3, torch.zeros(1))
    assert found.tolist() == [[[-1, 1, 0], [0, 1, -1]], [[1, -1, 0], [1, 0, -1]]]


def test_float32_bounds_hold_for_the_float32_graph_at_points():
    net, _ = mlp(50, 100, 100, 100, 5)
    low, high = boxes(8, 50, 0.0)
    net, low, high = net.to(torch.float32), low.float(), high.float()
    out = answers(net, low[None])
    for bound in (interval, crown):
        assert_within(bound(net, low, high), out)
        exact = answers(net.to(torch.float64), low.double()[None])
        found = bound(net.to(torch.float32), low, high)
        assert_within(Interval(low=found.low.double(), high=found.high.double()), exact)
        assert (found.high - found.low).max() < 0.02


def test_what_cannot_be_bounded_is_said():
    net, _ = mlp(3, 4, 2)
    low, high = boxes(2, 3, 0.1)
    with pytest.raises(NoBounds, match="'Cos'") as caught:
        interval(graph([NODE("Cos", ["x"], ["y"])], (3,)), low, high)
    assert caught.value.operator == "Cos"
    with pytest.raises(UserError, match=r"shape \(n, 3\)"):
        crown(net, low[:, :2], high[:, :2])
    with pytest.raises(UserError, match="one row or more"):
        crown(net, low[:0], high[:0])
    with pytest.raises(UserError, match="finite"):
        crown(net, high, low)
    with pytest.raises(UserError, match="finite"):
        interval(net, low, high * torch.inf)
    with pytest.raises(UserError, match="one type"):
        crown(net, low.float(), high.float())
    with pytest.raises(UserError, match="functions"):
        crown(net, low, high, torch.zeros(1, 3))
