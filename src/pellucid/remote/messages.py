"""The questions and answers of the Open Inference Protocol v2, as JSON or as bytes after it."""

import json
from itertools import chain
from math import nan, prod

import numpy as np
import orjson
from numpy.typing import NDArray

from pellucid.remote import binary
from pellucid.remote.faults import BadAnswer
from pellucid.remote.line import Reply, Request
from pellucid.remote.plain import plain
from pellucid.spec import BadQuestion

TYPES: dict[str, type[np.generic]] = {
    "BOOL": np.bool_,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
}
DATATYPES = {np.dtype(kind): name for name, kind in TYPES.items()}


def question(
    x: NDArray[np.generic], *, name: str, output: str | None, raw: bool = False
) -> Request:
    """The request about rows x (n, *shape), sent as the input `name`; `raw`: as bytes.

    Raises:
        BadQuestion: a number is not finite, which JSON cannot say.
    """
    if raw:
        return binary.question(x, name=name, datatype=DATATYPES[x.dtype], output=output)
    if not np.isfinite(x).all():
        raise BadQuestion("A row holds a number that is not finite, which JSON cannot carry.")
    tensor = {
        "name": name,
        "shape": x.shape,
        "datatype": DATATYPES[x.dtype],
        "data": np.ascontiguousarray(x).ravel(),
    }
    wanted = {} if output is None else {"outputs": [{"name": output}]}
    body = orjson.dumps({"inputs": [tensor], **wanted}, option=orjson.OPT_SERIALIZE_NUMPY)
    return Request(content=body, headers={"content-type": "application/json"})


def answer(reply: Reply, *, rows: int, output: str | None, url: str) -> NDArray[np.generic]:
    """The answers (rows, outputs) or (rows,) in a reply, whose tensors may be JSON or bytes.

    A number that is null, or a float beyond what its type can hold, comes back as not finite.

    Raises:
        BadAnswer: it is not JSON, lacks the output, or its shape, type and data do not fit.
    """
    try:
        text, rest = binary.split(reply)
        tensor, raw = _chosen(parsed(text), output, rest)
        return _tensor(tensor, raw, rows)
    except ValueError as error:
        raise BadAnswer(
            f"{url} answered {rows} rows with what is no such answer ({error}): check that it "
            "serves the model you mean."
        ) from error


def parsed(body: bytes) -> object:
    """A JSON document; ValueError if it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass  # perhaps for NaN and Infinity, which are not JSON, but which Python's servers write
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error


def _chosen(
    document: object, output: str | None, rest: bytes
) -> tuple[dict[str, object], bytes | None]:
    """The one output that is wanted, and its bytes if it has some."""
    match document:
        case {"outputs": [*outputs]}:
            raws = binary.tails(outputs, rest)
            tensors = {
                name: (t, raw) for t, raw in zip(outputs, raws, strict=True) for name in _names(t)
            }
        case _:
            raise ValueError("it has no outputs")
    names = plain(", ".join(tensors)) or "none"
    if output is None and len(tensors) != 1:
        raise ValueError(f"its outputs are {names}, and output='NAME' names none of them")
    wanted = next(iter(tensors)) if output is None else output
    if wanted not in tensors:
        raise ValueError(f"it has no output called {wanted}, only {names}")
    return tensors[wanted]


def _names(tensor: object) -> list[str]:
    """The name of a tensor, if it has one."""
    match tensor:
        case {"name": str(name)}:
            return [name]
        case _:
            return []


def _tensor(tensor: dict[str, object], raw: bytes | None, rows: int) -> NDArray[np.generic]:
    shape, datatype = _form(tensor, rows)
    kind = TYPES[datatype]
    if raw is not None:
        return binary.numbers(raw, kind, prod(shape)).reshape(shape)
    match tensor:
        case {"data": [*data]}:
            found = flat(data)
        case _:
            raise ValueError("its output lacks a shape, a datatype or data")
    if len(found) != prod(shape):
        raise ValueError(f"its data are {len(found)} numbers for the shape {plain(str(shape))}")
    return converted(found, kind).reshape(shape)


def _form(tensor: dict[str, object], rows: int) -> tuple[tuple[int, ...], str]:
    """The shape and the datatype that an output says it has."""
    match tensor:
        case {"shape": [int(n), *rest], "datatype": str(datatype)}:
            shape = (n, *rest)
        case _:
            raise ValueError("its output lacks a shape, a datatype or data")
    fits = len(rest) <= 1 and all(type(size) is int and size > 0 for size in shape)
    if n != rows or not fits:
        raise ValueError(f"its shape is {plain(str(shape))}, not ({rows}, outputs) or ({rows},)")
    if datatype not in TYPES:
        raise ValueError(f"its datatype {plain(datatype)} is not one of numbers")
    return shape, datatype


def flat(data: list[object]) -> list[object]:
    """Data that may be nested as a shape of two axes is, or not at all."""
    lists = [item for item in data if isinstance(item, list)]
    if not lists:
        return data
    if len(lists) < len(data):
        raise ValueError("its data are lists and numbers mixed")
    return [*chain.from_iterable(lists)]


def converted(numbers: list[object], kind: type[np.generic]) -> NDArray[np.generic]:
    """JSON's numbers as numbers of one kind, or floats where a whole number is not finite."""
    if not {type(number) for number in numbers} <= {int, float, bool, type(None)}:
        raise ValueError("its data are not all numbers")
    try:
        wide = np.array([nan if n is None else n for n in numbers], dtype=np.float64)
        if issubclass(kind, np.floating):
            with np.errstate(over="ignore"):
                return wide.astype(kind)
        if not np.isfinite(wide).all():
            return wide
        if (wide != np.rint(wide)).any():
            raise ValueError("its datatype is of whole numbers, and its data are not")
        # not by way of the floats, which cannot tell large whole numbers apart
        return np.array(numbers, dtype=kind)
    except OverflowError as error:
        raise ValueError(f"a number is beyond its datatype, {DATATYPES[np.dtype(kind)]}") from error
