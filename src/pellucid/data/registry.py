"""The data sets that have a name."""

from pellucid.data.dataset import Dataset, Split
from pellucid.data.digits import Digits
from pellucid.data.mnist import FASHION_MNIST, MNIST, IdxImages
from pellucid.errors import UserError
from pellucid.naming import unknown


class UnknownSplit(UserError):
    """A data set has no such part."""


Source = Digits | IdxImages
SOURCES: tuple[Source, ...] = (Digits(), MNIST, FASHION_MNIST)
DATASETS = tuple(source.name for source in SOURCES)
SPLITS: tuple[Split, ...] = ("train", "test")


def load(name: str, split: str = "train") -> Dataset:
    """A data set by name: digits (embedded), mnist or fashion-mnist.

    Raises:
        UnknownName: there is no such data set; the nearest names are given.
        UnknownSplit: the split is neither train nor test.
        MissingFile: its files are not here and cannot be downloaded.
        WrongChecksum: a file is not the published one.
    """
    source = _find(name)
    for known in SPLITS:
        if known == split:
            return source.load(known)
    raise UnknownSplit(f"The split of '{name}' must be train or test, not '{split}'.")


def digest(name: str) -> str:
    """The checksum of a named data set, known without its files; raises `UnknownName`."""
    return _find(name).digest()


def _find(name: str) -> Source:
    for source in SOURCES:
        if source.name == name:
            return source
    raise unknown("data set", name, DATASETS)
