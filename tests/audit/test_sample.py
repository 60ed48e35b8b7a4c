"""The rows that a model is tested on."""

import numpy as np
import pytest
import torch

from pellucid.audit.sample import facts, sample
from pellucid.data import load
from pellucid.errors import UserError


def test_a_builtin_model_brings_its_own_test_rows():
    rows = sample(None, "builtin:digits-cnn", 7)
    assert torch.equal(rows.x, load("digits", "test").x[:7])
    assert len(sample(None, "builtin:digits-cnn")) == len(load("digits", "test"))


def test_a_file_and_a_name_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("digits.npz", x=np.ones((3, 2), np.float32), y=np.array([0, 1, 2]))
    assert sample("digits.npz", "").x.shape == (3, 2)
    assert sample(tmp_path / "digits.npz", "", 2).y.tolist() == [0, 2]
    assert sample("digits", "").x.shape == (500, 1, 8, 8)


@pytest.mark.parametrize(
    ("data", "reference", "rows", "said"),
    [
        ("digts", "", 5, "did you mean digits"),
        ("none.npz", "", 5, "no data file at none.npz"),
        ("folder/none", "", 5, "no data file at folder/none"),
        (None, "", 5, "name a data set, an .npz file"),
        (None, "builtin:digit-cnn", 5, "did you mean digits-cnn"),
        ("digits", "", 0, "at least one row"),
    ],
)
def test_what_cannot_be_found_is_said(data, reference, rows, said):
    with pytest.raises(UserError, match=said):
        sample(data, reference, rows)


def test_the_digest_knows_rows_and_labels(tmp_path):
    x, y = np.zeros((2, 3), np.float32), np.array([0, 1])
    digests = set()
    for labels in (y, y, y[::-1]):
        np.savez(tmp_path / "d.npz", x=x, y=labels)
        digests.add(facts(sample(tmp_path / "d.npz", "")).digest)
    assert len(digests) == 2


def test_rows_in_the_order_of_their_classes_are_spread(tmp_path):
    """Else the first rows of an image folder would all be of one class."""
    y = np.arange(3).repeat(4)
    np.savez(tmp_path / "sorted.npz", x=np.arange(24, dtype=np.float32).reshape(12, 2), y=y)
    some = sample(tmp_path / "sorted.npz", "", 3)
    assert some.y.tolist() == [0, 1, 2]
    assert "evenly spread" in some.guessed[-1]
    np.savez(tmp_path / "mixed.npz", x=np.zeros((12, 2), np.float32), y=y[::-1])
    assert sample(tmp_path / "mixed.npz", "", 3).y.tolist() == [2, 2, 2]
