"""The embedded digits against scikit-learn's copy."""

import numpy as np
import torch
from sklearn.datasets import load_digits

from pellucid import data


def rows(x, y):
    """All rows as sorted bytes, so that two sets compare whatever their order."""
    joined = np.column_stack([x.reshape(len(x), -1), y]).astype(np.uint8)
    return sorted(row.tobytes() for row in joined)


def test_splits_are_the_published_rows_once_each():
    images, labels = load_digits(return_X_y=True)
    parts = [data.load("digits", split) for split in ("train", "test")]
    x = torch.cat([part.x for part in parts]).mul(16).numpy()
    y = torch.cat([part.y for part in parts]).numpy()
    assert [len(part) for part in parts] == [1297, 500]
    assert rows(x, y) == rows(images, labels)


def test_splits_are_stratified():
    train, test = (data.load("digits", split).y.bincount() for split in ("train", "test"))
    expected = (train + test) * 500 / 1797
    assert (test - expected).abs().max() < 1


def test_facts():
    digits = data.load("digits")
    assert digits.shape == (1, 8, 8)
    assert (digits.low, digits.high, digits.split) == (0.0, 1.0, "train")
    assert (digits.x.min(), digits.x.max(), digits.x.dtype) == (0, 1, torch.float32)
    assert digits.class_names == tuple("0123456789")
