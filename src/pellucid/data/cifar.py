"""CIFAR-10: 60,000 colour images of 32x32 pixels, read from upstream's binary archive as it is.

A record is one byte of label and 3,072 bytes of pixels: the red, green and blue planes, row by row
(Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009).
"""

import tarfile
import zlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.data.dataset import Dataset, Split
from pellucid.data.files import Published, digest_of
from pellucid.data.source import About
from pellucid.errors import UserError

FOLDER = "cifar-10-batches-bin"  # inside of the archive
BATCHES: dict[Split, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    "test": ("test_batch.bin",),
}
SHAPE = (3, 32, 32)
RECORD = 1 + 3 * 32 * 32
BROKEN = (EOFError, KeyError, OSError, tarfile.TarError, zlib.error)


class BadArchive(UserError):
    """An archive does not hold what it should."""


@dataclass(frozen=True, kw_only=True)
class Cifar10:
    """Colour images in a gzipped tar archive of binary batches; pixels are scaled to [0, 1]."""

    archive: Published
    batch: int  # rows in each of the six members
    name: str = "cifar10"
    class_names: tuple[str, ...] = (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    )
    provenance: str = (
        "Upstream's binary archive, whole: Krizhevsky, Learning Multiple Layers of Features from "
        "Tiny Images, 2009; no licence is stated."
    )

    def load(self, split: Split) -> Dataset:
        """The rows of one split in their published order; x is (n, 3, 32, 32)."""
        records = self._records(BATCHES[split])
        y = torch.tensor(records[:, 0], dtype=torch.int64)
        if y.max() >= len(self.class_names):
            raise BadArchive(f"{self.archive.path} holds the label {y.max()}; fetch it again.")
        return Dataset(
            name=self.name,
            split=split,
            x=torch.tensor(records[:, 1:]).reshape(-1, *SHAPE).to(torch.float32) / 255,
            y=y,
            low=0.0,
            high=1.0,
            class_names=self.class_names,
            provenance=self.provenance,
        )

    def digest(self) -> str:
        """A checksum of the archive's; needs no file."""
        return digest_of([self.archive])

    def about(self) -> About:
        """What can be said of it without reading it."""
        return About(
            name=self.name,
            rows={split: self.batch * len(batches) for split, batches in BATCHES.items()},
            shape=SHAPE,
            classes=len(self.class_names),
            provenance=self.provenance,
            here=self.archive.here(),
        )

    def _records(self, batches: tuple[str, ...]) -> NDArray[np.uint8]:
        """The records of some members, (n, RECORD); nothing is written to disk."""
        path = self.archive.fetch()
        try:
            with tarfile.open(path, "r:gz") as archive:
                content = b"".join(self._content(archive, name) for name in batches)
        except BROKEN as error:
            raise BadArchive(
                f"{path} is not a whole archive of the batches of {self.name}; fetch it again."
            ) from error
        return np.frombuffer(content, np.uint8).reshape(-1, RECORD)

    def _content(self, archive: tarfile.TarFile, name: str) -> bytes:
        member = archive.getmember(f"{FOLDER}/{name}")
        stream = archive.extractfile(member) if member.isfile() else None
        if stream is None or member.size != self.batch * RECORD:
            raise tarfile.ReadError(f"{name} is no file of {self.batch * RECORD} bytes")
        return stream.read()


CIFAR10 = Cifar10(
    archive=Published(
        path="cifar10/cifar-10-binary.tar.gz",
        url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ),
    batch=10_000,
)
