"""What servers say of their models, and what cannot be asked."""

import json

import pytest

from pellucid.remote import BadEndpoint
from pellucid.remote.metadata import Metadata, Slot

X = {"name": "x", "datatype": "FP32", "shape": [-1, 4]}
Y = {"name": "y", "datatype": "FP32", "shape": [-1, 3]}


def parse(**parts):
    return Metadata.parse(json.dumps({"name": "m"} | parts).encode(), "http://host")


def test_all_that_is_told_is_kept():
    found = parse(versions=["1", "2"], platform="onnx", inputs=[X], outputs=[Y], parameters={})
    assert found == Metadata(
        name="m",
        versions=("1", "2"),
        platform="onnx",
        inputs=(Slot(name="x", datatype="FP32", shape=(-1, 4)),),
        outputs=(Slot(name="y", datatype="FP32", shape=(-1, 3)),),
    )


def test_next_to_nothing_may_be_told():
    assert parse() == parse(versions=[], platform="", inputs=None, outputs=[])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"name": 3}',
        b'{"name": "m", "inputs": {}}',
        b'{"name": "m", "inputs": [3]}',
        b'{"name": "m", "inputs": [{"name": "x", "datatype": "FP32"}]}',
        b'{"name": "m", "outputs": [{"name": "x", "datatype": "FP32", "shape": ["a"]}]}',
    ],
)
def test_what_is_no_metadata_is_said(body):
    with pytest.raises(BadEndpoint, match="does not describe a model"):
        Metadata.parse(body, "http://host")


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([X, X | {"name": "mask"}], r"takes 2 inputs \(x, mask\)"),
        ([X | {"datatype": "BYTES"}], "takes BYTES, and only numbers"),
        ([X | {"shape": [32, 4]}], "exactly 32 rows a call"),
    ],
)
def test_inputs_that_cannot_be_sent_are_named(inputs, words):
    with pytest.raises(BadEndpoint, match=words):
        parse(inputs=inputs)


def test_an_output_of_text_is_refused_only_where_it_is_read():
    found = parse(outputs=[Y, Y | {"name": "text", "datatype": "BYTES"}])
    assert found.read("y", "http://host") == found.outputs[0]
    with pytest.raises(BadEndpoint, match="output text of http://host is of type BYTES"):
        found.read("text", "http://host")
