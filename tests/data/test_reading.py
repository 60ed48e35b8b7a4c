"""The user's own .npz files, good and bad."""

import numpy as np
import pytest
import torch

from pellucid import data
from pellucid.data.reading import BadData

X = np.linspace(-3, 900, 2 * 3, dtype=np.float64).reshape(2, 3)
Y = np.array([2, 0])


def saved(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_floats_stay_in_their_units(tmp_path):
    found = data.read(saved(tmp_path / "mine.npz", x=X, y=Y))
    assert (found.name, found.split, found.low, found.high) == ("mine", None, None, None)
    torch.testing.assert_close(found.x, torch.tensor(X, dtype=torch.float32))
    assert found.y.tolist() == [2, 0]
    assert found.y.dtype == torch.int64
    assert found.class_names == ("0", "1", "2")


def test_bytes_stay_bytes_in_value(tmp_path):
    images = np.array([[[0, 255]], [[7, 8]]], dtype=np.uint8)
    found = data.read(saved(tmp_path / "a.npz", x=images, y=Y))
    assert found.x.tolist() == images.tolist()
    assert (found.x.dtype, found.low, found.high) == (torch.float32, 0.0, 255.0)


def test_class_names_are_read(tmp_path):
    names = np.array(["stop", "yield", "turn", "unseen"])
    found = data.read(saved(tmp_path / "a.npz", x=X, y=Y, class_names=names))
    assert found.class_names == ("stop", "yield", "turn", "unseen")


def spoilt(value):
    x = X.copy()
    x[1, 1] = value
    return x


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": X}, r"has no array named y \(it has x\)"),
        ({"images": X, "labels": Y}, r"no array named x or y \(it has images, labels\)"),
        ({"x": X, "y": np.array([1])}, r"with one n, not \(2, 3\) and \(1,\)"),
        ({"x": X, "y": np.eye(2, dtype=int)}, r"not \(2, 3\) and \(2, 2\)"),
        ({"x": X[:, 0], "y": Y}, r"x must be \(n, ...\)"),
        ({"x": X[:0], "y": Y[:0]}, "at least one row"),
        ({"x": spoilt(np.nan), "y": Y}, r"1 rows of x hold NaN.* is row 1\)"),
        ({"x": spoilt(1e300), "y": Y}, "more than float32 can"),
        ({"x": X > 0, "y": Y}, "x must hold floats, integers or bytes, not bool"),
        ({"x": X.astype(complex), "y": Y}, "not complex128"),
        ({"x": X, "y": Y.astype(float)}, "y must hold class numbers as integers, not float64"),
        ({"x": X, "y": Y - 1}, "y holds -1; classes are numbered from 0"),
        ({"x": X, "y": Y, "class_names": np.array(["a"])}, "up to 2 but there are 1 names"),
        ({"x": X.astype(object), "y": Y}, "cannot be read as an .npz file of plain arrays"),
    ],
)
def test_bad_arrays_are_named(tmp_path, arrays, said):
    path = saved(tmp_path / "bad.npz", **arrays)
    with pytest.raises(BadData, match=said) as caught:
        data.read(path)
    assert str(path) in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(BadData, match=r"There is no data file at .*none\.npz"):
        data.read(tmp_path / "none.npz")


@pytest.mark.parametrize("content", [b"", b"plain text", b"PK\x03\x04 broken off"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(BadData, match=r"cannot be read as an \.npz file"):
        data.read(path)


def test_a_single_array_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", X)
    with pytest.raises(BadData, match=r"cannot be read as an \.npz file"):
        data.read(tmp_path / "a.npy")
