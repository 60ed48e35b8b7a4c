"""What every method is, whatever its kind: a frozen value that explains itself."""

import copy
import inspect
import io
import math
import pickle
import tokenize
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields, is_dataclass

from pellucid.methods import Configuration, from_json, to_json

LABELS = ("Source:", "Needs:", "Cost:", "Differs:")


def check_frozen(method: Configuration) -> None:
    """No field can be set."""
    name = type(method).__name__
    assert is_dataclass(method), f"{name} is no dataclass."
    for field in (*fields(method), None):
        target = "anything_else" if field is None else field.name
        try:
            setattr(method, target, getattr(method, target, None))
        except FrozenInstanceError:
            continue
        raise AssertionError(f"{name}.{target} can be set: make it @dataclass(frozen=True).")


def check_keyword_only(method: Configuration) -> None:
    """Fields are given by name."""
    loose = [f.name for f in fields(method) if not f.kw_only]
    assert not loose, f"{type(method).__name__} takes {loose} by position: add kw_only=True."


def check_compares_and_copies(method: Configuration) -> None:
    """Equal fields make equal methods, of one hash, through copies and pickles."""
    name = type(method).__name__
    for how, other in (
        ("a deep copy", copy.deepcopy(method)),
        ("a pickled copy", pickle.loads(pickle.dumps(method))),
    ):
        assert other == method, f"{how} of {name} is not equal to it."
        assert hash(other) == hash(method), f"{how} of {name} has another hash."


def check_prints_as_its_constructor(method: Configuration) -> None:
    """What repr says builds the same method."""
    names = {part.__name__: part for part in _classes(method)} | {"inf": math.inf, "nan": math.nan}
    try:
        built = eval(repr(method), names)
    except Exception as error:
        raise AssertionError(f"{method!r} is not Python that builds it: {error}.") from error
    assert built == method, f"{method!r} builds {built!r}."


def check_goes_through_json(method: Configuration) -> None:
    """The fields come back from JSON as they were."""
    try:
        back = from_json(type(method), to_json(method))
    except Exception as error:
        raise AssertionError(f"{method!r} does not go through JSON: {error}") from error
    assert back == method, f"{method!r} comes back from JSON as {back!r}."


def check_docstring(method: Configuration) -> None:
    """A sentence of purpose, then the four labelled lines in order."""
    name, text = type(method).__name__, inspect.getdoc(type(method)) or ""
    lines = text.splitlines()
    assert lines, f"{name} has no docstring."
    assert lines[0].endswith("."), f"The docstring of {name} must begin with one sentence."
    found = [label for line in lines for label in LABELS if line.startswith(label)]
    assert found == list(LABELS), f"The docstring of {name} has {found}, but needs {LABELS}."
    bare = [line for line in lines if line.strip() in LABELS]
    assert not bare, f"The docstring of {name} says nothing after {bare}."


def check_fields_have_comments(method: Configuration) -> None:
    """Each field's meaning and unit stand in a comment on its line."""
    name, said = type(method).__name__, _commented(type(method))
    silent = [f.name for f in fields(method) if f.name not in said]
    assert not silent, f"{name} has no comment on {', '.join(silent)}: say meaning and unit."


VALUE_CHECKS = (
    check_frozen,
    check_keyword_only,
    check_compares_and_copies,
    check_prints_as_its_constructor,
    check_goes_through_json,
    check_docstring,
    check_fields_have_comments,
)


def _classes(value: object) -> Iterator[type]:
    """The classes of a dataclass and of all dataclasses in it."""
    if not is_dataclass(value):
        return
    yield type(value)
    for field in fields(value):
        part = getattr(value, field.name)
        for item in part if isinstance(part, tuple) else (part,):
            yield from _classes(item)


def _commented(method_class: type) -> set[str]:
    """The first names on lines that end in a comment, in the class and those it inherits."""
    found: set[str] = set()
    for part in method_class.__mro__[:-1]:
        first: dict[int, str] = {}
        for token in tokenize.generate_tokens(io.StringIO(inspect.getsource(part)).readline):
            if token.type == tokenize.NAME:
                first.setdefault(token.start[0], token.string)
            elif token.type == tokenize.COMMENT:
                found.add(first.get(token.start[0], ""))
    return found
