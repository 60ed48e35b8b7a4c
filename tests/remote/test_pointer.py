"""JSON Pointers: the examples of RFC 6901, and what leads nowhere."""

import pytest

from pellucid.remote import BadEndpoint
from pellucid.remote.pointer import NotThere, found, placed, steps

DOCUMENT = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [  # section 5
        ("", DOCUMENT),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_the_examples_of_the_rfc(pointer, value):
    assert found(DOCUMENT, pointer) == value


def test_what_is_escaped_twice_is_read_once():
    assert steps("/~01") == ("~1",)


@pytest.mark.parametrize("pointer", ["foo", "foo/bar", "/~", "/~2", "/a~"])
def test_what_is_no_pointer_is_said(pointer):
    with pytest.raises(BadEndpoint, match="is no JSON Pointer"):
        found(DOCUMENT, pointer)


@pytest.mark.parametrize(
    ("pointer", "so_far"),
    [
        ("/bar/x", "/bar"),
        ("/foo/2", "/foo/2"),
        ("/foo/-", "/foo/-"),
        ("/foo/-1", "/foo/-1"),
        ("/foo/01", "/foo/01"),
        ("/foo/0/x", "/foo/0/x"),
        ("/foo/x/y", "/foo/x"),
        ("/foo/\u0661", "/foo/\u0661"),
    ],
)
def test_where_it_leads_nowhere_is_said(pointer, so_far):
    with pytest.raises(NotThere) as caught:
        found(DOCUMENT, pointer)
    assert str(caught.value) == f"nothing stands at {so_far}"


def test_a_value_is_placed_and_the_way_to_it_made():
    body = {"a": {"b": 1}}
    assert placed(body, "/a/c/d~1e", 2) == {"a": {"b": 1, "c": {"d/e": 2}}}
    assert placed(body, "", 3) == 3
    assert placed(body, "/a/b", 4) == {"a": {"b": 4}}
    assert body == {"a": {"b": 1}}
    with pytest.raises(BadEndpoint, match=r"Nothing can be put at /a/b/c.*'c' is no object"):
        placed(body, "/a/b/c", 5)
