"""One attempt to ask a server: no redirect is followed, and no answer may be endless."""

import json
import ssl
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from pellucid.remote.bearer import Bearer, loopback
from pellucid.remote.faults import BadAnswer, BadEndpoint, PassingFault
from pellucid.remote.plain import plain
from pellucid.remote.terms import VARIABLE

LARGEST = 2**26  # bytes of one answer
ATTEMPTS = 4  # at most, where the fault may pass
ATTEMPTS_AT_500 = 2  # a server says 500 for a passing fault and for one that is there to stay
BUSY = (429, 502, 503, 504)
PATIENCE = 60.0  # the longest pause, in seconds, that a server may ask for
HEADERS = {
    "accept": "application/json",
    "accept-encoding": "identity",  # a small compressed answer may be a very large one
    "user-agent": "pellucid",
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is sent to a path below an address, or to another address."""

    method: str = "POST"
    path: str = ""
    url: str | None = None
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back, the token hidden should the server have repeated it."""

    body: bytes
    headers: Mapping[str, str]  # names in lower case


class Line:
    """A way to one address, kept open between requests until it is let go."""

    def __init__(self, url: str, timeout: float, bearer: Bearer | None = None) -> None:
        """Ask below `url`; an attempt fails if it is silent for `timeout` s or not done by then."""
        self.url, self.timeout, self._bearer = url, timeout, bearer
        where = httpx.URL(url)
        self._client = httpx.Client(
            auth=bearer,
            timeout=timeout,
            follow_redirects=False,
            headers=HEADERS,
            limits=httpx.Limits(max_connections=None),  # who asks decides how much at once
            # no proxy stands before this machine itself, and none is to read a token
            trust_env=where.scheme == "https" or not loopback(where),
        )
        weakref.finalize(self, self._client.close)

    def ask(self, request: Request) -> Reply:
        """The answer to one request.

        Raises:
            PassingFault: nothing came, or the server was busy or broken: it may pass.
            BadEndpoint: the server refused the request, pointed somewhere else, or cannot prove
                who it is.
            BadAnswer: the answer was too large, or of a status that the protocol does not know.
        """
        late = time.monotonic() + self.timeout
        try:
            with self._client.stream(
                request.method,
                (request.url or self.url) + request.path,
                content=request.content or None,
                headers=request.headers,
            ) as response:
                self._refuse_redirect(response)
                body = self._hidden(self._body(response, late))
        except httpx.TransportError as error:
            self._refuse_certificate(error)
            reason = plain(str(error)) or type(error).__name__
            raise PassingFault(reason, attempts=ATTEMPTS) from error
        if response.status_code != httpx.codes.OK:
            self._refuse(response, _said(body))
        return Reply(body=body, headers=dict(response.headers))

    def _hidden(self, said: bytes) -> bytes:
        return said if self._bearer is None else self._bearer.hidden(said)

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
        location = self._hidden(response.headers.get("location", "").encode())
        try:
            target = httpx.URL(location.decode())
        except httpx.InvalidURL:
            target = httpx.URL("")
        where = f"{target.scheme}://{target.netloc.decode('ascii')}" if target.host else "elsewhere"
        raise BadEndpoint(
            f"{self.url} redirects to {plain(where)}, which is not followed: give the address "
            "that it should lead to, if you trust it."
        )

    def _refuse_certificate(self, error: httpx.TransportError) -> None:
        """BadEndpoint if the server's certificate is why nothing came: that does not pass."""
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                raise BadEndpoint(
                    f"The certificate of {self.url} cannot be trusted "
                    f"({plain(cause.verify_message)}): have it mended, or, if you know whose it "
                    "is, name the file of its authority in SSL_CERT_FILE."
                ) from error
            cause = cause.__cause__ or cause.__context__

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
            raise BadEndpoint(f"{self.url} {self._unwelcome(reason)}")
        if 400 <= status < 500:
            raise BadEndpoint(
                f"{self.url} refused the request ({reason}): check shape, dtype, output and rows "
                "a call."
            )
        raise BadAnswer(
            f"{self.url} answered with {reason}, which the protocol does not know: check that it "
            "is an endpoint of the Open Inference Protocol, or describe it by a mapping."
        )

    def _unwelcome(self, reason: str) -> str:
        if self._bearer is None:
            return (
                f"wants to know who asks ({reason}): put a bearer token into the environment "
                f"variable {VARIABLE}, or name the one that holds it (--token)."
            )
        return (
            f"does not let in who has the token in {self._bearer.variable} ({reason}): check that "
            "it is whole, still valid, and meant for this model."
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
