"""Methods as plain data: to JSON and back, from TOML, and from `field=value` strings."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from types import NoneType, UnionType
from typing import (
    ClassVar,
    Literal,
    Protocol,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

from pellucid.errors import UserError
from pellucid.naming import UnknownName, unknown


@runtime_checkable
class Configuration(Protocol):
    """A dataclass whose fields are numbers, words, tuples of them, and dataclasses again."""

    __dataclass_fields__: ClassVar[dict[str, Field]]


C = TypeVar("C")

WORDS: dict[str, object] = {"none": None, "true": True, "false": False}
NAMES: dict[object, str] = {
    NoneType: "none",
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    str: "a word",
}


class BadField(UserError):
    """A field that is missing, or whose value does not fit its type."""


class UnknownField(UnknownName):
    """A field that the method does not have."""


class _Misfit(Exception):
    """A plain value is not what a type hint says."""


def to_json(method: Configuration) -> str:
    """The fields as one JSON object."""
    return json.dumps(asdict(method))


def from_json(method_class: type[C], text: str) -> C:
    """The method that `to_json` wrote; fields that are left out keep their defaults.

    Raises:
        UserError: in a sentence, for a text that is no such object.
    """
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadField(f"The fields of {method_class.__name__} are no JSON: {error}.") from error
    if not isinstance(values, dict):
        raise BadField(f"The fields of {method_class.__name__} must be one JSON object.")
    return from_plain(method_class, values)


def from_plain(method_class: type[C], values: Mapping[str, object]) -> C:
    """The method with these plain values as its fields, as JSON or TOML hold them.

    Raises:
        UserError: in a sentence, for an unknown or missing field or a value of another type.
    """
    return _method(method_class, {name: [value] for name, value in values.items()})


def with_fields(method_class: type[C], texts: Mapping[str, str]) -> C:
    """A method with some fields as strings say: steps=100, grains=1,4,14, ball.radius=none.

    A dot leads to a field of a field; the others there keep what the method's default has.

    Raises:
        UserError: in a sentence, for an unknown or missing field or a value of another type.
    """
    return _method(method_class, {name: [*_readings(text)] for name, text in texts.items()})


def _readings(text: str) -> Iterator[object]:
    """What a string may mean, likeliest first."""
    if text.lower() in WORDS:
        yield WORDS[text.lower()]
    for spelling in (text, f"[{text}]"):
        try:
            yield json.loads(spelling)
        except json.JSONDecodeError:
            continue
    yield text.split(",")
    yield text


def _method(cls: type[C], readings: dict[str, list[object]]) -> C:
    """Build a dataclass from the possible plain values of some fields."""
    hints, defaults = _hints(cls), _defaults(cls)
    nested: dict[str, dict[str, list[object]]] = {}
    values: dict[str, object] = {}
    for name, plains in readings.items():
        field, _, rest = name.partition(".")
        if field not in hints:
            raise unknown(f"field of {cls.__name__}", field, hints, UnknownField)
        if rest:
            nested.setdefault(field, {})[rest] = plains
        else:
            values[field] = _first(f"{cls.__name__}.{field}", hints[field], plains)
    for field, parts in nested.items():
        whole = values.get(field, defaults.get(field))
        if not is_dataclass(whole) or isinstance(whole, type):
            raise BadField(f"{cls.__name__}.{field} has no fields of its own: set it as a whole.")
        kept = {name: [plain] for name, plain in asdict(whole).items()}
        values[field] = _method(type(whole), kept | parts)
    missing = [name for name in hints if name not in defaults | values]
    if missing:
        raise BadField(f"{cls.__name__} has no default for {', '.join(missing)}: give a value.")
    return cls(**values)


def _hints(cls: type) -> dict[str, object]:
    hints = get_type_hints(cls)
    return {f.name: hints[f.name] for f in fields(cls)}


def _defaults(cls: type) -> dict[str, object]:
    made = {f.name: f.default_factory() for f in fields(cls) if f.default_factory is not MISSING}
    return made | {f.name: f.default for f in fields(cls) if f.default is not MISSING}


def _first(where: str, hint: object, plains: list[object]) -> object:
    """The first of the possible plain values that fits the hint."""
    for plain in plains:
        try:
            return _build(hint, plain)
        except _Misfit:
            continue
    raise BadField(f"{where} takes {_in_words(hint)}, but it is given {plains[-1]!r}.")


def _build(hint: object, plain: object) -> object:
    """What a plain value is under a type hint."""
    if get_origin(hint) in BUILDERS:
        return BUILDERS[get_origin(hint)](get_args(hint), plain)
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(plain, dict):
            raise _Misfit
        return _method(hint, {name: [value] for name, value in plain.items()})
    if hint is float and type(plain) is int:
        return float(plain)
    if type(plain) is not hint:
        raise _Misfit
    return plain


def _build_union(members: tuple[object, ...], plain: object) -> object:
    for member in members:
        try:
            return _build(member, plain)
        except _Misfit:
            continue
    raise _Misfit


def _build_literal(choices: tuple[object, ...], plain: object) -> object:
    for choice in choices:
        if type(choice) is type(plain) and choice == plain:
            return choice
    raise _Misfit


def _build_tuple(items: tuple[object, ...], plain: object) -> object:
    if not isinstance(plain, list):
        raise _Misfit
    if items[1:] == (...,):
        items = items[:1] * len(plain)
    if len(items) != len(plain):
        raise _Misfit
    return tuple(_build(item, part) for item, part in zip(items, plain, strict=True))


def _build_dict(_: tuple[object, ...], plain: object) -> object:
    if not isinstance(plain, dict):
        raise _Misfit
    return plain


BUILDERS: dict[object, Callable[[tuple[object, ...], object], object]] = {
    dict: _build_dict,
    Literal: _build_literal,
    Union: _build_union,
    UnionType: _build_union,
    tuple: _build_tuple,
}


def _in_words(hint: object) -> str:
    """A type hint as a user would say it."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return f"one of {', '.join(map(str, parts))}"
    if origin in (Union, UnionType):
        return " or ".join(map(_in_words, parts))
    if origin is dict:
        return "a table of fields"
    if origin is tuple:
        return f"({', '.join('...' if part is ... else _in_words(part) for part in parts)})"
    return NAMES.get(hint, getattr(hint, "__name__", str(hint)))
