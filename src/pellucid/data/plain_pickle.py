"""Arrays and lists out of a pickle of Python 2, of which nothing is executed.

A pickle names the functions that build its objects. Here each name that NumPy's and SciPy's arrays
need stands for a record that keeps what it was given, every other name is an error, and arrays are
made of the records afterwards: no constructor or `__setstate__` of those libraries runs.
"""

import pickle
import pickletools
from collections import defaultdict
from io import BytesIO
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import UserError

ELEMENTS = ("f4", "f8", "i4", "i8")  # as pickled arrays call them
ORDERS = ("<", ">")  # of the bytes of one
PROTOCOL = 2  # of pickling, the last that Python 2 has
PUTS = ("PUT", "BINPUT", "LONG_BINPUT")  # steps that number an object
MOST = 2**27  # numbers in a matrix; as float64 they take 1 GiB
BROKEN = (
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)


class BadPickle(UserError):
    """A file is no pickle of plain arrays or lists."""


class _Record:
    """What a pickle builds an object of."""

    def __init__(self, *given: object) -> None:
        self.given = given
        self.state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Array(_Record):
    """A NumPy array."""


class _Element(_Record):
    """The type of its elements."""


class _Sparse(_Record):
    """A SciPy matrix in CSR form."""


ALLOWED = {
    ("__builtin__", "list"): list,
    ("collections", "defaultdict"): defaultdict,
    ("numpy", "dtype"): _Element,
    ("numpy", "ndarray"): _Array,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("scipy.sparse.csr", "csr_matrix"): _Sparse,
}


class _Unpickler(pickle.Unpickler):
    """Knows the names in ALLOWED and no other."""

    def find_class(self, module_name: str, global_name: str) -> type:
        """The record that a name stands for."""
        if (module_name, global_name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}")
        return ALLOWED[module_name, global_name]


def array(path: Path) -> NDArray[np.float64]:
    """The pickled array of numbers; raises `BadPickle`."""
    try:
        return _array(_content(path))
    except BROKEN as error:
        raise _bad(path, "an array of numbers", error) from error


def matrix(path: Path) -> NDArray[np.float64]:
    """The pickled CSR matrix, made dense; raises `BadPickle`."""
    try:
        return _matrix(_content(path))
    except BROKEN as error:
        raise _bad(path, "a CSR matrix", error) from error


def neighbours(path: Path) -> dict[int, list[int]]:
    """The pickled dictionary from a node to its neighbours; raises `BadPickle`."""
    try:
        return _neighbours(_content(path))
    except BROKEN as error:
        raise _bad(path, "lists of neighbours", error) from error


def _bad(path: Path, what: str, error: BaseException) -> BadPickle:
    return BadPickle(
        f"{path} is no pickle of {what} alone, and nothing else is unpickled ({error}); fetch the "
        "published file."
    )


def _content(path: Path) -> object:
    raw = path.read_bytes()
    for step, argument, _ in pickletools.genops(raw):
        if step.proto > PROTOCOL:
            raise pickle.UnpicklingError(f"Python 2 has no {step.name}")
        if step.name in PUTS and argument not in range(len(raw)):  # the memo would take gigabytes
            raise pickle.UnpicklingError(f"it has no {argument} objects")
    return _Unpickler(BytesIO(raw), encoding="latin1").load()


def _array(record: object) -> NDArray[np.float64]:
    match record:
        case _Array(state=(_, tuple(shape), _Element() as element, fortran, str(content))):
            flat = np.frombuffer(content.encode("latin1"), _dtype(element))
            if prod(shape) != len(flat) or min(shape, default=1) < 0:
                raise ValueError(f"its shape is {shape}")
            return flat.reshape(shape, order="F" if fortran else "C").astype(np.float64)
    raise ValueError("it holds no array")


def _dtype(record: _Element) -> np.dtype:
    match record:
        case _Element(given=(str(code), *_), state=(_, str(order), *_)):
            if code in ELEMENTS and order in ORDERS:
                return np.dtype(order + code)
    raise ValueError("its elements are not numbers")


def _matrix(record: object) -> NDArray[np.float64]:
    match record:
        case _Sparse(state={"data": data, "indices": indices, "indptr": starts, "_shape": shape}):
            rows, columns = shape
            if not 0 < rows * columns <= MOST:
                raise ValueError(f"its shape is {rows} by {columns}")
            return _dense(_array(data), _whole(indices), _whole(starts), (rows, columns))
    raise ValueError("it holds no matrix")


def _dense(
    values: NDArray[np.float64],
    columns: NDArray[np.int64],
    starts: NDArray[np.int64],
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    """The matrix whose row i has `values` at `columns` from starts[i] up to starts[i + 1].

    SciPy's own conversion is not used: it writes out of bounds if these do not fit.
    """
    counts = np.diff(starts)
    if len(counts) != shape[0] or starts[0] != 0 or starts[-1] != len(columns):
        raise ValueError("its rows do not fit its shape")
    if (counts < 0).any() or (columns < 0).any():
        raise ValueError("it counts backwards")
    matrix = np.zeros(shape)
    matrix[np.repeat(np.arange(shape[0]), counts), columns] = values
    return matrix


def _whole(record: object) -> NDArray[np.int64]:
    return _array(record).astype(np.int64)


def _neighbours(found: object) -> dict[int, list[int]]:
    match found:
        case dict():
            return {int(node): [int(other) for other in others] for node, others in found.items()}
    raise ValueError("it holds no dictionary")
