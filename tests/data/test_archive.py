"""Hostile .npz files: nothing is executed, and memory stays small."""

import io
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from numpy.lib import format as npy

from pellucid.data import BadData
from pellucid.data.archive import plain_arrays

ARRAY = np.arange(6, dtype=np.float32).reshape(2, 3)


def member(array):
    stream = io.BytesIO()
    npy.write_array(stream, array)
    return stream.getvalue()


def header(**changes):
    """A .npy file of ARRAY whose header states something else."""
    stated = {"descr": "<f4", "fortran_order": False, "shape": (2, 3)} | changes
    stream = io.BytesIO()
    npy.write_array_header_1_0(stream, stated)
    return stream.getvalue() + ARRAY.tobytes()


def raw_header(text, version=(1, 0)):
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text + ARRAY.tobytes()


def zipped(path, content, packing=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("x.npy", content)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("array", [ARRAY, np.asfortranarray(ARRAY), np.array(["a", "bc"])])
def test_arrays_come_back(tmp_path, save, array):
    save(tmp_path / "a.npz", x=array, other=ARRAY)
    found, listed = plain_arrays(tmp_path / "a.npz", ("x", "y"))
    assert list(found) == ["x"]
    np.testing.assert_array_equal(found["x"], array)
    assert listed == "x, other"


class Bomb:
    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (header(shape=(2**20, 2**20)), r"states the shape \(1048576, 1048576\) of float32"),
        (header(shape=(2**62, 2**62)), "states the shape"),
        (header(shape=(-2, -3)), "states the shape"),
        (header(descr="<U1000000", shape=(2**20,)), "states the shape"),
        (header(shape=(2, 300)), "should take 2528 bytes by its header but has 152"),
        (header(shape=(1, 3)), "should take 140 bytes by its header but has 152"),
        (header(descr=("<f4", (1000000,))), "save plain numbers or text"),
        (header(descr=[("a", "<f4")]), "save plain numbers or text"),
        (header(descr="|O"), "Python objects, which are not unpickled"),
        (header(descr="<M8[s]"), r"holds datetime64\[s\]; save plain numbers or text"),
        (raw_header(b"{}", (3, 0)), "has named fields"),
        (raw_header(b"{'descr': __import__('os')}"), "cannot be read as an .npz file"),
        (raw_header(b"(" * 5000), "cannot be read as an .npz file"),
        (raw_header(b"{'descr': '<f4'"), "cannot be read as an .npz file"),
        (raw_header(b"\n"), "cannot be read as an .npz file"),
        (b"no magic", "cannot be read as an .npz file"),
        (b"", "cannot be read as an .npz file"),
        (pickle.dumps(Bomb()), "cannot be read as an .npz file"),
        (member(ARRAY)[:-1], "by its header but has"),
    ],
)
def test_hostile_members_are_refused(tmp_path, capsys, content, said):
    with pytest.raises(BadData, match=said):
        plain_arrays(zipped(tmp_path / "a.npz", content), ("x",))
    assert capsys.readouterr().out == ""


def test_an_object_array_is_not_unpickled(tmp_path, capsys):
    np.savez(tmp_path / "a.npz", x=np.array([Bomb()], dtype=object))
    with pytest.raises(BadData, match="not unpickled"):
        plain_arrays(tmp_path / "a.npz", ("x",))
    assert capsys.readouterr().out == ""


def test_a_member_that_unpacks_to_more_than_it_states_takes_no_memory(tmp_path):
    path = zipped(tmp_path / "a.npz", header() + bytes(2**26), zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    with pytest.raises(BadData, match="by its header but has"):
        plain_arrays(path, ("x",))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    """Its entry in the directory states 2 GiB and a small packed size, as bombs do."""
    path = zipped(tmp_path / "a.npz", header(shape=(2**28,)), zipfile.ZIP_DEFLATED)
    whole = bytearray(path.read_bytes())
    entry = whole.index(b"PK\x01\x02")
    whole[entry + 24 : entry + 28] = struct.pack("<I", 2**31)
    path.write_bytes(whole)
    with pytest.raises(BadData, match=r"would expand from \d+ to 2147483648 bytes"):
        plain_arrays(path, ("x",))


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_without_a_limit_are_refused(tmp_path, packing):
    path = zipped(tmp_path / "a.npz", member(ARRAY), packing)
    with pytest.raises(BadData, match="packed in a way that numpy does not use"):
        plain_arrays(path, ("x",))


@pytest.mark.parametrize("content", [b"", b"plain text", b"PK\x03\x04 broken off"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(BadData, match=r"cannot be read as an \.npz file"):
        plain_arrays(path, ("x",))


def test_any_damage_is_a_sentence(tmp_path):
    """Every byte of a small file is spoilt in turn: what is read is an array or a sentence."""
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=ARRAY)
    whole = path.read_bytes()
    refused = 0
    for place in range(len(whole)):
        for change in (0x01, 0x80, 0xFF):
            spoilt = bytearray(whole)
            spoilt[place] ^= change
            path.write_bytes(spoilt)
            try:
                plain_arrays(path, ("x",))
            except BadData:
                refused += 1
    assert refused > len(whole)
