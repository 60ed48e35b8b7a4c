"""The check on load: graphs that answer as onnxruntime does pass, and a wrong node is named."""

import dataclasses
import os
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from tests.onnx.small import FLOAT, make, softmax_over_rows

from pellucid.onnx.agreement import Disagreement, agree, distance, questions, tolerance
from pellucid.onnx.graph import Graph
from pellucid.onnx.operators.call import plain
from pellucid.onnx.operators.table import OPERATORS
from pellucid.onnx.ports import BadGraph, ports
from pellucid.onnx.reading import read
from pellucid.onnx.session import Session


def agreed(model, **facts):
    return agree(model, Graph.of(model), Session(model), **facts)


@pytest.mark.parametrize("entry", [("n", 5), (1, 5), (4, 5), (5,)])
@pytest.mark.parametrize("elem_type", [FLOAT, TensorProto.DOUBLE])
def test_a_right_graph_passes_as_it_is(entry, elem_type):
    model = make(entry=entry, leave=(*entry[:-1], 3), elem_type=elem_type)
    graph = Graph.of(model)
    assert agree(model, graph, Session(model)) is graph


@pytest.mark.parametrize("entry", [("n", 5), (1, 5), (4, 5), (5,)])
def test_a_wrong_operator_is_named(entry, monkeypatch):
    monkeypatch.setitem(OPERATORS, "Tanh", plain(torch.sin))
    with pytest.raises(Disagreement, match=r"The node 'bend' \(Tanh\) differs between") as caught:
        agreed(make(entry=entry, leave=(*entry[:-1], 3)))
    assert caught.value.exit_code == 2
    assert "where 0.0001 is allowed, so that the model is not opened" in str(caught.value)


def test_a_node_without_a_name_is_called_by_what_it_makes(monkeypatch):
    monkeypatch.setitem(OPERATORS, "Exp", plain(torch.expm1))
    with pytest.raises(Disagreement, match=r"The node 'making y' \(Exp\) differs"):
        agreed(make())


def test_an_operator_that_fails_is_named(monkeypatch):
    monkeypatch.setitem(OPERATORS, "Tanh", plain(lambda x: x.reshape(-1, 99)))
    with pytest.raises(Disagreement, match=r"The node 'bend' \(Tanh\) fails in Pellucid \(.*99"):
        agreed(make())


@pytest.mark.parametrize(("factor", "right"), [(1 + 1e-6, True), (1.01, False)])
def test_a_weight_that_is_not_the_files_is_found(factor, right):
    model = make(entry=(5,), leave=(3,))
    graph = Graph.of(model)
    with torch.no_grad():
        for weight in graph.get_submodule("leave").parameters():
            weight *= factor
    if right:
        assert agree(model, graph, Session(model)) is graph
    else:
        with pytest.raises(Disagreement, match=r"The node 'leave' \(MatMul\) differs"):
            agree(model, graph, Session(model))


def test_a_wrong_node_that_makes_several_values_is_named(monkeypatch):
    nodes = [
        helper.make_node("Split", ["x"], ["p", "q"], name="part", axis=1, num_outputs=2),
        helper.make_node("Sub", ["p", "q"], ["y"], name="minus"),
    ]
    model = make(nodes, entry=("n", 6), leave=("n", 3))
    model.opset_import[0].version = 18
    assert agreed(model).nodes[0].returns_several
    original = OPERATORS["Split"].build
    swapped = dataclasses.replace(
        OPERATORS["Split"], build=lambda call: lambda *x: tuple(reversed(original(call)(*x)))
    )
    monkeypatch.setitem(OPERATORS, "Split", swapped)
    with pytest.raises(Disagreement, match=r"The node 'part' \(Split\) differs"):
        agreed(model)


def test_a_graph_that_mixes_its_rows_takes_them_one_by_one():
    graph = agreed(softmax_over_rows())
    assert graph.one_by_one
    x = torch.randn(4, 5)
    torch.testing.assert_close(graph(x), torch.ones(4, 3))


def test_questions_are_fixed_and_within_the_bounds():
    entry = ports(make())
    assert questions(entry).shape == (8, 5)
    assert questions(entry).dtype == np.float32
    np.testing.assert_array_equal(questions(entry), questions(entry))
    inside = questions(entry, bounds=(10.0, 11.0))
    assert inside.min() >= 10
    assert inside.max() <= 11
    state = np.random.get_state()[1].tolist()
    questions(entry)
    assert np.random.get_state()[1].tolist() == state
    tokens = dataclasses.replace(entry, dtype="int64")
    assert set(questions(tokens).ravel().tolist()) == {0, 1}


def test_sizes_that_the_file_leaves_open_are_asked_for():
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["y"]),
    ]
    model = make(nodes, entry=("n", 3, "h", "w"), leave=("n", 3))
    assert not agreed(model, shape=(3, 8, 9)).one_by_one
    with pytest.raises(BadGraph, match=r"'x' has the sizes \(3, \?, \?\): give the shape"):
        agreed(model)
    with pytest.raises(BadGraph, match=r"sizes \(3, \?, \?\), not \(4, 8, 8\): give the shape"):
        agreed(model, shape=(4, 8, 8))
    with pytest.raises(BadGraph, match=r"not \(3, 8\): give the shape"):
        agreed(model, shape=(3, 8))


def test_half_precision_is_allowed_its_three_digits():
    assert tolerance(make()) == 1e-4
    assert tolerance(make(elem_type=TensorProto.FLOAT16)) == 1e-2
    assert tolerance(make(spare=np.zeros(1, np.float16))) == 1e-2
    assert not agreed(make(elem_type=TensorProto.FLOAT16)).one_by_one


@pytest.mark.parametrize(
    ("ours", "theirs", "apart"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0, 2.5], [1.0, 2.0], 0.25),
        ([0.0, 2e-7], [0.0, 0.0], 0.2),  # values below the floor are not divided by
        ([nan, inf, 1.0], [nan, inf, 1.0], 0.0),
        ([nan, 1.0], [1.0, 1.0], inf),
        ([1.0, 1.0], [nan, 1.0], inf),
        ([inf], [-inf], inf),
        ([nan], [nan], 0.0),
        ([1.0, 2.0], [1.0], inf),
    ],
)
def test_distances(ours, theirs, apart):
    assert distance(np.array(ours), np.array(theirs)) == pytest.approx(apart)


@pytest.mark.skipif("PELLUCID_DATA" not in os.environ, reason="PELLUCID_DATA is not set")
def test_a_wrong_weight_of_a_real_network_is_found():
    path = next(Path(os.environ["PELLUCID_DATA"], "vnncomp2021", "acasxu").glob("*.onnx"))
    model = read(path)
    graph = Graph.of(model, one_by_one=True)
    weighty = [node for node in graph.nodes if list(graph.get_submodule(node.name).parameters())]
    wrong = weighty[len(weighty) // 2]
    with torch.no_grad():
        next(graph.get_submodule(wrong.name).parameters()).mul_(1.5)
    with pytest.raises(Disagreement, match=wrong.label or wrong.outputs[0]):
        agree(model, graph, Session(model))
