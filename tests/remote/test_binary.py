"""Tensors as bytes: every type there and back, where the server offers it, and nothing else."""

import json

import numpy as np
import pytest
from tests.remote.server import binary, linear, send, serving, tensor
from tests.remote.test_messages import extremes

from pellucid.remote import BadAnswer, Endpoint, Terms
from pellucid.remote.binary import HEADER, offered
from pellucid.remote.line import Reply
from pellucid.remote.messages import TYPES, answer, question

X = np.random.default_rng(0).random((5, 4), dtype=np.float32)
GOOD = tensor([[1.0, 2.0], [3.0, 4.0]])


@pytest.fixture
def server():
    with serving() as server:
        server.extensions = ["classification", "binary_tensor_data"]
        yield server


def read(parts, rows=2, output=None):
    body, headers = parts
    return answer(
        Reply(body=body, headers=dict(headers)), rows=rows, output=output, url="http://host"
    )


def test_bytes_travel_where_the_server_offers_it(server):
    endpoint = Endpoint.open(server.url, terms=Terms(pause=0.001))
    assert endpoint.raw
    got = endpoint(X)
    assert got.dtype == np.float64
    np.testing.assert_array_equal(got, linear(X))
    sent = server.requests[-1][2]
    assert sent.endswith(X.tobytes())
    assert b'"binary_data":true' in sent
    server.extensions = []
    plain = Endpoint.open(server.url)
    assert not plain.raw
    np.testing.assert_array_equal(plain(X), got)
    assert plain.fingerprint() == endpoint.fingerprint()


def test_a_server_may_answer_in_json_all_the_same(server):
    endpoint = Endpoint.open(server.url)
    server.script = [send(tensor(linear(X)))]
    np.testing.assert_array_equal(endpoint(X), linear(X))


@pytest.mark.parametrize("status", [404, 401, 500, 503])
def test_a_server_that_does_not_tell_is_asked_in_json(server, status):
    server.script = [send(server.metadata), send({"error": "no"}, status=status)]
    endpoint = Endpoint.open(server.url)
    assert not endpoint.raw
    np.testing.assert_array_equal(endpoint(X), linear(X))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (b'{"name": "triton", "extensions": ["binary_tensor_data"]}', True),
        (b'{"extensions": [3, "binary_tensor_data_extension"]}', True),
        (b'{"extensions": ["statistics"]}', False),
        (b'{"extensions": "binary_tensor_data"}', False),
        (b"[]", False),
        (b"<html>", False),
    ],
)
def test_what_counts_as_an_offer(told, expected):
    assert offered(Reply(body=told, headers={})) == expected


@pytest.mark.parametrize("datatype", TYPES)
def test_every_number_comes_back_as_it_went(datatype):
    x = extremes(TYPES[datatype])
    asked = question(x, name="x", output=None, raw=True)
    size = int(asked.headers[HEADER])
    head = json.loads(asked.content[:size])
    assert head["parameters"] == {"binary_data_output": True}
    (given,) = head["inputs"]
    assert "data" not in given
    assert given["parameters"] == {
        "binary_data_size": len(asked.content) - size == x.nbytes and x.nbytes
    }
    body = json.dumps({"outputs": [given]}).encode()
    got = read((body + asked.content[size:], [(HEADER, str(len(body)))]))
    assert got.dtype == x.dtype
    np.testing.assert_array_equal(got, x)


def test_what_json_cannot_carry_travels():
    x = np.array([[np.nan, np.inf], [-np.inf, 0.0]], dtype=np.float32)
    asked = question(x, name="x", output="y", raw=True)
    assert asked.content.endswith(x.tobytes())


def test_the_output_that_is_wanted_is_found_among_several():
    first, second = np.float32([1, 2]), np.int64([[3, 4], [5, 6]])
    slots = [
        {"name": "a", "datatype": "FP32", "shape": [2], "parameters": {"binary_data_size": 8}},
        {"name": "b", "datatype": "INT8", "shape": [2], "data": [7, 8]},
        {"name": "c", "datatype": "INT64", "shape": [2, 2], "parameters": {"binary_data_size": 32}},
    ]
    head = json.dumps({"outputs": slots}).encode()
    parts = head + first.tobytes() + second.tobytes(), [(HEADER, str(len(head)))]
    assert read(parts, output="a").tolist() == [1.0, 2.0]
    assert read(parts, output="b").tolist() == [7, 8]
    assert read(parts, output="c").tolist() == [[3, 4], [5, 6]]


def headed(told, body=b"{}"):
    return body, [(HEADER, told)]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (headed("three"), "does not tell where"),
        (headed("-1"), "does not tell where"),
        (headed("3"), "does not tell where"),
        (headed("9" * 5000), "does not tell where"),
        (headed("0"), "not JSON"),
        (headed("2"), "no outputs"),
        (binary(GOOD, b"1234567"), "7 bytes for 4 numbers of 8"),
        (binary(GOOD, bytes(40)), "40 bytes for 4 numbers of 8"),
        (binary(GOOD, bytes(32), parameters={"binary_data_size": 31}), "31 bytes, and 32 came"),
        (binary(GOOD, bytes(31), parameters={"binary_data_size": 32}), "32 bytes, and 31 came"),
        (binary(GOOD, bytes(32), parameters={"binary_data_size": -1}), "0 bytes, and 32 came"),
        (binary(GOOD, bytes(32), parameters={"binary_data_size": "32"}), "0 bytes, and 32 came"),
        (binary(GOOD, bytes(32), parameters={}), "0 bytes, and 32 came"),
        (binary(GOOD, bytes(32), shape=[3, 2]), r"shape is \(3, 2\)"),
        (binary(GOOD, bytes(32), shape=[2, 10**12]), "32 bytes for"),
        (binary(GOOD, bytes(32), datatype="BYTES"), "BYTES is not one of numbers"),
        (binary(GOOD, b"\x00\x01\x02\x01", datatype="BOOL"), "not all 0 or 1"),
        (binary(GOOD, bytes(32), name="other", shape=None), "lacks a shape"),
    ],
)
def test_what_was_not_agreed_is_named(parts, words):
    with pytest.raises(BadAnswer, match=words):
        read(parts)
