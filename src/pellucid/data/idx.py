"""The IDX format, in which MNIST and its kin are published."""

import gzip
import struct
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import UserError

UNSIGNED_BYTE = 8  # the format's code of the one element type that these sets use


class BadIdx(UserError):
    """A file is not a gzipped IDX file of unsigned bytes."""


def parse(path: Path) -> NDArray[np.uint8]:
    """The array in a gzipped IDX file of unsigned bytes.

    The header is two zero bytes, the element type, the number of axes, and each axis's length as
    a big-endian 32-bit integer (LeCun, Cortes & Burges, "The MNIST database", 1998).

    Raises:
        BadIdx: the file is not gzipped, has another header, or another length than it states.
    """
    try:
        raw = gzip.decompress(path.read_bytes())
    except (gzip.BadGzipFile, EOFError) as error:
        raise BadIdx(f"{path} is not a complete gzip file ({error}); fetch it again.") from error
    if len(raw) < 4 or raw[:3] != bytes([0, 0, UNSIGNED_BYTE]) or len(raw) < 4 + 4 * raw[3]:
        raise BadIdx(f"{path} is not an IDX file of unsigned bytes; fetch it again.")
    start = 4 + 4 * raw[3]
    shape = struct.unpack(f">{raw[3]}I", raw[4:start])
    if len(raw) - start != prod(shape):
        raise BadIdx(f"{path} states shape {shape} but holds {len(raw) - start} bytes of data.")
    return np.frombuffer(raw, dtype=np.uint8, offset=start).reshape(shape)
