"""CIFAR-10's binary archive, on small archives of the same format."""

import hashlib
import io
import tarfile

import numpy as np
import pytest
import torch

from pellucid import data
from pellucid.data.cifar import BATCHES, CIFAR10, FOLDER, RECORD, BadArchive, Cifar10
from pellucid.data.files import Published, WrongChecksum

ROWS = 3
NAMES = [*BATCHES["train"], *BATCHES["test"]]


@pytest.fixture
def batches():
    """Records of each member: a label and three planes of pixels."""
    rng = np.random.default_rng(0)
    drawn = {name: rng.integers(0, 256, (ROWS, RECORD), dtype=np.uint8) for name in NAMES}
    for records in drawn.values():
        records[:, 0] %= 10
    return drawn


@pytest.fixture
def archived(tmp_path, monkeypatch):
    """Writes an archive where the data set looks for it, and gives the data set."""
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path))

    def write(members, spoil=lambda whole: whole):
        path = tmp_path / "c.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for name, content in members.items():
                entry = tarfile.TarInfo(f"{FOLDER}/{name}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        path.write_bytes(spoil(path.read_bytes()))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return Cifar10(archive=Published(path=path.name, url=None, sha256=digest), batch=ROWS)

    return write


def contents(batches):
    return {name: records.tobytes() for name, records in batches.items()}


def test_records_become_images(archived, batches):
    source = archived({"readme.html": b"hello", **contents(batches)})
    train, test = source.load("train"), source.load("test")
    records = np.concatenate([batches[name] for name in BATCHES["train"]])
    assert train.y.tolist() == records[:, 0].tolist()
    assert (train.shape, len(train), len(test)) == ((3, 32, 32), 15, 3)
    row = batches["test_batch.bin"][1]
    pixels = torch.tensor([row[1 + 32 * 5 + 7 + 1024 * channel] for channel in range(3)])
    torch.testing.assert_close(test.x[1, :, 5, 7], pixels / 255)
    assert source.about().rows == {"train": 15, "test": 3}
    assert source.about().here


def shortened(batches):
    whole = contents(batches)
    return whole | {"data_batch_3.bin": whole["data_batch_3.bin"][:-1]}


def without(batches):
    whole = contents(batches)
    del whole["data_batch_5.bin"]
    return whole


@pytest.mark.parametrize("members", [shortened, without])
def test_other_members_are_refused(archived, batches, members):
    with pytest.raises(BadArchive, match="is not a whole archive of the batches of cifar10"):
        archived(members(batches)).load("train")


@pytest.mark.parametrize("spoil", [lambda whole: whole[:2000], lambda _: b"plain text"])
def test_broken_archives_are_refused(archived, batches, spoil):
    with pytest.raises(BadArchive, match="is not a whole archive"):
        archived(contents(batches), spoil).load("test")


def test_a_link_in_place_of_a_member_is_refused(tmp_path, archived, batches):
    source = archived(contents(batches))
    with tarfile.open(tmp_path / "c.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo(f"{FOLDER}/test_batch.bin")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    digest = hashlib.sha256((tmp_path / "c.tar.gz").read_bytes()).hexdigest()
    linked = Published(path=source.archive.path, url=None, sha256=digest)
    with pytest.raises(BadArchive, match="is not a whole archive"):
        Cifar10(archive=linked, batch=ROWS).load("test")


def test_a_label_without_a_class_is_refused(archived, batches):
    batches["test_batch.bin"][1, 0] = 10
    with pytest.raises(BadArchive, match="holds the label 10"):
        archived(contents(batches)).load("test")


def test_the_named_set_is_the_published_archive(tmp_path, monkeypatch):
    assert CIFAR10.about().rows == {"train": 50_000, "test": 10_000}
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path))
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10/cifar-10-binary.tar.gz").write_bytes(b"something else")
    with pytest.raises(WrongChecksum, match=r"cifar-10-binary\.tar\.gz is not the published file"):
        data.load("cifar10", "test")
