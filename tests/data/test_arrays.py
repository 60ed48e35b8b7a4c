"""The user's own .npz files, good and bad."""

import numpy as np
import pytest
import torch

from pellucid import data
from pellucid.data import BadData

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
    assert found.guessed == ()


def test_bytes_become_unit_range(tmp_path):
    images = np.array([[[0, 255]], [[51, 102]]], dtype=np.uint8)
    found = data.read(saved(tmp_path / "a.npz", x=images, y=Y))
    torch.testing.assert_close(found.x, torch.tensor([[[0.0, 1.0]], [[0.2, 0.4]]]))
    assert (found.x.dtype, found.low, found.high) == (torch.float32, 0.0, 1.0)
    assert found.guessed == ()


def test_guessed_bounds_are_said(tmp_path):
    found = data.read(saved(tmp_path / "a.npz", x=np.array([[0.25], [0.75]]), y=Y))
    assert (found.low, found.high) == (0.0, 1.0)
    assert found.guessed == (
        "The bounds of the inputs are not stated: 0 to 1 was guessed, since all values lie from "
        "0.25 to 0.75.",
    )


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
        ({"x": X, "y": Y + 2**40}, "y holds 1099511627776; classes are numbered from 0 to"),
        ({"x": X, "y": Y, "class_names": np.array(["a"])}, "up to 2 but there are 1 names"),
        ({"x": X.astype(object), "y": Y}, "x holds Python objects, which are not unpickled"),
        ({"x": X, "y": Y.astype(object)}, "y holds Python objects, which are not unpickled"),
    ],
)
def test_bad_arrays_are_named(tmp_path, arrays, said):
    path = saved(tmp_path / "bad.npz", **arrays)
    with pytest.raises(BadData, match=said) as caught:
        data.read(path)
    assert str(path) in str(caught.value)
