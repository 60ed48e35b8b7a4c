"""A graph as a module: names, rows, types, folding, and what it refuses."""

import copy
import math
import pickle
import time

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from tests.onnx.operator_graphs import answers, model_of, session

from pellucid.onnx.graph import Graph, UnknownOperator
from pellucid.onnx.operators.call import CAP, limited
from pellucid.onnx.ports import BadGraph
from pellucid.taps import tap

W = np.array([[1.0, -2.0], [3.0, 0.5], [-1.0, 1.0]], dtype=np.float32)
B = np.array([0.5, -0.5], dtype=np.float32)
NODE = helper.make_node


def stored(**arrays):
    return [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]


def model(nodes, shape=(1, 3), kind=TensorProto.FLOAT, opset=13, out=("y",), **arrays):
    """A model from x of a declared shape to y."""
    x = helper.make_tensor_value_info("x", kind, shape)
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in out]
    return model_of(nodes, [x], outputs, stored(**arrays), opset)


def affine(shape=(1, 3), **arguments):
    nodes = [
        NODE("Gemm", ["x", "W", "B"], ["h"], name="/body/fc.0/Gemm"),
        NODE("Relu", ["h"], ["y"]),
    ]
    return model(nodes, shape, W=W, B=B, **arguments)


def rows(n, *shape, seed=0):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed))


def test_the_answer_is_the_formula():
    x = rows(4, 3)
    due = (x @ torch.from_numpy(W) + torch.from_numpy(B)).relu()
    torch.testing.assert_close(Graph.of(affine())(x), due)


def test_nodes_are_submodules_with_readable_names_and_a_walk():
    graph = Graph.of(affine())
    assert [name for name, _ in graph.named_children()] == ["body_fc_0_Gemm", "Relu_1"]
    first, second = graph.nodes
    assert (first.operator, first.label) == ("Gemm", "/body/fc.0/Gemm")
    assert (first.inputs, first.arriving, first.outputs) == (("x", "W", "B"), ("x",), ("h",))
    assert (second.operator, second.inputs, second.outputs) == ("Relu", ("h",), ("y",))
    step = graph.get_submodule(first.name)
    assert step.settings == {"trans_a": False, "trans_b": False}
    assert step.constants()[1] is step.B  # the standard calls the inputs of Gemm A, B and C
    assert [name for name, _ in graph.named_parameters()] == [
        "body_fc_0_Gemm.B",
        "body_fc_0_Gemm.C",
    ]
    x = rows(2, 3)
    with tap(graph, "Relu_1") as seen:
        assert torch.equal(graph(x), seen["Relu_1"])


def test_names_that_a_module_has_already_are_not_taken():
    nodes = [
        NODE("Relu", ["x"], ["a"], name="forward"),
        NODE("Neg", ["a"], ["b"], name="nodes"),
        NODE("Abs", ["b"], ["c"], name="a.b"),
        NODE("Sqrt", ["c"], ["y"], name="a/b"),
    ]
    graph = Graph.of(model(nodes))
    assert [node.name for node in graph.nodes] == ["forward__0", "nodes__1", "a_b", "a_b__3"]
    torch.testing.assert_close(graph(rows(2, 3)), rows(2, 3).relu().sqrt())


def test_weights_are_differentiable_and_shared_where_the_file_shares_them():
    square = W[:2]
    nodes = [
        NODE("Identity", ["W"], ["V"]),
        NODE("MatMul", ["x", "W"], ["h"]),
        NODE("MatMul", ["h", "V"], ["y"]),
    ]
    graph = Graph.of(model(nodes, (1, 2), W=square))
    (weight,) = graph.parameters()
    x = rows(5, 2)
    again = weight.detach().clone().requires_grad_()
    due = torch.autograd.grad((x @ again @ again).sum(), again)[0]
    torch.testing.assert_close(torch.autograd.grad(graph(x).sum(), weight)[0], due)
    moved = copy.deepcopy(graph).to(torch.float64)
    assert len(list(moved.parameters())) == 1


def test_what_follows_from_constants_alone_is_computed_once():
    nodes = [
        NODE("Transpose", ["W"], ["turned"], perm=[1, 0]),
        NODE("Constant", [], ["two"], value_float=2.0),
        NODE("Mul", ["turned", "two"], ["scaled"]),
        NODE("MatMul", ["x", "scaled"], ["y"]),
    ]
    graph = Graph.of(model(nodes, (1, 2), W=W))
    assert [node.operator for node in graph.nodes] == ["MatMul"]
    (weight,) = graph.parameters()
    assert torch.equal(weight, 2 * torch.from_numpy(W).T)


@pytest.mark.parametrize(
    "given",
    [
        {"value": numpy_helper.from_array(B)},
        {"value_floats": [0.5, -0.5]},
        {"value_float": 0.5},
    ],
)
def test_a_constant_of_a_node_is_a_buffer(given):
    nodes = [NODE("Constant", [], ["c"], **given), NODE("Add", ["x", "c"], ["y"])]
    graph = Graph.of(model(nodes, (1, 2)))
    assert not list(graph.parameters())
    assert graph.to(torch.float64)(rows(3, 2).double()).dtype == torch.float64


@pytest.mark.parametrize("given", [{"value_int": 1}, {"value_ints": [1]}])
def test_a_constant_of_integers_says_where(given):
    nodes = [NODE("Constant", [], ["i"], **given), NODE("Gather", ["x", "i"], ["y"], axis=1)]
    x = rows(3, 4)
    assert torch.equal(Graph.of(model(nodes, (1, 4)))(x), x[:, 1:2])


def reshaped(first, to):
    """A file for one row that lays it out as `first`, and then as `to`."""
    nodes = [
        NODE("Reshape", ["x", "first"], ["h"]),
        NODE("Relu", ["h"], ["r"]),
        NODE("Reshape", ["r", "to"], ["y"]),
    ]
    shapes = {"first": np.array(first), "to": np.array(to)}
    return model(nodes, (1, 2, 6), opset=14, **shapes)


@pytest.mark.parametrize("first", [(1, 3, 4), (1, -1, 2), (0, 4, 3), (-1, 12)])
def test_a_file_for_one_row_is_lifted_to_many(first):
    found, x = reshaped(first, (1, -1)), rows(5, 2, 6)
    due = answers(session(found), x.numpy())
    for graph in (Graph.of(found), Graph.of(found, one_by_one=True)):
        np.testing.assert_array_equal(graph(x).numpy(), due)


def test_a_file_for_many_rows_takes_any_number():
    nodes = [NODE("Reshape", ["x", "target"], ["h"]), NODE("MatMul", ["h", "W"], ["y"])]
    found = model(nodes, (4, 3, 1), W=W, target=np.array([4, 3]))
    x = rows(6, 3, 1)
    due = x.flatten(1) @ torch.from_numpy(W)
    for graph in (Graph.of(found), Graph.of(found, one_by_one=True)):
        torch.testing.assert_close(graph(x), due)
        assert graph.shape == (3, 1)


def test_what_mixes_rows_when_lifted_goes_one_by_one():
    """The rows' axis is moved away before the numbers of a row are summed."""
    nodes = [
        NODE("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
        NODE("Reshape", ["t", "target"], ["h"]),
        NODE("ReduceSum", ["h", "axes"], ["y"], keepdims=0),
    ]
    shapes = {"target": np.array([3, 2]), "axes": np.array([0])}
    found, x = model(nodes, (1, 3, 2), **shapes), rows(4, 3, 2)
    graph = Graph.of(found, one_by_one=True)
    x.requires_grad_()
    torch.testing.assert_close(graph(x), x.sum(1))
    torch.testing.assert_close(
        torch.autograd.grad(graph(x).square().sum(), x)[0],
        torch.autograd.grad(x.sum(1).square().sum(), x)[0],
    )
    with pytest.raises(BadGraph, match="Reshape"):
        Graph.of(found)(x)


def test_a_graph_without_a_row_axis_takes_rows_one_by_one():
    graph = Graph.of(model([NODE("MatMul", ["x", "W"], ["y"])], (3,), W=W))
    assert graph.one_by_one
    assert graph.shape == (3,)
    torch.testing.assert_close(graph(rows(5, 3)), rows(5, 3) @ torch.from_numpy(W))


def test_shapes_that_are_computed_follow_the_rows():
    nodes = [
        NODE("Shape", ["x"], ["s"]),
        NODE("Gather", ["s", "zero"], ["n"]),
        NODE("Concat", ["n", "rest"], ["target"], axis=0),
        NODE("Expand", ["W", "target"], ["wide"]),
        NODE("ConstantOfShape", ["target"], ["ones"], value=helper.make_tensor("v", 1, [1], [1.0])),
        NODE("Range", ["start", "end", "step"], ["steps"]),
        NODE("Mul", ["wide", "ones"], ["a"]),
        NODE("Add", ["a", "steps"], ["b"]),
        NODE("MatMul", ["x", "b"], ["y"]),
    ]
    numbers = {"start": np.float32(0), "end": np.float32(2), "step": np.float32(1)}
    found = model(nodes, ("n", 1, 3), W=W, zero=np.array([0]), rest=np.array([3, 2]), **numbers)
    x = rows(4, 1, 3)
    due = (x @ (torch.from_numpy(W) + torch.arange(2))).flatten(1)
    for graph in (Graph.of(found), Graph.of(found, one_by_one=True)):
        torch.testing.assert_close(graph(x), due)
    torch.testing.assert_close(
        Graph.of(found).to(torch.float64)(x.double()), due.double(), atol=1e-6, rtol=1e-6
    )


def test_a_step_of_a_range_is_of_its_numbers_type():
    nodes = [NODE("Range", ["a", "b", "c"], ["r"]), NODE("Add", ["x", "r"], ["y"])]
    found = model(nodes, (1, 3), a=np.float32(1), b=np.float32(2.5), c=np.float32(0.5))
    torch.testing.assert_close(Graph.of(found)(torch.zeros(2, 3))[1], torch.tensor([1, 1.5, 2]))


def test_float16_is_computed_as_the_file_says():
    found = model(
        [NODE("MatMul", ["x", "W"], ["y"])], kind=TensorProto.FLOAT16, W=W.astype(np.float16)
    )
    graph = Graph.of(found)
    assert graph.dtype == torch.float16
    assert graph(rows(2, 3).half()).dtype == torch.float16


def test_tokens_go_in_as_integers():
    nodes = [
        NODE("Gather", ["table", "x"], ["h"]),
        NODE("ReduceMean", ["h"], ["y"], axes=[1], keepdims=0),
    ]
    graph = Graph.of(model(nodes, ("n", 4), kind=TensorProto.INT64, table=W))
    tokens = torch.tensor([[0, 1, 2, 1], [2, 2, 0, 0]])
    assert graph.dtype == torch.int64
    torch.testing.assert_close(graph(tokens), torch.from_numpy(W)[tokens].mean(1))


def test_one_of_several_outputs_is_read_and_the_rest_is_left_out():
    nodes = [
        NODE("Split", ["x"], ["a", "b"], axis=1),
        NODE("Relu", ["a"], ["first"]),
        NODE("Mystery", ["b"], ["second"]),
    ]
    found = model(nodes, (1, 4), out=("first", "second"))
    x = rows(3, 4)
    torch.testing.assert_close(Graph.of(found, "first")(x), x[:, :2].relu())
    with pytest.raises(BadGraph, match="'first', 'second'"):
        Graph.of(found)
    with pytest.raises(BadGraph, match="third"):
        Graph.of(found, "third")


def test_every_unknown_operator_is_named():
    nodes = [
        NODE("Relu", ["x"], ["a"]),
        NODE("NonMaxSuppression", ["a"], ["b"], name="pick"),
        NODE("Gelu", ["b"], ["c"], domain="com.microsoft"),
        NODE("NonMaxSuppression", ["c"], ["y"]),
    ]
    with pytest.raises(
        UnknownOperator,
        match=r"operators 'NonMaxSuppression', 'com\.microsoft\.Gelu' \(first at node 'pick'",
    ) as found:
        Graph.of(model(nodes))
    assert (found.value.operator, found.value.node) == ("NonMaxSuppression", "pick")


@pytest.mark.parametrize(
    ("node", "how"),
    [
        (NODE("Resize", ["x", "", "s"], ["y"], name="r", mode="cubic"), "'cubic'"),
        (NODE("Dropout", ["x", "", "yes"], ["y"], name="r"), "training"),
        (NODE("MaxPool", ["x"], ["z", "y"], name="r", kernel_shape=[2]), "'y' is read"),
        (NODE("Cast", ["x"], ["y"], name="r", to=TensorProto.BFLOAT16), "BFLOAT16"),
        (NODE("Pad", ["x", "p"], ["y"], name="r", mode="odd"), "'odd'"),
    ],
)
def test_a_use_that_is_not_imported_is_an_unknown_operator(node, how):
    arrays = {"s": np.ones(3, dtype=np.float32), "yes": np.array(True), "p": np.zeros(6, int)}
    with pytest.raises(UnknownOperator, match=how) as found:
        Graph.of(model([node], (1, 2, 4), **arrays))
    assert (found.value.operator, found.value.node) == (node.op_type, "r")


HUGE = 2**40
BOMBS = {
    "ConstantOfShape": ([NODE("ConstantOfShape", ["n"], ["c"])], {"n": np.array([HUGE])}),
    "Expand": ([NODE("Expand", ["x", "n"], ["c"])], {"n": np.array([HUGE, 1])}),
    "Tile": ([NODE("Tile", ["x", "n"], ["c"])], {"n": np.array([HUGE, 1])}),
    "Pad": ([NODE("Pad", ["x", "n"], ["c"])], {"n": np.array([0, 0, 0, HUGE])}),
    "Range": (
        [NODE("Range", ["n", "m", "o"], ["c"])],
        {"n": np.array(0), "m": np.array(HUGE), "o": np.array(1)},
    ),
    "Resize": (
        [NODE("Resize", ["x", "", "n"], ["c"])],
        {"n": np.array([1, 1e12], dtype=np.float32)},
    ),
}


@pytest.mark.parametrize("operator", BOMBS)
def test_a_size_in_the_file_cannot_fill_the_memory(operator):
    nodes, arrays = BOMBS[operator]
    flat = [NODE("Cast", ["c"], ["f"], to=TensorProto.FLOAT), NODE("Add", ["x", "f"], ["y"])]
    started = time.perf_counter()
    with pytest.raises(BadGraph, match="more than"):
        Graph.of(model([*nodes, *flat], (1, 3), **arrays))(rows(1, 3))
    assert time.perf_counter() - started < 1


def test_the_cap_on_sizes_is_for_each_row():
    assert limited([1000, CAP], of=torch.empty(1000, 1)) == [1000, CAP]
    for of in (None, torch.empty(()), torch.empty(1, 1000)):
        with pytest.raises(BadGraph, match=f"more than {CAP} elements"):
            limited([1000, CAP], of=of)


def test_a_failing_node_is_named():
    with pytest.raises(BadGraph, match=r"'Gemm' \(node '/body/fc.0/Gemm'\).*\(2, 4\)"):
        Graph.of(affine())(rows(2, 4))


def test_an_output_without_the_input_is_refused():
    with pytest.raises(BadGraph, match="does not depend"):
        Graph.of(model([NODE("Relu", ["W"], ["y"])], W=W))


def test_a_step_over_nothing_is_refused():
    nodes = [NODE("Range", ["a", "b", "c"], ["r"]), NODE("Add", ["x", "r"], ["y"])]
    with pytest.raises(BadGraph, match="Range"):
        Graph.of(model(nodes, a=np.float32(0), b=np.float32(3), c=np.float32(0)))


def test_sizes_that_the_file_leaves_open_have_to_be_given():
    graph = Graph.of(model([NODE("Relu", ["x"], ["y"])], ("n", 3, "h", 4)))
    with pytest.raises(BadGraph, match=r"\(3, \?, 4\).*shape="):
        _ = graph.shape
    assert graph(rows(2, 3, 5, 4)).shape == (2, 60)


def test_a_graph_survives_being_copied_pickled_and_loaded():
    graph, x = Graph.of(affine()), rows(3, 3)
    for other in (copy.deepcopy(graph), pickle.loads(pickle.dumps(graph))):
        assert torch.equal(other(x), graph(x))
        assert other.nodes == graph.nodes
    altered = Graph.of(affine())
    with torch.no_grad():
        altered.get_parameter("body_fc_0_Gemm.C").zero_()
    altered.load_state_dict(graph.state_dict())
    assert torch.equal(altered(x), graph(x))


def test_the_text_of_a_graph_says_what_decides_its_answers():
    steep, flat = (
        str(Graph.of(model([NODE("LeakyRelu", ["x"], ["y"], alpha=alpha)])))
        for alpha in (0.5, 0.25)
    )
    assert "LeakyRelu, None, negative_slope=0.5" in steep
    assert steep.replace("0.5", "0.25") == flat
    one, other = (
        str(Graph.of(model([NODE("Sub", pair, ["y"])], c=B[:1]))) for pair in ("xc", "cx")
    )
    assert one != other
    assert " at 0x" not in str(Graph.of(model([NODE("ReduceMax", ["x"], ["y"])])))


def test_a_norm_has_no_gradient_at_nothing_and_softplus_does_not_overflow():
    norm = Graph.of(model([NODE("ReduceL2", ["x"], ["y"], axes=[1])]))
    x = torch.zeros(1, 3, requires_grad=True)
    assert torch.equal(torch.autograd.grad(norm(x).sum(), x)[0], torch.zeros(1, 3))
    softplus = Graph.of(model([NODE("Softplus", ["x"], ["y"])]))
    assert math.isclose(softplus(torch.tensor([[500.0, 0, 0]]))[0, 0].item(), 500)
