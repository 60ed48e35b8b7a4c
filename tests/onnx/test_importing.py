"""Files become models: with gradients if every operator is known, through a session if not."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from tests.onnx.small import make, own, saved, softmax_over_rows

from pellucid.onnx.graph import Graph
from pellucid.onnx.importing import load
from pellucid.onnx.ports import BadGraph
from pellucid.onnx.reading import read
from pellucid.onnx.session import Session

ALONE = (
    "The graph does not answer rows asked together as it answers each alone, so that each row is "
    "run alone, which is slower."
)


def test_a_graph_that_mixes_its_rows_is_told(tmp_path):
    graph, notes = load(read(saved(softmax_over_rows(), tmp_path)))
    assert isinstance(graph, Graph)
    assert graph.one_by_one
    assert notes == (ALONE,)


def test_an_unknown_operator_costs_the_gradients_and_is_named(tmp_path):
    model, notes = load(read(saved(own(), tmp_path)))
    assert isinstance(model, Session)
    assert model(np.zeros((2, 5))).shape == (2, 3)
    (note,) = notes
    assert "BiasGelu" in note
    assert "smooth" in note
    assert "without gradients" in note


def test_a_session_that_mixes_its_rows_takes_them_one_by_one(tmp_path):
    path = saved(own(nodes=[helper.make_node("Softmax", ["d"], ["y"], axis=0)]), tmp_path)
    model, notes = load(read(path))
    assert notes[1:] == (ALONE,)
    np.testing.assert_array_equal(model(np.ones((4, 5))), np.ones((4, 3)))


def test_a_session_with_a_different_count_for_each_row_is_refused(tmp_path):
    nodes = [
        helper.make_node("Reshape", ["d", "all"], ["flat"]),
        helper.make_node("Greater", ["flat", "zero"], ["chosen"]),
        helper.make_node("Compress", ["flat", "chosen"], ["y"]),
    ]
    model = own(nodes=nodes)
    model.graph.initializer.extend(
        [
            numpy_helper.from_array(np.array(0, np.float32), "zero"),
            numpy_helper.from_array(np.array([-1]), "all"),
        ]
    )
    model.graph.output[0].type.tensor_type.ClearField("shape")
    with pytest.raises(BadGraph, match="more numbers for some rows than for others"):
        load(read(saved(model, tmp_path)))


def test_what_neither_knows_is_a_sentence(tmp_path):
    node = helper.make_node("Own", ["x"], ["y"], domain="elsewhere")
    with pytest.raises(BadGraph, match="onnxruntime cannot load the model"):
        load(read(saved(make([node], leave=("n", 5), domain="elsewhere"), tmp_path)))


def test_a_right_file_loads_with_gradients_and_nothing_to_say(tmp_path):
    graph, notes = load(read(saved(make(), tmp_path)))
    assert notes == ()
    x = torch.randn(2, 5, requires_grad=True)
    graph(x).sum().backward()
    assert x.grad.abs().min() > 0


def test_memory_that_only_a_run_asks_for_is_refused_before_torch_computes_anything(tmp_path):
    nodes = [
        helper.make_node("Exp", ["k"], ["many"]),
        helper.make_node("Cast", ["many"], ["sizes"], to=TensorProto.INT64),
        helper.make_node("ConstantOfShape", ["sizes"], ["bomb"]),
        helper.make_node("ReduceMax", ["bomb"], ["zero"], keepdims=0),
        helper.make_node("Add", ["x", "zero"], ["y"]),
    ]
    model = make(nodes, leave=("n", 5), k=np.array([30.0], np.float32))
    with pytest.raises(BadGraph, match=r"onnxruntime cannot run the model .*ConstantOfShape"):
        load(read(saved(model, tmp_path)))


def networks():
    return sorted(Path(os.environ["PELLUCID_DATA"], "vnncomp2021").rglob("*.onnx"))


@pytest.mark.skipif("PELLUCID_DATA" not in os.environ, reason="PELLUCID_DATA is not set")
def test_the_networks_of_vnncomp_agree():
    for path in networks():
        model, notes = load(read(path))
        assert isinstance(model, Graph), path
        assert not model.one_by_one
        assert notes == ()


@pytest.mark.skipif("PELLUCID_DATA" not in os.environ, reason="PELLUCID_DATA is not set")
def test_import_and_check_of_a_small_network_take_less_than_half_a_second():
    path = next(path for path in networks() if "ACASXU" in path.name)
    started = time.perf_counter()
    load(read(path))
    assert time.perf_counter() - started < 0.5
