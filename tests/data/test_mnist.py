"""The original files of MNIST and Fashion-MNIST, where the user has them."""

import os

import pytest
import torch

from pellucid import data
from pellucid.data.files import WrongChecksum

needs_files = pytest.mark.skipif(
    "PELLUCID_DATA" not in os.environ, reason="PELLUCID_DATA names no folder with the files"
)


@needs_files
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_published_files(name):
    test = data.load(name, "test")
    assert (len(test), test.shape) == (10_000, (1, 28, 28))
    assert (test.x.min(), test.x.max(), test.x.dtype) == (0, 1, torch.float32)
    assert test.y.unique().tolist() == list(range(len(test.class_names)))


@needs_files
def test_first_labels():
    """The first labels of the four files, as both papers' pages show them."""
    assert data.load("mnist", "test").y[:5].tolist() == [7, 2, 1, 0, 4]
    assert data.load("mnist").y[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.load("fashion-mnist", "test").y[:5].tolist() == [9, 2, 1, 1, 6]
    assert len(data.load("fashion-mnist")) == 60_000


def test_foreign_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path))
    here = tmp_path / "MNIST/raw/t10k-images-idx3-ubyte.gz"
    here.parent.mkdir(parents=True)
    here.write_bytes(b"something else")
    with pytest.raises(WrongChecksum, match=str(here)):
        data.load("mnist", "test")
