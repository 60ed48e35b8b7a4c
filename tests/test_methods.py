"""Methods from strings and through JSON."""

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import UserError
from pellucid.methods import BadField, from_json, from_plain, to_json, with_fields


@dataclass(frozen=True, kw_only=True)
class Inner:
    norm: Literal["l2", "linf"] = "l2"
    radius: float | None = None


@dataclass(frozen=True, kw_only=True)
class Outer:
    room: ClassVar[str] = "no field"
    must: int
    share: float = 0.5
    on: bool = True
    word: str = "a"
    grains: tuple[int, ...] = (1, 4)
    pair: tuple[float, str] = (0.0, "b")
    inner: Inner = field(default_factory=Inner)


FINITE = st.floats(allow_nan=False)
INNERS = st.builds(Inner, norm=st.sampled_from(["l2", "linf"]), radius=st.none() | FINITE)
OUTERS = st.builds(
    Outer,
    must=st.integers(),
    share=FINITE,
    on=st.booleans(),
    word=st.text(),
    grains=st.lists(st.integers()).map(tuple),
    pair=st.tuples(FINITE, st.text()),
    inner=INNERS,
)


@given(OUTERS)
def test_fields_come_back_from_json(method):
    back = from_json(Outer, to_json(method))
    assert back == method
    assert repr(back) == repr(method)


def test_json_may_leave_out_what_has_a_default():
    assert from_json(Outer, '{"must": 3}') == Outer(must=3)


@pytest.mark.parametrize(
    ("texts", "due"),
    [
        ({"must": "3"}, Outer(must=3)),
        ({"share": "2"}, Outer(must=1, share=2.0)),
        ({"share": "1e-3"}, Outer(must=1, share=1e-3)),
        ({"share": "Infinity"}, Outer(must=1, share=math.inf)),
        ({"on": "False"}, Outer(must=1, on=False)),
        ({"on": "true"}, Outer(must=1)),
        ({"word": "7"}, Outer(must=1, word="7")),
        ({"word": "none"}, Outer(must=1, word="none")),
        ({"word": "true"}, Outer(must=1, word="true")),
        ({"word": "a,b"}, Outer(must=1, word="a,b")),
        ({"grains": "7"}, Outer(must=1, grains=(7,))),
        ({"grains": "1,4,14"}, Outer(must=1, grains=(1, 4, 14))),
        ({"grains": "[]"}, Outer(must=1, grains=())),
        ({"pair": '1.5,"c"'}, Outer(must=1, pair=(1.5, "c"))),
        ({"inner.radius": "0.5"}, Outer(must=1, inner=Inner(radius=0.5))),
        ({"inner.norm": "linf"}, Outer(must=1, inner=Inner(norm="linf"))),
        ({"inner.radius": "none"}, Outer(must=1)),
        ({"inner": '{"radius": 2}'}, Outer(must=1, inner=Inner(radius=2.0))),
        (
            {"inner": '{"radius": 2}', "inner.norm": "linf"},
            Outer(must=1, inner=Inner(norm="linf", radius=2.0)),
        ),
    ],
)
def test_strings_are_read_as_the_type_says(texts, due):
    assert with_fields(Outer, {"must": "1"} | texts) == due


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"grain": "3"}, "There is no field of Outer called 'grain': did you mean grains?"),
        ({"room": "3"}, "There is no field of Outer called 'room'"),
        ({"inner.radus": "3"}, "There is no field of Inner called 'radus': did you mean radius?"),
        ({"must": "three"}, "Outer.must takes a whole number, but it is given 'three'."),
        ({"must": "1.5"}, "Outer.must takes a whole number, but it is given '1.5'."),
        ({"must": "true"}, "Outer.must takes a whole number, but it is given 'true'."),
        ({"on": "1"}, "Outer.on takes true or false, but it is given '1'."),
        ({"grains": "1,x"}, "Outer.grains takes (a whole number, ...), but it is given '1,x'."),
        ({"pair": "1"}, "Outer.pair takes (a number, a word), but it is given '1'."),
        ({"inner": "l2"}, "Outer.inner takes Inner, but it is given 'l2'."),
        ({"inner.norm": "l3"}, "Inner.norm takes one of l2, linf, but it is given 'l3'."),
        ({"inner.radius": "far"}, "Inner.radius takes a number or none, but it is given 'far'."),
        ({"must.x": "1"}, "Outer.must has no fields of its own: set it as a whole."),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(texts, said):
    with pytest.raises(UserError) as caught:
        with_fields(Outer, {"must": "1"} | texts)
    assert str(caught.value).startswith(said)


def test_a_field_without_default_must_be_given():
    with pytest.raises(UserError, match="Outer has no default for must: give a value"):
        with_fields(Outer, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "The fields of Outer are no JSON"),
        ("[1]", "The fields of Outer must be one JSON object."),
        ('{"must": "3"}', "Outer.must takes a whole number, but it is given '3'."),
        ('{"must": 1, "inner": {"norm": 2}}', "Inner.norm takes one of l2, linf"),
    ],
)
def test_json_that_does_not_fit_is_said_in_a_sentence(text, said):
    with pytest.raises(UserError) as caught:
        from_json(Outer, text)
    assert str(caught.value).startswith(said)


@dataclass(frozen=True, kw_only=True)
class Open:
    settings: dict[str, object] = field(default_factory=dict)


def test_a_table_of_fields_is_taken_as_it_is():
    assert from_plain(Open, {"settings": {"steps": 3}}) == Open(settings={"steps": 3})
    with pytest.raises(BadField, match="a table of fields"):
        from_plain(Open, {"settings": 3})
