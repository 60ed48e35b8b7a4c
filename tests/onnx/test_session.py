"""onnxruntime as an answerer: one output, fixed batches, rows alone, faults in sentences."""

import os
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from pellucid.onnx.ports import BadGraph, Ports, ports
from pellucid.onnx.reading import read
from pellucid.onnx.session import Session, run, runtime

WEIGHT = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
ROWS = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
FLOAT = TensorProto.FLOAT


def value(name, sizes, elem_type=FLOAT):
    return helper.make_tensor_value_info(name, elem_type, sizes)


def model(nodes, entry, *exits, weights=(), domain=""):
    stored = [numpy_helper.from_array(np.asarray(array), name) for name, array in weights]
    graph = helper.make_graph(list(nodes), "g", [entry], list(exits), stored)
    opsets = [helper.make_opsetid("", 13)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def product(entry, leave):
    """x @ WEIGHT, with the sizes that are declared."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    return model(nodes, value("x", entry), value("y", leave), weights=[("w", WEIGHT)])


def relu(entry, leave, **types):
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    return model(nodes, value("x", entry, **types), value("y", leave, **types))


@pytest.mark.parametrize(
    ("entry", "leave", "shape", "batch", "rowless", "outputs"),
    [
        (["n", 5], ["n", 3], (5,), None, False, 3),
        ([None, 5], [None, None], (5,), None, False, None),
        ([-1, 5], [0, 3], (5,), None, False, 3),  # how some exporters write an open size
        (["n", 3, "h", "w"], None, (3, None, None), None, False, None),
        (["n"], ["n"], (), None, False, 1),
        ([1, 1, 1, 5], [1, 3], (1, 1, 5), 1, False, 3),
        ([1, 4, 5], [20], (4, 5), 1, False, 20),
        ([4, 5], [4, 3], (5,), 4, False, 3),
        ([4, 5], [4, 2, 3], (5,), 4, False, 6),
        ([5], [5], (5,), 1, True, 5),
        ([3, 8, 8], [1, 10], (3, 8, 8), 1, True, 10),
        ([], [], (), 1, True, 1),
    ],
)
def test_where_rows_go_in_and_answers_come_out(entry, leave, shape, batch, rowless, outputs):
    assert ports(relu(entry, leave)) == Ports(
        input="x",
        shape=shape,
        batch=batch,
        rowless=rowless,
        dtype="float32",
        output="y",
        outputs=outputs,
    )


def test_an_initialiser_is_no_input_even_where_it_is_listed_as_one():
    graph = product(["n", 5], ["n", 3])
    graph.graph.input.append(value("w", [5, 3]))
    assert ports(graph).input == "x"


def test_several_inputs_are_named():
    graph = product(["n", 5], ["n", 3])
    graph.graph.input.append(value("mask", ["n"]))
    with pytest.raises(BadGraph, match=r"takes 2 \('x', 'mask'\)"):
        ports(graph)


def test_inputs_that_are_no_numbers_or_have_no_shape():
    with pytest.raises(BadGraph, match="input 'x' takes STRING, not a tensor of numbers"):
        ports(relu(["n"], ["n"], elem_type=TensorProto.STRING))
    with pytest.raises(BadGraph, match="input 'x' declares no shape"):
        ports(relu(None, ["n"]))
    graph = relu(["n"], ["n"])
    tensor = helper.make_tensor_type_proto(FLOAT, [1])
    graph.graph.input[0].type.CopyFrom(helper.make_sequence_type_proto(tensor))
    with pytest.raises(BadGraph, match="input 'x' takes a value of type sequence_type"):
        ports(graph)


def two_outputs():
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["scores"]),
        helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=0),
    ]
    exits = (value("label", ["n"], TensorProto.INT64), value("scores", ["n", 3]))
    return model(nodes, value("x", ["n", 5]), *exits, weights=[("w", WEIGHT)])


def test_one_of_several_outputs_is_chosen_by_name():
    with pytest.raises(BadGraph, match=r"gives 2 outputs \('label', 'scores'\): say which"):
        Session(two_outputs())
    with pytest.raises(BadGraph, match="no output called 'score': choose one of 'label', 'scores'"):
        Session(two_outputs(), "score")
    scores = Session(two_outputs(), "scores")
    labels = Session(two_outputs(), "label")
    np.testing.assert_allclose(scores(ROWS), ROWS @ WEIGHT, rtol=1e-5, atol=1e-6)
    assert labels(ROWS).shape == (7, 1)
    assert labels(ROWS)[:, 0].tolist() == scores(ROWS).argmax(axis=1).tolist()
    assert scores.fingerprint() != labels.fingerprint()
    assert scores.fingerprint() == Session(two_outputs(), "scores").fingerprint()


def test_a_list_of_maps_says_how_to_export_without():
    graph = two_outputs()
    pair = helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(FLOAT, []))
    graph.graph.output[1].type.CopyFrom(helper.make_sequence_type_proto(pair))
    with pytest.raises(BadGraph, match=r"'scores' is a list of maps .* options={'zipmap': False}"):
        ports(graph, "scores")


@pytest.mark.parametrize(
    ("entry", "leave"),
    [(["n", 5], ["n", 3]), ([4, 5], [4, 3]), ([1, 5], [1, 3]), ([5], [3]), (["n", 5], None)],
)
@pytest.mark.parametrize("one_by_one", [False, True])
def test_rows_are_answered_whatever_the_graph_wants_at_once(entry, leave, one_by_one):
    session = Session(product(entry, leave), one_by_one=one_by_one)
    for n in (1, 3, 4, 7):
        answer = session(ROWS[:n])
        assert answer.shape == (n, 3)
        assert answer.dtype == np.float32
        np.testing.assert_allclose(answer, ROWS[:n] @ WEIGHT, rtol=1e-5, atol=1e-6)


def test_no_rows_have_no_answers():
    assert Session(product(["n", 5], ["n", 3]))(ROWS[:0]).shape == (0, 3)


def test_answers_of_any_rank_are_flat():
    entry = value("x", ["n", 2, 3])
    graph = model([helper.make_node("Relu", ["x"], ["y"])], entry, value("y", ["n", 2, 3]))
    x = np.random.default_rng(2).normal(size=(4, 2, 3)).astype(np.float32)
    np.testing.assert_array_equal(Session(graph)(x), x.clip(0).reshape(4, 6))


def test_rows_take_the_type_of_the_graph():
    for elem_type, dtype in ((TensorProto.DOUBLE, np.float64), (TensorProto.INT64, np.int64)):
        graph = model(
            [helper.make_node("Neg", ["x"], ["y"])],
            value("x", ["n", 5], elem_type),
            value("y", ["n", 5], elem_type),
        )
        assert Session(graph)(ROWS).dtype == dtype


def test_an_output_without_rows_is_refused_for_many_and_read_for_one():
    nodes = [helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)]
    graph = model(nodes, value("x", ["n", 5]), value("y", None), weights=[("axes", [0])])
    with pytest.raises(BadGraph, match=r"output has shape \(5,\) for 7 rows"):
        Session(graph)(ROWS)
    np.testing.assert_array_equal(Session(graph).alone()(ROWS), ROWS)


def test_an_operator_that_onnxruntime_does_not_know():
    nodes = [helper.make_node("Own", ["x"], ["y"], domain="elsewhere")]
    graph = model(nodes, value("x", ["n", 5]), value("y", ["n", 5]), domain="elsewhere")
    with pytest.raises(BadGraph, match=r"onnxruntime cannot load the model .*elsewhere") as caught:
        Session(graph)
    assert "\n" not in str(caught.value)


def test_a_run_that_fails_is_a_sentence():
    session = Session(product(["n", 5], ["n", 3]))
    with pytest.raises(BadGraph, match=r"onnxruntime cannot run the model .* check the shape"):
        session(ROWS[:, :4])


def test_memory_that_only_a_run_asks_for_is_bounded(capfd):
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["most"], keepdims=0),
        helper.make_node("Cast", ["most"], ["size"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["size", "one"], ["sizes"]),
        helper.make_node("ConstantOfShape", ["sizes"], ["bomb"]),
        helper.make_node("ReduceMax", ["bomb"], ["zero"], keepdims=0),
        helper.make_node("Add", ["x", "zero"], ["y"]),
    ]
    entry, leave = value("x", ["n", 5]), value("y", ["n", 5])
    session = Session(model(nodes, entry, leave, weights=[("one", [1])]))
    np.testing.assert_array_equal(session(np.full((2, 5), 9.0)), np.full((2, 5), 9.0))
    with pytest.raises(BadGraph, match=r"cannot run the model .*ConstantOfShape"):
        session(np.full((2, 5), 2.0**34))
    assert capfd.readouterr() == ("", "")


def endless(trips):
    """A graph that hands its rows from one trip of a loop to the next."""
    flag, number = value("more", [], TensorProto.BOOL), value("trip", [], TensorProto.INT64)
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["more"], ["still"]),
            helper.make_node("Identity", ["rows"], ["same"]),
        ],
        "body",
        [number, flag, value("rows", None)],
        [value("still", [], TensorProto.BOOL), value("same", None)],
    )
    node = helper.make_node("Loop", ["trips", "on", "x"], ["y"], body=body)
    weights = [("trips", trips), ("on", True)]
    return model([node], value("x", ["n", 5]), value("y", ["n", 5]), weights=weights)


def test_a_loop_that_ends_is_run_and_one_that_does_not_is_ended(monkeypatch):
    np.testing.assert_array_equal(Session(endless(9))(ROWS), ROWS)
    monkeypatch.setattr("pellucid.onnx.session.LONGEST", 0.3)
    with pytest.raises(BadGraph, match=r"A loop in the graph did not end in 0\.3 seconds"):
        Session(endless(2**62))(ROWS)


def test_the_values_of_all_names_can_be_read():
    graph = two_outputs()
    session = Session(graph, "scores")
    names = ["scores", "label"]
    scores, label = run(runtime(graph, optimise=False), names, {"x": session.fill(ROWS)})
    np.testing.assert_array_equal(scores.argmax(axis=1), label)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 8, 13, 31, 64])
def test_the_bits_of_a_row_are_the_same_alone_and_among_others(rows):
    session = Session(product(["n", 5], ["n", 3]))
    x = np.random.default_rng(3).normal(size=(rows, 5))
    np.testing.assert_array_equal(session(x), session.alone()(x))


@pytest.mark.skipif("PELLUCID_DATA" not in os.environ, reason="PELLUCID_DATA is not set")
def test_the_networks_of_vnncomp_answer():
    for path in sorted(Path(os.environ["PELLUCID_DATA"], "vnncomp2021").rglob("*.onnx")):
        session = Session(read(path))
        x = np.random.default_rng(4).random((3, *session.ports.shape))
        assert session(x).shape == (3, session.ports.outputs)
