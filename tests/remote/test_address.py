"""Addresses: one form each, and nothing in them that must not be told."""

import pytest

from pellucid.remote import BadEndpoint
from pellucid.remote.address import address


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("http://Host:8080/v2/models/signs/", "http://host:8080/v2/models/signs"),
        ("https://host:443/v2/models/a%2Fb", "https://host/v2/models/a%2Fb"),
        ("http://[::1]:80/v2/models/m/versions/3", "http://[::1]/v2/models/m/versions/3"),
        ("https://host/team/x/v2/models/m", "https://host/team/x/v2/models/m"),
    ],
)
def test_normal_form(text, normal):
    assert address(text) == normal
    assert address(normal) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://",
        "http:///v2/models/m",
        "ftp://host/v2/models/m",
        "file:///v2/models/m",
        "http://host",
        "http://host/v2/models",
        "http://host/v2/models/m/infer",
        "http://host/v2/models/m/versions",
        "http://host/v2/models/m/../../../admin",
        "http://host:99999999/v2/models/m",
        "http://ho st/v2/models/m",
        "http://host/v2/models/m\x1b[31m\n",
    ],
)
def test_other_addresses_are_refused_with_the_form(text):
    with pytest.raises(BadEndpoint, match="give http://HOST:PORT/v2/models/NAME") as caught:
        address(text)
    assert caught.value.exit_code == 2
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("user", ["user:secret@", "secret@", ":secret@"])
def test_credentials_are_refused_and_not_repeated(user):
    with pytest.raises(BadEndpoint, match="model carries credentials") as caught:
        address(f"http://{user}host/v2/models/m")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("tail", ["?token=secret", "#secret"])
def test_what_follows_the_path_is_refused_and_not_repeated(tail):
    with pytest.raises(BadEndpoint, match="leave that out") as caught:
        address(f"http://host/v2/models/m{tail}")
    assert "secret" not in str(caught.value)
