"""A real HTTP server, on a thread of its own, that speaks the protocol and can be told to fail."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from pellucid.remote.messages import TYPES

WEIGHT = np.arange(12.0).reshape(4, 3) - 5
METADATA = {
    "name": "linear",
    "versions": ["1"],
    "platform": "numpy",
    "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}],
    "outputs": [{"name": "scores", "datatype": "FP64", "shape": [-1, 3]}],
}


def linear(x):
    return x.astype(np.float64) @ WEIGHT


class Server(ThreadingHTTPServer):
    """Serves a linear model; each entry of `script` answers one request in its place."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.metadata, self.script = METADATA, []
        self.extensions = []
        self.token = None  # what who asks must bring, if anything
        self.requests, self.authorizations, self.rows = [], [], 0
        self.asked = []  # the bytes of every row that was answered
        self.lock = threading.Lock()
        self.plain = None  # answers questions in JSON of its own form
        self.delay = 0.0  # seconds that each answer takes
        self.meeting = None  # a barrier that questions wait at
        self.under_way, self.most_under_way = 0, 0  # questions

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v2/models/linear"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for the other side

    def do_GET(self):
        told = {"name": "test", "version": "1", "extensions": self.server.extensions}
        self.serve(lambda: told if self.path == "/v2" else self.server.metadata)

    def do_POST(self):
        plain = self.server.plain
        self.serve(self.infer if plain is None else lambda: plain(json.loads(self.said)))

    def do_PUT(self):
        self.do_POST()

    def serve(self, usual):
        self.said = self.rfile.read(int(self.headers.get("content-length", 0)))
        brought = self.headers.get("authorization")
        with self.server.lock:
            self.server.requests.append((self.command, self.path, self.said))
            self.server.authorizations.append(brought)
            act = self.server.script.pop(0) if self.server.script else None
        if self.server.token is not None and brought != f"Bearer {self.server.token}":
            act = send({"error": f"you brought {brought}"}, status=401)
        (act or send(usual()))(self)

    def infer(self):
        size = self.headers.get("inference-header-content-length")
        head, rest = self.said[: size and int(size)], self.said[int(size or 0) :]
        asked = json.loads(head)
        (given,) = asked["inputs"]
        kind = TYPES[given["datatype"]]
        if size is None:
            x = np.array(given["data"], dtype=kind)
        else:
            assert given["parameters"] == {"binary_data_size": len(rest)}
            x = np.frombuffer(rest, kind)
        answer = self.answer(x.reshape(given["shape"]))
        return answer if size is None else binary(answer)

    def answer(self, x):
        server = self.server
        with server.lock:
            server.rows += len(x)
            server.asked += [row.tobytes() for row in x]
            server.under_way += 1
            server.most_under_way = max(server.most_under_way, server.under_way)
        if server.meeting is not None:
            server.meeting.wait()
        time.sleep(server.delay)
        with server.lock:
            server.under_way -= 1
        return tensor(linear(x))

    def log_message(self, *_):
        pass


def tensor(values, name="scores", datatype="FP64", **changed):
    values = np.asarray(values)
    out = {"name": name, "shape": list(values.shape), "datatype": datatype}
    return {"model_name": "linear", "outputs": [out | {"data": values.ravel().tolist()} | changed]}


def binary(document, rest=None, **changed):
    """The document with its tensor as bytes after it: a body, and its header."""
    (given,) = document["outputs"]
    data = np.array(given["data"], TYPES[given["datatype"]]).tobytes() if rest is None else rest
    slot = {name: part for name, part in given.items() if name != "data"}
    slot |= {"parameters": {"binary_data_size": len(data)}} | changed
    head = json.dumps(document | {"outputs": [slot]}).encode()
    return head + data, [("inference-header-content-length", str(len(head)))]


def send(document=None, *, status=200, headers=(), body=None):
    """Answer with a document (or what `binary` made of one), or with a body as it is."""
    if isinstance(document, tuple):
        body, headers = document

    def act(handler):
        told = json.dumps(document).encode() if body is None else body
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(told)))
        handler.end_headers()
        handler.wfile.write(told)

    return act


def hang_up(handler):
    """Say nothing, and close the connection."""
    handler.close_connection = True


def dribble(handler):
    """A byte now and then, for longer than anybody waits; ends when the other side has gone."""
    handler.send_response(200)
    handler.send_header("content-length", "1000000")
    handler.end_headers()
    gone = threading.Event()
    try:
        while not gone.wait(0.02):
            handler.wfile.write(b" ")
    except OSError:
        handler.close_connection = True


def flood(handler):
    """An answer that says it has 10 GB, and sends as much as the other side takes."""
    handler.send_response(200)
    handler.send_header("content-length", str(10 * 2**30))
    handler.end_headers()
    try:
        for _ in range(10 * 2**10):
            handler.wfile.write(bytes(2**20))
    except OSError:
        handler.close_connection = True


@contextmanager
def serving(make=Server):
    """A server that runs as long as the block."""
    with make() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
