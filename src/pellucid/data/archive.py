"""Plain arrays out of an .npz file that may be hostile: sizes are checked before anything is read.

An .npz file is a zip of .npy members (NEP 1). Three things are too large before they are read: an
array that states more numbers than memory is meant for, a member that states another length than
its array has, and one that packs a lot of nothing.
"""

import zlib
from collections.abc import Sequence
from math import prod
from pathlib import Path
from tokenize import TokenError
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pellucid.data.errors import BadData

MOST = 2**30  # numbers in one array; as float32 they take 4 GiB
LARGE = 2**28  # bytes, from which on a member may not expand too much
EXPANSION = 200  # times; photographs expand 2 times, drawings some 20 times
PLAIN = "biufcSU"  # kinds of element that need no unpickling: numbers and text
BROKEN = (
    BadZipFile,
    EOFError,
    MemoryError,  # a header that is nested too deeply
    OSError,
    RuntimeError,  # encrypted, or of a later zip standard
    SyntaxError,
    TokenError,
    TypeError,
    ValueError,
    zlib.error,
)


def plain_arrays(path: Path, names: Sequence[str]) -> tuple[dict[str, NDArray[np.generic]], str]:
    """Those arrays among `names` that an .npz file holds, and the names of all that it holds.

    Raises:
        BadData: the file is no .npz file, or one of these arrays is too large, damaged, or would
            have to be unpickled.
    """
    try:
        with ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            arrays = {
                name: _array(archive, members[name], f"In {path}, {name}")
                for name in names
                if name in members
            }
    except BROKEN as error:
        raise BadData(
            f"{path} cannot be read as an .npz file of plain arrays; save it again with "
            "numpy.savez(path, x=x, y=y)."
        ) from error
    return arrays, ", ".join(members) or "none"


def _array(archive: ZipFile, member: ZipInfo, where: str) -> NDArray[np.generic]:
    _check_packing(member, where)
    _check_header(archive, member, where)
    with archive.open(member) as stream:
        return npy.read_array(stream, allow_pickle=False)


def _check_packing(member: ZipInfo, where: str) -> None:
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise BadData(f"{where} is packed in a way that numpy does not use; save it with numpy.")
    if member.file_size > max(LARGE, EXPANSION * member.compress_size):
        raise BadData(
            f"{where} would expand from {member.compress_size} to {member.file_size} bytes, which "
            "only a hostile file does; save it without compression if it is yours."
        )


def _check_header(archive: ZipFile, member: ZipInfo, where: str) -> None:
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    with archive.open(member) as stream:
        version = npy.read_magic(stream)
        if version not in read:
            raise BadData(f"{where} has named fields; save plain numbers or text.")
        shape, _, dtype = read[version](stream)
        begin = stream.tell()
    if dtype.kind not in PLAIN:
        what = "Python objects, which are not unpickled" if dtype.hasobject else str(dtype)
        raise BadData(f"{where} holds {what}; save plain numbers or text.")
    if min(shape, default=0) < 0 or prod(shape) * max(dtype.itemsize, 4) > 4 * MOST:
        raise BadData(
            f"{where} states the shape {shape} of {dtype}, and an array may hold {MOST} numbers at "
            "most; give fewer rows."
        )
    stated = begin + prod(shape) * dtype.itemsize
    if stated != member.file_size:
        raise BadData(
            f"{where} should take {stated} bytes by its header but has {member.file_size}; save it "
            "again."
        )
