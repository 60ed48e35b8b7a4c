"""The bearer token of one origin: read from the environment, and shown to nobody else."""

import os
import re
from collections.abc import Generator
from ipaddress import ip_address

import httpx

from pellucid.remote.faults import BadEndpoint
from pellucid.remote.terms import VARIABLE, Terms

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # of an environment variable
SECRET = re.compile(r"[!-~]{8,4096}")  # what a header can carry; shorter ones guard nothing
HIDDEN = b"(the token)"


class Bearer(httpx.Auth):
    """Adds the token to requests to its own origin: scheme, host and port.

    The token is in no repr, and `hidden` takes it out of what a server says.
    """

    def __init__(self, secret: str, url: str, variable: str) -> None:
        """Keep a token, which came from the variable, for the origin of `url`."""
        self._secret, self._origin = secret, _origin(httpx.URL(url))
        self.variable = variable

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The request, with the token if it goes to the token's origin."""
        if _origin(request.url) == self._origin:
            request.headers["authorization"] = f"Bearer {self._secret}"
        yield request

    def hidden(self, said: bytes) -> bytes:
        """What a server said, without the token that it may repeat."""
        return said.replace(self._secret.encode(), HIDDEN)

    def __repr__(self) -> str:
        return f"Bearer({self.variable})"


def bearer(url: str, terms: Terms) -> Bearer | None:
    """The token for the endpoint at `url`, if the environment holds one.

    Raises:
        BadEndpoint: the variable that is named is not set or holds no token, or the token would
            travel in the clear to another machine.
    """
    if terms.token is None and terms.anonymous:
        return None
    variable = VARIABLE if terms.token is None else terms.token
    if not NAME.fullmatch(variable):
        # whoever gives the token itself must not read it again in a log
        raise BadEndpoint(
            "What stands for the token is not the name of an environment variable: put the token "
            f"into one, such as {VARIABLE}, and give its name."
        )
    secret = os.environ.get(variable, "").strip()
    if not secret and terms.token is None:
        return None
    if not secret:
        raise BadEndpoint(
            "The environment variable that is named for the token is not set or empty: put the "
            "token into it (the option takes its name, not the token)."
        )
    if not SECRET.fullmatch(secret):
        raise BadEndpoint(
            f"What {variable} holds is no token: one is 8 to 4096 characters of ASCII without "
            "spaces."
        )
    where = httpx.URL(url)
    if where.scheme != "https" and not loopback(where):
        raise BadEndpoint(
            f"The token in {variable} would travel to {where.host} in the clear: give an address "
            f"that begins with https, or unset {variable}."
        )
    return Bearer(secret, url, variable)


def loopback(url: httpx.URL) -> bool:
    """Whether the address is of this very machine."""
    try:
        return url.host == "localhost" or ip_address(url.host).is_loopback
    except ValueError:  # a name
        return False


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    default = {"http": 80, "https": 443}.get(url.scheme, 0)
    return url.scheme, url.host, url.port or default
