"""One attempt to ask a server: no redirect is followed, and no answer may be endless."""

import json
import time
import weakref
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from pellucid.remote.faults import BadAnswer, BadEndpoint, PassingFault
from pellucid.remote.plain import plain

LARGEST = 2**26  # bytes of one answer
ATTEMPTS = 4  # at most, where the fault may pass
ATTEMPTS_AT_500 = 2  # a server says 500 for a passing fault and for one that is there to stay
BUSY = (429, 502, 503, 504)
PATIENCE = 60.0  # the longest pause, in seconds, that a server may ask for
HEADERS = {
    "accept": "application/json",
    "accept-encoding": "identity",  # a small compressed answer may be a very large one
    "content-type": "application/json",
    "user-agent": "pellucid",
}


class Line:
    """A way to one address, kept open between requests until it is let go."""

    def __init__(self, url: str, timeout: float) -> None:
        """Ask below `url`; an attempt fails if it is silent for `timeout` s or not done by then."""
        self.url, self.timeout = url, timeout
        self._client = httpx.Client(timeout=timeout, follow_redirects=False, headers=HEADERS)
        weakref.finalize(self, self._client.close)

    def ask(self, method: str, path: str = "", content: bytes | None = None) -> bytes:
        """The body of the answer to one request.

        Raises:
            PassingFault: nothing came, or the server was busy or broken: it may pass.
            BadEndpoint: the server refused the request, or pointed somewhere else.
            BadAnswer: the answer was too large, or of a status that the protocol does not know.
        """
        late = time.monotonic() + self.timeout
        try:
            with self._client.stream(method, self.url + path, content=content) as response:
                self._refuse_redirect(response)
                body = self._body(response, late)
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise PassingFault(reason, attempts=ATTEMPTS) from error
        if response.status_code != httpx.codes.OK:
            self._refuse(response, _said(body))
        return body

    def _body(self, response: httpx.Response, late: float) -> bytes:
        """What comes over the line, as long as it is neither too much nor too slow."""
        body = bytearray()
        for piece in response.iter_raw():
            body += piece
            if len(body) > LARGEST:
                raise BadAnswer(
                    f"{self.url} answers with more than {LARGEST >> 20} MiB: ask for fewer rows a "
                    "call, or name the output that is wanted."
                )
            if time.monotonic() > late:
                reason = f"its answer was not complete after {self.timeout:g} s"
                raise PassingFault(reason, attempts=ATTEMPTS)
        return bytes(body)

    def _refuse_redirect(self, response: httpx.Response) -> None:
        """BadEndpoint if the server points somewhere else: that is for the user to decide."""
        if not 300 <= response.status_code < 400:
            return
        try:
            target = httpx.URL(response.headers.get("location", ""))
        except httpx.InvalidURL:
            target = httpx.URL("")
        where = f"{target.scheme}://{target.netloc.decode('ascii')}" if target.host else "elsewhere"
        raise BadEndpoint(
            f"{self.url} redirects to {plain(where)}, which is not followed: give the address "
            "that it should lead to, if you trust it."
        )

    def _refuse(self, response: httpx.Response, said: str) -> None:
        """Raise what an answer without success means."""
        status = response.status_code
        reason = f"status {status}{said}"
        if status in BUSY:
            wait = _pause_asked(response.headers.get("retry-after", ""))
            if wait > PATIENCE:
                raise PassingFault(f"{reason}, come back in {wait:.0f} s", attempts=1)
            raise PassingFault(reason, attempts=ATTEMPTS, wait=wait)
        if status == httpx.codes.INTERNAL_SERVER_ERROR:
            raise PassingFault(reason, attempts=ATTEMPTS_AT_500)
        if status == httpx.codes.NOT_FOUND:
            raise BadEndpoint(f"There is no model at {self.url} ({reason}): check its name.")
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise BadEndpoint(
                f"{self.url} wants to know who asks ({reason}): only open endpoints can be asked."
            )
        if 400 <= status < 500:
            raise BadEndpoint(
                f"{self.url} refused the request ({reason}): check shape, dtype, output and rows "
                "a call."
            )
        raise BadAnswer(
            f"{self.url} answered with {reason}, which the protocol does not know: check that it "
            "is an endpoint of the Open Inference Protocol."
        )


def _pause_asked(header: str) -> float:
    """The seconds of a Retry-After, which are a number or lie before a date; 0 for neither."""
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        return (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):  # no date, or one without a time zone
        return 0.0


def _said(body: bytes) -> str:
    """What the server says of an error, to stand after the status."""
    text = body[:10_000].decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    match document:
        case {"error": str(text)} | {"detail": str(text)}:
            pass
    text = plain(text)
    return f": {text}" if text else ""
