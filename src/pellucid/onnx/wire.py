"""Protocol-buffer bytes before they are parsed: a few can claim memory for very many messages.

An empty node takes two bytes in a file and some hundred and fifty once it is parsed, so that a
file far below the cap on its size could fill a machine. Walking the bytes costs no memory.
"""

from collections.abc import Iterator
from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

VARINT, LENGTH = 0, 2
WIDTHS = {1: 8, 5: 4}  # bytes, by wire type


class Malformed(ValueError):
    """The bytes are not a message, or are cut short."""


def count(data: bytes, message: type[Message], limit: int) -> int:
    """How many fields `data` holds as a `message`, those of inner messages included.

    Stops just above `limit`. Checks on its way that text is text (UTF-8).

    Raises:
        Malformed: a field is cut short, of an unknown wire type, or text that is none.
    """
    fields, waiting = 0, [(message.DESCRIPTOR, 0, len(data))]
    try:
        while waiting:
            inside, first, last = waiting.pop()
            inner, text = _kinds(inside)
            for number, start, end in _fields(data, first, last):
                fields += 1
                if fields > limit:
                    return fields
                if number in inner:
                    waiting.append((inner[number], start, end))
                elif number in text:
                    data[start:end].decode()
    except (IndexError, UnicodeDecodeError) as error:
        raise Malformed("the bytes end within a field, or text is none") from error
    return fields


@cache
def _kinds(message: Descriptor) -> tuple[dict[int, Descriptor], frozenset[int]]:
    """The numbers of a message's fields that hold messages, with these, and that hold text."""
    inner = {f.number: f.message_type for f in message.fields if f.message_type is not None}
    text = frozenset(f.number for f in message.fields if f.type == FieldDescriptor.TYPE_STRING)
    return inner, text


def _fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Each field between two places: its number (0 unless it has a length), start and end."""
    while at < end:
        tag, at = (data[at], at + 1) if data[at] < 128 else _varint(data, at)
        number, wire, start = 0, tag & 7, at
        if wire == LENGTH:
            number = tag >> 3
            width, start = (data[at], at + 1) if data[at] < 128 else _varint(data, at)
            at = start + width
        elif wire == VARINT:
            at = _varint(data, at)[1]
        elif wire in WIDTHS:
            at += WIDTHS[wire]
        else:
            raise Malformed(f"there is no wire type {wire}")
        if at > end:
            raise Malformed("a field is cut short")
        yield number, start, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a place, seven bits a byte, and where it ends."""
    number = shift = 0
    while data[at] > 127 and shift < 63:
        number |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
    return number | data[at] << shift, at + 1
