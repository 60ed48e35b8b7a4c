"""An endpoint asked over real connections: what it tells, counts, survives and refuses."""

import copy
import gc
import json
import socket
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import numpy as np
import pytest
from tests.remote.server import (
    METADATA,
    dribble,
    flood,
    hang_up,
    linear,
    send,
    serving,
    tensor,
)

from pellucid.box.answerer import Answerer
from pellucid.errors import UserError
from pellucid.remote import BadAnswer, BadEndpoint, Endpoint, EndpointDown, Terms

X = np.random.default_rng(0).random((5, 4), dtype=np.float32)


@pytest.fixture
def server():
    with serving() as server:
        yield server


@pytest.fixture
def endpoint(server):
    return Endpoint.open(server.url, terms=Terms(timeout=5.0, pause=0.001))


def changed(**parts):
    return copy.deepcopy(METADATA) | parts


def slot(name="x", datatype="FP32", shape=(-1, 4)):
    return {"name": name, "datatype": datatype, "shape": list(shape)}


def test_rows_are_answered_and_counted(server, endpoint):
    assert isinstance(endpoint, Answerer)
    for _ in range(2):
        got = endpoint(X)
        assert got.dtype == np.float64
        np.testing.assert_array_equal(got, linear(X))
    assert (endpoint.calls, endpoint.rows) == (2, 10)
    assert server.rows == 10
    assert [request[:2] for request in server.requests] == [
        ("GET", "/v2/models/linear"),
        ("GET", "/v2"),
        ("POST", "/v2/models/linear/infer"),
        ("POST", "/v2/models/linear/infer"),
    ]


def test_what_the_server_tells_can_be_read(endpoint):
    assert (endpoint.shape, endpoint.dtype) == ((4,), "float32")
    assert (endpoint.output, endpoint.outputs) == ("scores", 3)
    assert (endpoint.platform, endpoint.rows_per_call) == ("numpy", None)


@pytest.mark.parametrize(
    ("inputs", "outputs", "expected"),
    [
        ([], [], (None, None, None, None, None)),
        ([slot(shape=[-1])], [slot("y", shape=[-1])], (None, "float32", "y", 1, None)),
        ([slot(shape=[1, -1, 3])], [slot("y", "INT64", [1, 1])], ((None, 3), "float32", "y", 1, 1)),
        ([slot(datatype="BOOL")], [slot("y", "BOOL", [-1, -1])], ((4,), None, "y", None, None)),
        ([slot(datatype="UINT8")], [slot("y", shape=[1, 2, 2])], ((4,), "uint8", "y", None, None)),
    ],
)
def test_a_server_may_tell_less(server, inputs, outputs, expected):
    server.metadata = changed(inputs=inputs, outputs=outputs)
    found = Endpoint.open(server.url)
    assert (
        found.shape,
        found.dtype,
        found.output,
        found.outputs,
        found.rows_per_call,
    ) == expected


def test_without_metadata_the_one_output_is_taken_whatever_its_name(server):
    server.metadata = {"name": "linear"}
    endpoint = Endpoint.open(server.url)
    np.testing.assert_array_equal(endpoint(X), linear(X))
    sent = json.loads(server.requests[-1][2])
    assert [part["name"] for part in sent["inputs"]] == ["input-0"]
    assert "outputs" not in sent


def test_an_output_is_asked_for_by_name(server):
    server.metadata = changed(outputs=[slot("label", "INT64", [-1]), slot("scores")])
    with pytest.raises(BadEndpoint, match=r"2 outputs \(label, scores\): say which"):
        Endpoint.open(server.url)
    with pytest.raises(BadEndpoint, match="no output called other: name label, scores"):
        Endpoint.open(server.url, output="other")
    endpoint = Endpoint.open(server.url, output="label")
    two = tensor(linear(X))
    two["outputs"] += tensor(np.arange(5), "label", "INT64")["outputs"]
    server.script.append(send(two))
    assert endpoint(X).tolist() == [0, 1, 2, 3, 4]
    assert json.loads(server.requests[-1][2])["outputs"] == [{"name": "label"}]


def test_rows_go_out_in_the_type_that_the_server_wants(server):
    for datatype, sent in (("INT32", [[1, 0, 2]]), ("BOOL", [[True, False, True]])):
        server.metadata = changed(inputs=[slot(datatype=datatype, shape=[-1, 3])])
        server.script = [*map(send, (server.metadata, {}, tensor([[0.0, 0.0, 0.0]])))]
        Endpoint.open(server.url)(np.array([[1.0, 0.0, 2.0]], dtype=np.float32))
        (given,) = json.loads(server.requests[-1][2])["inputs"]
        assert (given["datatype"], [given["data"]]) == (datatype, sent)


def test_the_fingerprint_is_of_the_address_and_the_metadata(server):
    first = Endpoint.open(server.url).fingerprint()
    assert Endpoint.open(f"{server.url}/").fingerprint() == first
    seen = {first, Endpoint.open(f"{server.url}/versions/1").fingerprint()}
    for parts in ({"versions": ["2"]}, {"platform": "torch"}, {"outputs": [slot("scores")]}):
        server.metadata = changed(**parts)
        seen.add(Endpoint.open(server.url).fingerprint())
    assert len(seen) == 5


@pytest.mark.parametrize(
    "fault",
    [send(status=status, body=b"busy") for status in (429, 500, 502, 503, 504)] + [hang_up],
)
def test_a_fault_that_passes_is_outlived(server, endpoint, fault):
    server.script = [fault]
    np.testing.assert_array_equal(endpoint(X), linear(X))
    assert (endpoint.calls, endpoint.rows, server.rows) == (2, 10, 5)


@pytest.mark.parametrize(("status", "attempts"), [(503, 4), (500, 2)])
def test_a_fault_that_stays_is_told_after_the_last_attempt(server, endpoint, status, attempts):
    server.script = [send({"error": "out of\n\x1b[31mmemory"}, status=status)] * 9
    with pytest.raises(EndpointDown) as caught:
        endpoint(X)
    assert f"attempts: {attempts}" in str(caught.value)
    assert f"status {status}: out of [31mmemory)" in str(caught.value)
    assert server.url in str(caught.value)
    assert caught.value.exit_code == 3
    assert endpoint.calls == attempts == 9 - len(server.script)


def test_nobody_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v2/models/linear"
        with pytest.raises(EndpointDown, match=r"attempts: 4.*refused"):
            Endpoint.open(url, terms=Terms(pause=0.001))


@pytest.mark.parametrize("date", [False, True])
def test_a_pause_that_the_server_asks_for_is_made(server, endpoint, date):
    now = datetime.now(UTC)
    asked = format_datetime(now + timedelta(seconds=2), usegmt=True) if date else "1"
    server.script = [send(status=429, headers=[("retry-after", asked)], body=b"")]
    endpoint(X)
    assert (datetime.now(UTC) - now).total_seconds() > 0.9


def test_a_pause_beyond_reason_is_not_made(server, endpoint):
    server.script = [send(status=503, headers=[("retry-after", "3600")], body=b"")]
    with pytest.raises(EndpointDown, match=r"attempts: 1.*come back in 3600 s"):
        endpoint(X)


@pytest.mark.parametrize("asked", ["soon", "-5", "nan", "Wed, 99 Foo 2020"])
def test_a_pause_that_says_nothing_is_ignored(server, endpoint, asked):
    server.script = [send(status=429, headers=[("retry-after", asked)], body=b"")]
    endpoint(X)
    assert endpoint.calls == 2


def test_too_slow_an_answer_has_failed_however_steadily_it_comes(server):
    endpoint = Endpoint.open(server.url, terms=Terms(timeout=0.2, pause=0.001))
    server.script = [dribble] * 4
    began = time.monotonic()
    with pytest.raises(EndpointDown, match=r"not complete after 0\.2 s"):
        endpoint(X)
    assert 0.8 <= time.monotonic() - began < 4
    server.script = [dribble]
    np.testing.assert_array_equal(endpoint(X), linear(X))


def test_an_answer_without_end_does_not_fill_the_memory(server, endpoint):
    server.script = [flood]
    tracemalloc.start()
    try:
        with pytest.raises(BadAnswer, match="more than 64 MiB"):
            endpoint(X)
        assert tracemalloc.get_traced_memory()[1] < 2**28
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(endpoint(X), linear(X))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(server, endpoint, status):
    with serving() as other:
        target = other.url.replace("//", "//user:secret@")
        server.script = [send(status=status, headers=[("location", target)], body=b"")]
        with pytest.raises(BadEndpoint, match="redirects to http://127") as caught:
            endpoint(X)
        assert not other.requests
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == 2
    server.script = [send(status=status, headers=[("location", "/elsewhere")], body=b"")]
    with pytest.raises(BadEndpoint, match="redirects to elsewhere"):
        Endpoint.open(server.url)


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (400, BadEndpoint, r"refused the request \(status 400: no\)"),
        (401, BadEndpoint, "wants to know who asks"),
        (403, BadEndpoint, "wants to know who asks"),
        (404, BadEndpoint, "There is no model at"),
        (413, BadEndpoint, "rows a call"),
        (422, BadEndpoint, "check shape"),
        (204, BadAnswer, "status 204"),
        (501, BadAnswer, "status 501"),
    ],
)
def test_a_refusal_is_told_at_once(server, endpoint, status, error, words):
    body = b"" if status == 204 else json.dumps({"detail": "no"}).encode()
    server.script = [send(status=status, body=body)]
    with pytest.raises(error, match=words):
        endpoint(X)
    assert endpoint.calls == 1


def test_a_long_refusal_is_cut(server, endpoint):
    server.script = [send(status=422, body=b"x" * 100_000)]
    with pytest.raises(BadEndpoint) as caught:
        endpoint(X)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b"9" * 10_000,
        json.dumps(tensor(np.zeros((4, 3)))).encode(),
        json.dumps(tensor(np.zeros((5, 3)), name="other")).encode(),
    ],
    ids=["nothing", "no text", "deep", "a long number", "fewer rows", "another output"],
)
def test_an_answer_that_was_not_agreed_is_asked_for_once_more_and_then_told(server, endpoint, body):
    server.script = [send(body=body)]
    np.testing.assert_array_equal(endpoint(X), linear(X))
    assert endpoint.calls == 2
    server.script = [send(body=body)] * 2
    with pytest.raises(BadAnswer, match="answered 5 rows") as caught:
        endpoint(X)
    assert caught.value.exit_code == 3
    assert endpoint.calls == 4


def test_a_compressed_answer_is_not_unpacked(server, endpoint):
    packed = [("content-encoding", "gzip")]
    server.script = [send(body=b"\x1f\x8b" + bytes(100), headers=packed)] * 2
    with pytest.raises(BadAnswer, match="not JSON"):
        endpoint(X)


def test_numbers_that_are_none_are_asked_for_once_more_and_then_come_back_as_such(server, endpoint):
    body = json.dumps(tensor(linear(X[:1]), data=[1.0, None, float("-inf")])).encode()
    server.script = [send(body=body)]
    np.testing.assert_array_equal(endpoint(X[:1]), linear(X[:1]))
    server.script = [send(body=body)] * 2
    np.testing.assert_array_equal(endpoint(X[:1]), [[1.0, np.nan, -np.inf]])
    assert endpoint.calls == 4


def test_rows_that_json_cannot_carry_are_not_sent(endpoint):
    with pytest.raises(UserError, match="not finite"):
        endpoint(np.array([[np.nan, 0, 0, 0]], dtype=np.float32))
    assert endpoint.calls == 0


def test_an_endpoint_that_is_let_go_hangs_up(server):
    endpoint = Endpoint.open(server.url)
    client = endpoint.sender._line._client
    del endpoint
    gc.collect()
    assert client.is_closed
