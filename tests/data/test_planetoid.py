"""The citation graphs, where the user has them, against the counts that everybody reports."""

import os
from dataclasses import replace

import pytest
import torch

from pellucid import data
from pellucid.data import BadData
from pellucid.data.files import MissingFile
from pellucid.data.planetoid import CITESEER, CORA
from pellucid.errors import UserError
from pellucid.naming import UnknownName

needs_files = pytest.mark.skipif(
    "PELLUCID_DATA" not in os.environ, reason="PELLUCID_DATA names no folder with the files"
)
COUNTS = {  # nodes, words, citations, nodes without one, training nodes, nodes of each class
    "cora": (2708, 1433, 5278, 0, 140, [351, 217, 418, 818, 426, 298, 180]),
    "citeseer": (3327, 3703, 4552, 48, 120, [264 - 15, 590, 668, 701, 596, 508]),
}


@needs_files
@pytest.mark.parametrize("name", COUNTS)
def test_published_counts(name):
    graph = data.citations(name)
    nodes, words, citations, lonely, train, classes = COUNTS[name]
    assert graph.features.shape == (nodes, words)
    assert graph.features.unique().tolist() == [0, 1]
    assert graph.edges.shape == (2, 2 * citations)
    assert nodes - len(graph.edges.unique()) == lonely
    assert graph.labels[~graph.filled].bincount().tolist() == classes
    assert graph.labels[graph.train].bincount().tolist() == [20] * graph.classes
    splits = (graph.train, graph.validation, graph.test)
    assert [int(split.sum()) for split in splits] == [train, 500, 1000]
    assert int((graph.train | graph.validation | graph.test).sum()) == train + 1500
    about = next(about for about in data.describe() if about.name == name)
    assert about.rows == {"train": train, "validation": 500, "test": 1000}
    assert (about.shape, about.classes, about.here) == ((words,), graph.classes, True)


@needs_files
@pytest.mark.parametrize("name", COUNTS)
def test_edges_go_both_ways_once(name):
    edges = data.citations(name).edges
    assert (edges[0] != edges[1]).all()
    keys = edges[0] * 10_000 + edges[1]
    assert (keys.diff() > 0).all()  # sorted, and no edge twice
    assert torch.equal(keys, (edges[1] * 10_000 + edges[0]).sort().values)


@needs_files
def test_missing_nodes_of_citeseer_are_filled_in():
    graph = data.citations("citeseer")
    assert int(graph.filled.sum()) == 15
    assert not graph.features[graph.filled].any()
    assert not graph.labels[graph.filled].any()
    assert not (graph.filled & (graph.train | graph.validation | graph.test)).any()
    assert not data.citations("cora").filled.any()


@needs_files
def test_neighbours_mostly_agree():
    """Papers cite papers of their topic: 81 % of Cora's citations, 74 % of Citeseer's."""
    for name, share in (("cora", 0.81), ("citeseer", 0.74)):
        graph = data.citations(name)
        same = graph.labels[graph.edges[0]] == graph.labels[graph.edges[1]]
        assert same.float().mean() == pytest.approx(share, abs=0.005)


@needs_files
def test_files_that_do_not_fit_are_refused():
    for wrong in (replace(CORA, nodes=2000), replace(CORA, words=1432), replace(CORA, classes=6)):
        with pytest.raises(BadData, match="The files of 'cora' do not fit one another"):
            wrong.load()


def test_without_the_files_the_folder_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path))
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    monkeypatch.setattr("pellucid.data.planetoid.MIRROR", "http://127.0.0.1:9/")
    with pytest.raises(MissingFile, match="set PELLUCID_DATA"):
        CITESEER.load()
    assert not CITESEER.about().here


def test_names():
    with pytest.raises(UnknownName, match="There is no graph called 'cor': did you mean cora"):
        data.citations("cor")
    with pytest.raises(UserError, match="'cora' is a graph, not rows: load it with"):
        data.load("cora")
    assert len({data.digest("cora"), data.digest("citeseer")}) == 2
