"""The data sets that have a name."""

from dataclasses import replace

from pellucid.data.captioned_digits import CaptionedDigits
from pellucid.data.cifar import CIFAR10
from pellucid.data.dataset import Dataset, Split
from pellucid.data.digits import Digits
from pellucid.data.mnist import FASHION_MNIST, MNIST
from pellucid.data.planetoid import CITESEER, CORA, Citations, Planetoid
from pellucid.data.source import About, Source
from pellucid.data.subsets import SUBSETS
from pellucid.data.synthetic import SYNTHETIC
from pellucid.errors import UserError
from pellucid.naming import unknown


class UnknownSplit(UserError):
    """A data set has no such part."""


class BadSeed(UserError):
    """A data set cannot be drawn from this seed."""


SOURCES: tuple[Source, ...] = (
    Digits(),
    CaptionedDigits(),
    MNIST,
    FASHION_MNIST,
    CIFAR10,
    *SUBSETS,
    *SYNTHETIC,
)
DATASETS = tuple(source.name for source in SOURCES)
GRAPHS = (CORA, CITESEER)
SPLITS: tuple[Split, ...] = ("train", "test")


def load(name: str, split: str = "train") -> Dataset:
    """A data set by name, as `describe` lists them; NAME:SEED for one that is drawn.

    Raises:
        UnknownName: there is no such data set; the nearest names are given.
        UnknownSplit: the split is neither train nor test.
        BadSeed: the seed is no whole number, or the set is not drawn.
        MissingFile: its files are not here and cannot be downloaded.
        WrongChecksum: a file is not the published one.
    """
    source = _find(name)
    for known in SPLITS:
        if known == split:
            return source.load(known)
    raise UnknownSplit(f"The split of '{name}' must be train or test, not '{split}'.")


def citations(name: str) -> Citations:
    """A citation graph by name: cora or citeseer.

    Raises:
        UnknownName: there is no such graph.
        MissingFile: its files are not here and cannot be downloaded.
        WrongChecksum: a file is not the published one.
    """
    return _graph(name).load()


def digest(name: str) -> str:
    """The checksum of a named data set or graph, known without its files; raises `UnknownName`."""
    if name in (graph.name for graph in GRAPHS):
        return _graph(name).digest()
    return _find(name).digest()


def describe() -> tuple[About, ...]:
    """What can be said of every data set and graph with a name, without reading one."""
    return tuple(source.about() for source in (*SOURCES, *GRAPHS))


def _find(reference: str) -> Source:
    name, colon, seed = reference.partition(":")
    if colon:
        return _seeded(name, seed)
    for source in SOURCES:
        if source.name == name:
            return source
    if name in (graph.name for graph in GRAPHS):
        raise UserError(
            f"'{name}' is a graph, not rows: load it with pellucid.data.citations('{name}')."
        )
    raise unknown("data set", name, DATASETS)


def _seeded(name: str, seed: str) -> Source:
    for source in SYNTHETIC:
        if source.family == name:
            if not (seed.isascii() and seed.isdigit() and len(seed) < 20):
                raise BadSeed(f"The seed of '{name}' is a whole number from 0, not '{seed}'.")
            return replace(source, seed=int(seed))
    if name in DATASETS:
        raise BadSeed(f"'{name}' is not drawn from a seed; leave out ':{seed}'.")
    raise unknown("data set", name, DATASETS)


def _graph(name: str) -> Planetoid:
    for graph in GRAPHS:
        if graph.name == name:
            return graph
    raise unknown("graph", name, (graph.name for graph in GRAPHS))
