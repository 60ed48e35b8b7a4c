"""IDX files written by the test, byte by byte."""

import gzip
import struct

import numpy as np
import pytest

from pellucid.data.idx import BadIdx, parse


def written(path, raw):
    path.write_bytes(gzip.compress(raw))
    return path


def test_array_comes_back(tmp_path):
    array = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    raw = bytes([0, 0, 8, 3]) + struct.pack(">3I", *array.shape) + array.tobytes()
    np.testing.assert_array_equal(parse(written(tmp_path / "a.gz", raw)), array)


def test_labels_come_back(tmp_path):
    raw = bytes([0, 0, 8, 1]) + struct.pack(">I", 300) + bytes(300)
    assert parse(written(tmp_path / "a.gz", raw)).shape == (300,)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not an IDX file"),
        (bytes([0, 0, 8, 3]) + bytes(4), "not an IDX file"),  # the header breaks off
        (bytes([0, 0, 13, 1, 0, 0, 0, 1]) + bytes(4), "not an IDX file"),  # floats
        (bytes([0, 0, 8, 1, 0, 0, 0, 9]) + bytes(8), r"shape \(9,\) but holds 8 bytes"),
    ],
)
def test_other_content_is_refused(tmp_path, raw, said):
    with pytest.raises(BadIdx, match=said):
        parse(written(tmp_path / "a.gz", raw))


@pytest.mark.parametrize("spoil", [lambda whole: whole[:-9], lambda _: b"plain text"])
def test_broken_gzip_is_refused(tmp_path, spoil):
    path = tmp_path / "a.gz"
    path.write_bytes(spoil(gzip.compress(bytes(range(200)))))
    with pytest.raises(BadIdx, match="not a complete gzip file"):
        parse(path)
