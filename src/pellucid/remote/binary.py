"""Tensors as raw bytes after the JSON: the Open Inference Protocol's binary data extension.

Source: https://github.com/kserve/open-inference-protocol and Triton's
`extension_binary_data.md`: little-endian, row major, without padding.
"""

import numpy as np
import orjson
from numpy.typing import NDArray

from pellucid.remote.line import Reply, Request

NAMES = {"binary_tensor_data", "binary_tensor_data_extension"}  # among a server's extensions
HEADER = "inference-header-content-length"


def offered(reply: Reply) -> bool:
    """Whether a server's metadata say that it knows such tensors."""
    try:
        document = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return False
    match document:
        case {"extensions": [*names]}:
            return any(name in NAMES for name in names if isinstance(name, str))
        case _:
            return False


def question(x: NDArray[np.generic], *, name: str, datatype: str, output: str | None) -> Request:
    """The request about rows x (n, *shape), sent as the input `name`; asks for bytes back."""
    data = np.ascontiguousarray(x, dtype=x.dtype.newbyteorder("<")).tobytes()
    tensor = {
        "name": name,
        "shape": x.shape,
        "datatype": datatype,
        "parameters": {"binary_data_size": len(data)},
    }
    if output is None:
        wanted: dict[str, object] = {"parameters": {"binary_data_output": True}}
    else:
        wanted = {"outputs": [{"name": output, "parameters": {"binary_data": True}}]}
    head = orjson.dumps({"inputs": [tensor], **wanted})
    headers = {
        "content-type": "application/octet-stream",
        "accept": "application/octet-stream, application/json",
        HEADER: str(len(head)),
    }
    return Request(content=head + data, headers=headers)


def split(reply: Reply) -> tuple[bytes, bytes]:
    """The JSON of an answer, and what follows it; ValueError if its length is told wrongly."""
    told = reply.headers.get(HEADER)
    if told is None:
        return reply.body, b""
    if not (told.isascii() and told.isdigit() and int(told[:20]) <= len(reply.body)):
        raise ValueError("its header does not tell where its JSON ends")
    size = int(told)
    return reply.body[:size], reply.body[size:]


def tails(outputs: list[object], rest: bytes) -> list[bytes | None]:
    """The bytes of each output, None for one in JSON; ValueError if `rest` is not all of them."""
    found: list[bytes | None] = []
    first = 0
    for output in outputs:
        match output:
            case {"parameters": {"binary_data_size": int(size)}} if size >= 0:
                found.append(rest[first : first + size])
                first += size
            case _:
                found.append(None)
    if first != len(rest):
        raise ValueError(f"its tensors are {first} bytes, and {len(rest)} came")
    return found


def numbers(raw: bytes, kind: type[np.generic], count: int) -> NDArray[np.generic]:
    """So many numbers of a kind; ValueError if the bytes are more or fewer, or no such numbers."""
    little = np.dtype(kind).newbyteorder("<")
    if len(raw) != count * little.itemsize:
        raise ValueError(f"its data are {len(raw)} bytes for {count} numbers of {little.itemsize}")
    if kind is np.bool_ and not {*raw} <= {0, 1}:
        raise ValueError("its data are not all 0 or 1, and its datatype is BOOL")
    return np.frombuffer(raw, dtype=little).astype(kind)
