"""Questions and answers as JSON: every type of number there and back, and nothing else."""

import json

import numpy as np
import pytest
from tests.remote.server import tensor

from pellucid.remote import BadAnswer
from pellucid.remote.line import Reply
from pellucid.remote.messages import DATATYPES, TYPES, answer, question


def read(document, rows=2, output=None):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    reply = Reply(body=body, headers={})
    return answer(reply, rows=rows, output=output, url="http://host")


def extremes(kind):
    """The least and the greatest of a type, a third of the way between, and 1."""
    kind = np.dtype(kind)
    if kind == np.bool_:
        return np.array([[True, False], [False, True]])
    info = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
    return np.array([[info.min, info.max], [info.max // 3, 1]], dtype=kind)


@pytest.mark.parametrize("datatype", TYPES)
def test_every_number_comes_back_as_it_went(datatype):
    x = extremes(TYPES[datatype])
    sent = json.loads(question(x, name="x", output="y").content)
    assert sent["outputs"] == [{"name": "y"}]
    (given,) = sent["inputs"]
    assert (given["name"], given["shape"], given["datatype"]) == ("x", [2, 2], datatype)
    for data in (given["data"], x.tolist()):
        got = read({"outputs": [given | {"data": data}]})
        assert got.dtype == x.dtype
        np.testing.assert_array_equal(got, x)


def test_random_floats_come_back_bit_for_bit():
    for kind in (np.float16, np.float32, np.float64):
        x = np.random.default_rng(0).normal(size=(100, 7)).astype(kind)
        (given,) = json.loads(question(x, name="x", output=None).content)["inputs"]
        got = read({"outputs": [given]}, rows=100)
        assert got.tobytes() == x.tobytes()


def test_one_number_a_row_keeps_its_shape():
    assert read(tensor([3, 4], datatype="INT64")).shape == (2,)
    assert read(tensor([[3], [4]], datatype="INT64")).shape == (2, 1)


@pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64", "INT64"])
def test_what_is_no_number_is_not_finite(datatype):
    told = json.dumps({"outputs": [GOOD | {"datatype": datatype, "data": "data"}]})
    got = read(told.replace('"data": "data"', '"data": [[null, NaN], [-Infinity, 1e999]]').encode())
    np.testing.assert_array_equal(got, [[np.nan, np.nan], [-np.inf, np.inf]])


def test_what_a_float_cannot_hold_is_infinite():
    assert read(tensor([[1e30, 1.0]] * 2, datatype="FP16"))[0].tolist() == [np.inf, 1.0]


def test_whole_numbers_may_be_written_as_floats():
    got = read(tensor([1.0, 2.0], datatype="INT32"))
    assert got.dtype == np.int32
    assert got.tolist() == [1, 2]


GOOD = tensor([[1.0, 2.0], [3.0, 4.0]])["outputs"][0]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"nonsense", "not JSON"),
        (b"[1, 2]", "no outputs"),
        ({"outputs": {}}, "no outputs"),
        ({"outputs": []}, "outputs are none"),
        ({"outputs": [3]}, "outputs are none"),
        ({"outputs": [GOOD, GOOD | {"name": "b"}]}, "outputs are scores, b"),
        ({"outputs": [{"name": "y"}]}, "lacks a shape"),
        ({"outputs": [GOOD | {"shape": [3, 2]}]}, r"shape is \(3, 2\), not \(2, outputs\)"),
        ({"outputs": [GOOD | {"shape": [2, 2, 1]}]}, r"shape is \(2, 2, 1\)"),
        ({"outputs": [GOOD | {"shape": [2, -1]}]}, r"shape is \(2, -1\)"),
        ({"outputs": [GOOD | {"shape": [2, True]}]}, r"shape is \(2, True\)"),
        ({"outputs": [GOOD | {"shape": [2.0, 2]}]}, "lacks a shape"),
        ({"outputs": [GOOD | {"shape": []}]}, "lacks a shape"),
        ({"outputs": [GOOD | {"shape": [2, 10**12]}]}, "4 numbers for the shape"),
        ({"outputs": [GOOD | {"datatype": "BYTES"}]}, "BYTES is not one of numbers"),
        ({"outputs": [GOOD | {"data": [1.0, 2.0, 3.0]}]}, r"3 numbers for the shape \(2, 2\)"),
        ({"outputs": [GOOD | {"data": [[1.0, 2.0], [3.0]]}]}, "3 numbers"),
        ({"outputs": [GOOD | {"data": [[1.0, 2.0], 3.0, 4.0]}]}, "mixed"),
        ({"outputs": [GOOD | {"data": [[[1.0, 2.0], [3.0, 4.0]]]}]}, "2 numbers"),
        ({"outputs": [GOOD | {"data": [1.0, 2.0, "3.0", 4.0]}]}, "not all numbers"),
        ({"outputs": [GOOD | {"data": [1.0, 2.0, {}, 4.0]}]}, "not all numbers"),
        ({"outputs": [GOOD | {"data": "1234"}]}, "lacks a shape, a datatype or data"),
        ({"outputs": [GOOD | {"datatype": "UINT8", "data": [1, 2, 3, 300]}]}, "beyond.*UINT8"),
        ({"outputs": [GOOD | {"datatype": "INT64", "data": [1, 2, 3, 0.5]}]}, "whole numbers"),
        ({"outputs": [GOOD | {"data": [1, 2, 3, 10**400]}]}, "beyond.*FP64"),
    ],
)
def test_what_was_not_agreed_is_named(document, words):
    with pytest.raises(BadAnswer, match=words):
        read(document)


def test_names_of_strangers_do_not_reach_the_terminal_as_they_are():
    with pytest.raises(BadAnswer) as caught:
        read({"outputs": [GOOD | {"name": "\x1b[2Ja"}, GOOD | {"name": "b" * 10_000}]})
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_each_type_has_one_name():
    assert {np.dtype(kind): name for name, kind in TYPES.items()} == DATATYPES
    assert len(DATATYPES) == len(TYPES)
