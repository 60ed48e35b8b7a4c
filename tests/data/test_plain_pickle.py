"""Pickles of Python 2: what arrays need is read, and nothing else is executed."""

import os
import pickle
import struct

import numpy as np
import pytest

from pellucid.data import plain_pickle
from pellucid.data.plain_pickle import BadPickle

READERS = [plain_pickle.array, plain_pickle.matrix, plain_pickle.neighbours]
# names in the pickles of Python 2 and of an old NumPy and SciPy
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
NDARRAY, DTYPE = b"cnumpy\nndarray\n", b"cnumpy\ndtype\n"
MATRIX = b"cscipy.sparse.csr\ncsr_matrix\n"
DEFAULTDICT, LIST = b"ccollections\ndefaultdict\n", b"c__builtin__\nlist\n"


def text(content):
    return b"T" + struct.pack("<I", len(content)) + content


def number(value):
    return b"J" + struct.pack("<i", value)


def called(function, *arguments):
    return function + b"(" + b"".join(arguments) + b"tR"


def state(*parts):
    return b"(" + b"".join(parts) + b"tb"


def array(values, code=b"f4", order=b"<", shape=None, fortran=b"\x89"):
    """An array as NumPy pickled it under Python 2."""
    sizes = b"".join(number(size) for size in (values.shape if shape is None else shape))
    rest = (number(3), text(order), b"NNN", number(-1), number(-1), number(0))
    element = called(DTYPE, text(code), number(0), number(1)) + state(*rest)
    made = called(RECONSTRUCT, NDARRAY, b"(" + number(0) + b"t", text(b"b"))
    content = text(values.tobytes("A"))
    return made + state(number(1), b"(" + sizes + b"t", element, fortran, content)


def matrix(data, indices, starts, shape):
    """A CSR matrix as SciPy pickled it under Python 2."""
    parts = {
        b"data": array(np.array(data, "<f4")),
        b"indices": array(np.array(indices, "<i4"), code=b"i4"),
        b"indptr": array(np.array(starts, "<i4"), code=b"i4"),
        b"_shape": b"(" + number(shape[0]) + number(shape[1]) + b"t",
        b"format": text(b"csr"),
    }
    items = b"".join(text(name) + value for name, value in parts.items())
    return MATRIX + b")\x81}(" + items + b"ub"


def graph(lists):
    items = [number(a) + b"](" + b"".join(map(number, b)) + b"e" for a, b in lists.items()]
    return called(DEFAULTDICT, LIST) + b"(" + b"".join(items) + b"u"


def saved(path, body):
    path.write_bytes(b"\x80\x02" + body + b".")
    return path


def test_arrays_come_back(tmp_path):
    values = np.arange(-6, 6, dtype="<i4").reshape(3, 4)
    for pickled in (
        array(values, code=b"i4"),
        array(values.astype(">i4"), code=b"i4", order=b">"),
        array(values.astype("<f8"), code=b"f8"),
        array(np.asfortranarray(values), code=b"i4", fortran=b"\x88"),
    ):
        found = plain_pickle.array(saved(tmp_path / "a", pickled))
        np.testing.assert_array_equal(found, values)


def test_matrices_come_back(tmp_path):
    path = saved(tmp_path / "m", matrix([1, 2, 3], [2, 0, 1], [0, 1, 1, 3], (3, 4)))
    expected = [[0, 0, 1, 0], [0, 0, 0, 0], [2, 3, 0, 0]]
    assert plain_pickle.matrix(path).tolist() == expected


def test_neighbours_come_back(tmp_path):
    lists = {0: [1, 2], 1: [0], 2: []}
    assert plain_pickle.neighbours(saved(tmp_path / "g", graph(lists))) == lists


class Hostile:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_is_executed(tmp_path, read, protocol):
    """Each would leave a file behind if it ran."""
    mark = tmp_path / "executed"
    for function, arguments in (
        (os.mkdir, (str(mark),)),
        (eval, (f"__import__('os').mkdir({str(mark)!r})",)),
        (exec, (f"__import__('os').mkdir({str(mark)!r})",)),
    ):
        path = tmp_path / "hostile"
        path.write_bytes(pickle.dumps(Hostile(function, *arguments), protocol))
        with pytest.raises(BadPickle, match="nothing else is unpickled"):
            read(path)
        assert not mark.exists()
        pickle.loads(path.read_bytes())  # the pickle does work where nothing restricts it
        mark.rmdir()


ONES = np.ones(3, "<f4")


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (plain_pickle.array, b"cos\nsystem\n(" + text(b"touch executed") + b"tR"),
        (plain_pickle.array, b"cnumpy\nndarray\nb"),  # state for the class itself
        (plain_pickle.array, RECONSTRUCT + b"}(" + text(b"__setstate__") + LIST + b"ub"),
        (plain_pickle.array, array(ONES, code=b"O8")),
        (plain_pickle.array, array(ONES, code=b"f4,O")),
        (plain_pickle.array, array(ONES, order=b"q")),
        (plain_pickle.array, array(ONES, shape=(2**30, 2**30))),
        (plain_pickle.array, array(ONES, shape=(-5,))),
        (plain_pickle.array, graph({0: [1]})),
        (plain_pickle.array, b"N"),
        (plain_pickle.array, b"Nr" + struct.pack("<I", 2**31)),  # a memo of 32 GiB
        (plain_pickle.array, b"Np-1\n"),
        (plain_pickle.matrix, array(ONES)),
        (plain_pickle.matrix, matrix([1], [9], [0, 1], (1, 4))),  # a column outside
        (plain_pickle.matrix, matrix([1], [-9], [0, 1], (1, 4))),
        (plain_pickle.matrix, matrix([1], [0], [0, 2**30], (1, 4))),
        (plain_pickle.matrix, matrix([1], [0], [0, 1], (2**30, 2**30))),
        (plain_pickle.matrix, matrix([1], [0], [0, 1], (-1, 4))),
        (plain_pickle.matrix, MATRIX + b")\x81"),
        (plain_pickle.neighbours, array(ONES)),
        (plain_pickle.neighbours, called(LIST)),
        (plain_pickle.neighbours, b"}(" + number(0) + text(b"ab") + b"u"),
        (plain_pickle.neighbours, b"}(" + number(0) + number(1) + b"u"),
    ],
)
def test_other_content_is_refused(tmp_path, monkeypatch, read, body):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadPickle, match="fetch the published file"):
        read(saved(tmp_path / "p", body))
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("content", [b"", b"plain text", b"\x80\x02", b"\x80\xff.", b"(" * 99])
def test_other_files_are_refused(tmp_path, read, content):
    (tmp_path / "p").write_bytes(content)
    with pytest.raises(BadPickle, match="fetch the published file"):
        read(tmp_path / "p")


def test_any_damage_is_a_sentence(tmp_path):
    path = saved(tmp_path / "m", matrix([1, 2], [2, 0], [0, 1, 2], (2, 4)))
    whole = path.read_bytes()
    for place in range(len(whole)):
        for change in (0x01, 0x20, 0xFF):
            spoilt = bytearray(whole)
            spoilt[place] ^= change
            path.write_bytes(spoilt)
            try:
                plain_pickle.matrix(path)
            except BadPickle:
                continue
