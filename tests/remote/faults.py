"""A proxy that hands requests on to a server, and does harm to some of them on purpose.

What is corrupted is made unreadable: bytes that stay readable (another digit) can be told from
right ones by nobody, and are what TCP and TLS have checksums for.
"""

import http.client
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

STALL = 1.5  # seconds: longer than the tests wait for an answer


class FaultProxy(ThreadingHTTPServer):
    """Harms a share of the questions that pass, each kind as often, as the seed draws.

    A question is never harmed in the same way twice running: what is meant are faults that pass.
    """

    daemon_threads = True

    def __init__(self, upstream, kinds, *, seed=0, share=0.2):
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.kinds, self.share = upstream, kinds, share
        self.rng, self.lock = np.random.default_rng(seed), threading.Lock()
        self.done = []  # the harm that was done, in order
        self.last = {}  # by question

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v2/models/linear"

    def harm(self, question):
        """What is to be done to this question; None for nothing."""
        with self.lock:
            kind = self.kinds[self.rng.integers(len(self.kinds))]
            if self.rng.random() >= self.share or self.last.get(question) == kind:
                kind = None
            self.last[question] = kind
            if kind is not None:
                self.done.append(kind)
            return kind

    def place(self, size):
        """Somewhere in so many bytes."""
        with self.lock:
            return int(self.rng.integers(size))

    def handle_error(self, request, client_address):
        """Say nothing of those who no longer wait."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for the other side

    def do_GET(self):
        self.tell(*self.fetched(b""))

    def do_POST(self):
        question = self.rfile.read(int(self.headers.get("content-length", 0)))
        kind = self.server.harm(question)
        if kind is None:
            self.tell(*self.fetched(question))
        else:
            HARM[kind](self, question)

    def fetched(self, question):
        """The server's own answer."""
        line = http.client.HTTPConnection("127.0.0.1", self.server.upstream.server_port)
        try:
            line.request(self.command, self.path, question, {"content-type": "application/json"})
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def tell(self, status, body, *, size=None, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body) if size is None else size))
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self):
        self.close_connection = True

    def log_message(self, *_):
        pass


def refuse(status):
    """Answer with a status, and ask the server nothing."""

    def act(handler, _question):
        handler.tell(status, b"{}", headers=[("retry-after", "0")])

    return act


def fail(handler, question):
    """The server has done its work, and stumbles over the answer."""
    handler.fetched(question)
    handler.tell(500, b'{"error": "stumbled"}')


def drop(handler, _question):
    handler.hang_up()


def drop_answer(handler, question):
    handler.fetched(question)
    handler.hang_up()


def delay(handler, question):
    time.sleep(0.05)
    handler.tell(*handler.fetched(question))


def stall(handler, question):
    status, body = handler.fetched(question)
    time.sleep(STALL)
    handler.tell(status, body)


def truncate(handler, question):
    """Less than was announced."""
    status, body = handler.fetched(question)
    handler.tell(status, body[: handler.server.place(len(body))], size=len(body))
    handler.hang_up()


def shorten(handler, question):
    """As much as was announced, and not all."""
    status, body = handler.fetched(question)
    handler.tell(status, body[: handler.server.place(len(body))])


def corrupt(handler, question):
    status, body = handler.fetched(question)
    where = handler.server.place(len(body))
    handler.tell(status, body[:where] + b"\xff\xfe" + body[where + 2 :])


def forget(handler, question):
    """A number that is none."""
    status, body = handler.fetched(question)
    document = json.loads(body)
    data = document["outputs"][0]["data"]
    data[handler.server.place(len(data))] = float("nan")
    handler.tell(status, json.dumps(document).encode())


HARM = {
    "429": refuse(429),
    "503": refuse(503),
    "500": fail,
    "drop": drop,
    "drop answer": drop_answer,
    "delay": delay,
    "stall": stall,
    "truncate": truncate,
    "shorten": shorten,
    "corrupt": corrupt,
    "nan": forget,
}
