"""The address of a model: http(s)://HOST/v2/models/NAME, and nothing secret in it."""

import re

import httpx

from pellucid.remote.faults import BadEndpoint
from pellucid.remote.plain import plain
from pellucid.remote.terms import VARIABLE

PATH = re.compile(r"(/[^/]+)*/v2/models/[^/]+(/versions/[^/]+)?")
HOST = re.compile(r"[\w.:-]+")  # a name in any script, or a number
FORM = (
    "give http://HOST:PORT/v2/models/NAME, with /versions/VERSION after it if you like; an "
    "endpoint of another kind needs a mapping (--mapping)"
)
MAPPED_PATH = re.compile(r"(/[^/]+)*")
MAPPED_FORM = "give http://HOST:PORT, with a path after it if you like"


def address(text: str, *, mapped: bool = False) -> str:
    """A model's address in normal form: lower case host, no default port, no slash at the end.

    A proxy's prefix may stand before /v2; where a mapping says what follows, any path may.

    Raises:
        BadEndpoint: it is no such address, or carries credentials, a query or a fragment.
    """
    if "@" in text:  # before anything is read: a password with a slash in it looks like a path
        raise BadEndpoint(
            "The address of the model carries credentials, which would end up in reports and "
            f"stores: leave out all before the @, and put a token into the variable {VARIABLE}."
        )
    fits, form = (MAPPED_PATH, MAPPED_FORM) if mapped else (PATH, FORM)
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise BadEndpoint(f"The address cannot be read ({plain(str(error))}): {form}.") from error
    host = plain(url.host)
    named = HOST.fullmatch(host) and (url.port or 0) < 2**16
    if url.query or url.fragment:
        raise BadEndpoint(
            f"The address of the model on {host} goes on after a ? or a #: leave that out."
        )
    path = url.raw_path.decode("ascii").rstrip("?").rstrip("/")
    if url.scheme not in ("http", "https") or not named or not fits.fullmatch(path):
        raise BadEndpoint(f"{plain(text)} is not the address of a model: {form}.")
    return str(url.copy_with(raw_path=path.encode("ascii"), fragment=None)).rstrip("/")
