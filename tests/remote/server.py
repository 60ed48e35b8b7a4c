"""A real HTTP server, on a thread of its own, that speaks the protocol and can be told to fail."""

import json
import threading
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
        self.requests, self.rows = [], 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v2/models/linear"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.serve(lambda: self.server.metadata)

    def do_POST(self):
        self.serve(self.infer)

    def serve(self, usual):
        self.said = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.requests.append((self.command, self.path, self.said))
        if self.server.script:
            self.server.script.pop(0)(self)
        else:
            send(usual())(self)

    def infer(self):
        (given,) = json.loads(self.said)["inputs"]
        x = np.array(given["data"], dtype=TYPES[given["datatype"]]).reshape(given["shape"])
        self.server.rows += len(x)
        return tensor(linear(x))

    def log_message(self, *_):
        pass


def tensor(values, name="scores", datatype="FP64", **changed):
    values = np.asarray(values)
    out = {"name": name, "shape": list(values.shape), "datatype": datatype}
    return {"model_name": "linear", "outputs": [out | {"data": values.ravel().tolist()} | changed]}


def send(document=None, *, status=200, headers=(), body=None):
    """Answer with a document, or with a body as it is."""

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
def serving():
    """A server that runs as long as the block."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
