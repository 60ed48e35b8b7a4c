"""JSON Pointers: names of places in a JSON document (RFC 6901)."""

import re

from pellucid.remote.faults import BadEndpoint
from pellucid.remote.plain import plain

INDEX = re.compile(r"0|[1-9][0-9]{0,8}")  # of an item of a list


class NotThere(ValueError):
    """The document holds nothing at the pointer."""


def steps(pointer: str) -> tuple[str, ...]:
    """The names on the way to a place; none for "", which is the whole document.

    Raises:
        BadEndpoint: it is no JSON Pointer.
    """
    if pointer and not pointer.startswith("/"):
        raise BadEndpoint(
            f"'{plain(pointer)}' is no JSON Pointer: begin it with a /, as in /predictions/0, or "
            "leave it empty for the whole."
        )
    if re.search(r"~(?![01])", pointer):
        raise BadEndpoint(
            f"'{plain(pointer)}' is no JSON Pointer: write ~0 for a ~ in a name, and ~1 for a /."
        )
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def found(document: object, pointer: str) -> object:
    """What stands at a pointer; NotThere says how far it leads."""
    for number, step in enumerate(steps(pointer), 1):
        match document:
            case dict() if step in document:
                document = document[step]
            case list() if INDEX.fullmatch(step) and int(step) < len(document):
                document = document[int(step)]
            case _:
                so_far = "/".join(pointer.split("/")[: number + 1])
                raise NotThere(f"nothing stands at {plain(so_far)}")
    return document


def placed(document: object, pointer: str, value: object) -> object:
    """The document with a value at a pointer; objects on the way there are made.

    Raises:
        BadEndpoint: something stands in the way that is no object.
    """
    return _placed(document, steps(pointer), value, pointer)


def _placed(document: object, way: tuple[str, ...], value: object, pointer: str) -> object:
    if not way:
        return value
    match document:
        case dict():
            first, *rest = way
            below = _placed(document.get(first, {}), tuple(rest), value, pointer)
            return {**document, first: below}
        case _:
            raise BadEndpoint(
                f"Nothing can be put at {plain(pointer)}: what stands before its part "
                f"'{plain(way[0])}' is no object."
            )
