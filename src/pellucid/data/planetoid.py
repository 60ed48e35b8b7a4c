"""Cora and Citeseer as graph networks are compared on them: citation graphs with a fixed split.

Source: Yang, Cohen & Salakhutdinov, "Revisiting semi-supervised learning with graph embeddings",
ICML 2016, whose files these are; the graphs are of Sen et al., "Collective classification in
network data", AI Magazine 2008.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from pellucid.data import plain_pickle
from pellucid.data.errors import BadData
from pellucid.data.files import Published, digest_of
from pellucid.data.source import About

MIRROR = "https://raw.githubusercontent.com/kimiyoung/planetoid/master/data/"
VALIDATION = 500  # nodes, which follow those of the train split


@dataclass(frozen=True, kw_only=True, eq=False)
class Citations:
    """One graph of papers: nodes cite one another, and a few of them have known topics."""

    name: str
    features: Float[Tensor, "nodes words"]  # 1 where a paper has the word, as published
    edges: Int[Tensor, "2 edges"]  # each citation in both directions, sorted; no loops, no doubles
    labels: Int[Tensor, " nodes"]
    train: Bool[Tensor, " nodes"]
    validation: Bool[Tensor, " nodes"]
    test: Bool[Tensor, " nodes"]
    filled: Bool[Tensor, " nodes"]  # unpublished nodes: no word, label 0 for want of one, no split
    classes: int
    provenance: str


@dataclass(frozen=True, kw_only=True)
class Planetoid:
    """The eight files of one graph."""

    name: str
    sha256: dict[str, str]  # by the ending of the file's name
    nodes: int
    words: int
    train: int  # labelled nodes
    classes: int
    provenance: str

    def load(self) -> Citations:
        """The graph.

        Some test nodes of Citeseer are missing from its files. As everywhere, they are filled in
        as nodes without words, with the label 0 that argmax gives them; `filled` marks them, and
        no split holds them.

        Raises:
            MissingFile: its files are not here and cannot be downloaded.
            WrongChecksum: a file is not the published one.
            BadPickle: a file holds something else.
            BadData: the files do not belong together.
        """
        try:
            return self._load()
        except (IndexError, ValueError) as error:
            raise BadData(
                f"The files of '{self.name}' do not fit one another ({error}); fetch them again."
            ) from error

    def digest(self) -> str:
        """One checksum over those of the files; needs no file."""
        return digest_of(self._file(ending) for ending in self.sha256)

    def about(self) -> About:
        """What can be said of it without reading it."""
        return About(
            name=self.name,
            rows={"train": self.train, "validation": VALIDATION, "test": 1000},
            shape=(self.words,),
            classes=self.classes,
            provenance=self.provenance,
            here=all(self._file(ending).here() for ending in self.sha256),
        )

    def _load(self) -> Citations:
        words = {e: plain_pickle.matrix(self._path(e)) for e in ("x", "tx", "allx")}
        topics = {e: plain_pickle.array(self._path(e)) for e in ("ty", "ally")}
        listed = np.array(self._path("test.index").read_text().split(), np.int64)
        known, train, nodes = len(words["allx"]), len(words["x"]), self.nodes
        features = np.zeros((nodes, self.words), np.float32)
        hot = np.zeros((nodes, self.classes), np.float32)
        features[:known], features[listed] = words["allx"], words["tx"]
        hot[:known], hot[listed] = topics["ally"], topics["ty"]
        return Citations(
            name=self.name,
            features=torch.from_numpy(features),
            edges=_edges(plain_pickle.neighbours(self._path("graph")), nodes),
            labels=torch.from_numpy(hot.argmax(axis=1)),
            train=_mask(nodes, np.arange(train)),
            validation=_mask(nodes, np.arange(train, train + VALIDATION)),
            test=_mask(nodes, listed),
            filled=torch.from_numpy(~hot.any(axis=1)),
            classes=self.classes,
            provenance=self.provenance,
        )

    def _path(self, ending: str) -> Path:
        return self._file(ending).fetch()

    def _file(self, ending: str) -> Published:
        name = f"ind.{self.name}.{ending}"
        return Published(path=f"planetoid/{name}", url=MIRROR + name, sha256=self.sha256[ending])


def _mask(nodes: int, members: NDArray[np.int64]) -> Bool[Tensor, " nodes"]:
    mask = torch.zeros(nodes, dtype=torch.bool)
    mask[torch.from_numpy(members)] = True
    return mask


def _edges(graph: dict[int, list[int]], nodes: int) -> Int[Tensor, "2 edges"]:
    """Both directions of each citation once, sorted, without loops."""
    one, other = np.array([(a, b) for a, others in graph.items() for b in others], np.int64).T
    matrix = np.zeros((nodes, nodes), np.bool_)
    matrix[one, other] = matrix[other, one] = True
    np.fill_diagonal(matrix, val=False)
    return torch.from_numpy(np.stack(matrix.nonzero()))


CORA = Planetoid(
    name="cora",
    sha256={
        "x": "23cfa55d91c6f624233f5eb7b6e3f141f1bd2b2ae39608a63cf5d084bb27baab",
        "y": "94465c14eb53e04ca262198dcbb2521ee8af60fb3f3d546cd6ca24a511b0e7d1",
        "tx": "b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a",
        "ty": "41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad",
        "allx": "9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543",
        "ally": "2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71",
        "graph": "58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d",
        "test.index": "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875",
    },
    nodes=2708,
    words=1433,
    train=140,
    classes=7,
    provenance=(
        "The eight files of Yang, Cohen & Salakhutdinov, ICML 2016, with the published split of "
        "140 training, 500 validation and 1,000 test nodes; licence of their repository MIT."
    ),
)

CITESEER = Planetoid(
    name="citeseer",
    sha256={
        "x": "d20de19150741e555de0ed037195630fc194114ebc7fd72ced62810148aa22f6",
        "y": "8ba87e515d8e3ee3cf52f6d2c5b86aa73f11ecad825a808455209ec26cd54924",
        "tx": "539a8906a2da97628d212f2fdd668c109a8b3f0d36574b59e5d3fd5b5303da21",
        "ty": "55e5bd1ba1e733a04598753ad1a8d57957f4b8f89e74519f41f4f4938767e4ce",
        "allx": "2ac30345d95c9ec933a817ee0bdd6a5f077f8c184a20e696910192d534414668",
        "ally": "f704b2d986dde6c2669934de1f3ae5696a6cf9455c0f6b2646a2d135ea0a1c95",
        "graph": "d79a4ef9d3e7169aee8946145f6b7306e35bc79bffad26346cfb94e10e9912a7",
        "test.index": "2af990671580b6b2df5d158d1038f8292e30c9cd821b5453f399659b25b723d4",
    },
    nodes=3327,
    words=3703,
    train=120,
    classes=6,
    provenance=(
        "The eight files of Yang, Cohen & Salakhutdinov, ICML 2016, with the published split of "
        "120 training, 500 validation and 1,000 test nodes; 15 nodes that the files lack are "
        "filled in without words; licence of their repository MIT."
    ),
)
