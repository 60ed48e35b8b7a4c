"""Image sets in files of the user's: the real ones where the user has them, and small ones."""

import hashlib
import os

import numpy as np
import pytest
import torch

from pellucid import data
from pellucid.data import BadData
from pellucid.data.files import MissingFile, Published, WrongChecksum
from pellucid.data.kept import Kept, Part, held_out
from pellucid.data.subsets import SUBSETS

needs_files = pytest.mark.skipif(
    "PELLUCID_DATA" not in os.environ, reason="PELLUCID_DATA names no folder with the files"
)
NAMES = [subset.name for subset in SUBSETS]
COUNTS = {  # rows of each class in both splits, as the folders' pages state them
    "cifar10-12k": None,
    "gtsrb-3k": [70] * 43,
    "att-faces": [10] * 40,
    "nk-sonar-720": [203, 288, 20, 94, 115],
}


@needs_files
@pytest.mark.parametrize("subset", SUBSETS, ids=NAMES)
def test_real_files_hold_what_is_said_of_them(subset):
    train, test = (data.load(subset.name, split) for split in ("train", "test"))
    about = subset.about()
    assert about.here
    assert about.rows == {"train": len(train), "test": len(test)}
    assert train.shape == test.shape == about.shape
    assert len(train.class_names) == about.classes
    assert test.y.unique().tolist() == list(range(about.classes))
    assert (train.low, train.high, train.x.dtype) == (0.0, 1.0, torch.float32)
    assert 0 <= train.x.min() < 0.02
    assert 0.95 < train.x.max() <= 1
    assert train.provenance == subset.provenance
    counts = (train.y.bincount() + test.y.bincount()).tolist()
    assert counts == (COUNTS[subset.name] or counts)


@needs_files
def test_the_subset_of_cifar10_begins_as_the_full_set():
    """The first labels, as everybody's first look at CIFAR-10 shows them."""
    train, test = (data.load("cifar10-12k", split) for split in ("train", "test"))
    names = [train.class_names[y] for y in train.y[:5]]
    assert names == ["frog", "truck", "truck", "deer", "automobile"]
    assert [test.class_names[y] for y in test.y[:4]] == ["cat", "ship", "ship", "airplane"]
    first = (train.x[0, :, 0, 0] * 255).round().tolist()
    assert first == [59, 62, 63]  # the first pixel of the full set's first image


@pytest.mark.parametrize("subset", SUBSETS, ids=NAMES)
def test_without_the_files_the_folder_is_asked_for(subset, tmp_path, monkeypatch):
    monkeypatch.delenv("PELLUCID_DATA", raising=False)
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    assert not subset.about().here
    with pytest.raises(MissingFile, match="set PELLUCID_DATA to a folder that holds it") as caught:
        data.load(subset.name)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("subset", SUBSETS, ids=NAMES)
def test_a_subset_says_so(subset):
    assert subset.provenance.startswith("NOT the full ") or subset.name == "att-faces"
    assert "licence" in subset.provenance


def test_every_fold_th_row_of_a_class_is_held_out():
    y = np.array([0, 1, 0, 0, 1, 1, 0, 0, 1])
    assert held_out(y, 2).nonzero()[0].tolist() == [2, 4, 6, 8]
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 97)
    expected = np.concatenate([np.flatnonzero(y == c)[4::5] for c in range(4)])
    assert held_out(y, 5).nonzero()[0].tolist() == sorted(expected)


@pytest.fixture
def small(tmp_path, monkeypatch):
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path))

    def save(fold=2, **arrays):
        path = tmp_path / "small.npz"
        np.savez(path, **arrays)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        part = Part(file=Published(path="small.npz", url=None, sha256=digest))
        return Kept(
            name="small",
            parts={"train": (part,), "test": (part,)},
            fold=fold,
            rows={"train": 2, "test": 2},
            shape=(3, 2, 2),
            classes=2,
            provenance="Made up.",
        )

    return save


X = np.arange(4 * 2 * 2 * 3, dtype=np.uint8).reshape(4, 2, 2, 3)
Y = np.array([0, 0, 1, 1], np.uint8)


def test_rows_are_split_and_laid_out(small):
    source = small(x=X, y=Y, class_names=np.array(["a", "b"]))
    train, test = source.load("train"), source.load("test")
    torch.testing.assert_close(test.x, torch.tensor(X[[1, 3]]).permute(0, 3, 1, 2) / 255)
    assert (train.y.tolist(), test.y.tolist()) == ([0, 1], [0, 1])
    assert train.class_names == ("a", "b")
    assert small(x=X, y=Y).load("train").class_names == ("0", "1")


def test_the_digest_knows_the_rule_of_the_split(small):
    assert small(x=X, y=Y).digest() != small(fold=3, x=X, y=Y).digest()


@pytest.mark.parametrize(
    "arrays",
    [{"x": X}, {"x": X[..., 0], "y": Y}, {"x": X / 255, "y": Y}, {"x": X, "y": Y[:3]}],
)
def test_other_arrays_are_refused(small, arrays):
    with pytest.raises(BadData, match=r"has no bytes of small in x and y \(it has x"):
        small(**arrays).load("train")


def test_another_file_is_refused(small, tmp_path):
    source = small(x=X, y=Y)
    np.savez(tmp_path / "small.npz", x=X, y=1 - Y)
    with pytest.raises(WrongChecksum):
        source.load("train")
