"""A reference is a path or a name."""

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid import data
from pellucid.data import BadData
from pellucid.naming import UnknownName


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("digits.npz", x=np.ones((3, 2), np.float32), y=np.array([0, 1, 2]))
    (tmp_path / "table.csv").write_text("a,b,kind\n1,x,0\n2,y,1\n", encoding="utf-8")
    for folder in ("pictures", "digits"):
        (tmp_path / folder / "cat").mkdir(parents=True)
        Image.new("L", (4, 3)).save(tmp_path / folder / "cat/one.png")
    return tmp_path


def test_names_and_paths_are_told_apart(here):
    assert data.find("digits").shape == (1, 8, 8)
    assert data.find("digits.npz").shape == (2,)
    assert data.find(here / "digits.npz").shape == (2,)
    assert data.find("digits/").shape == (1, 3, 4)
    assert data.find(here / "digits").shape == (1, 3, 4)
    assert data.find("pictures").shape == (1, 3, 4)
    assert data.find("table.csv", label="kind").class_names == ("0", "1")


def test_the_test_split_is_the_default():
    assert data.find("digits").split == "test"
    assert data.find("digits", "train").split == "train"
    assert torch.equal(data.find("moons:3").x, data.load("moons:3", "test").x)


@pytest.mark.parametrize(
    ("reference", "error", "said"),
    [
        ("digts", UnknownName, "did you mean digits"),
        ("none.npz", BadData, "no data file at none.npz"),
        ("folder/none", BadData, "no data file at folder/none"),
    ],
)
def test_what_cannot_be_found_is_said(reference, error, said):
    with pytest.raises(error, match=said):
        data.find(reference)


@pytest.mark.parametrize("reference", ["digits", "digits.npz"])
def test_only_tables_have_a_column_of_labels(reference):
    with pytest.raises(BadData, match=r"Only a table has a column of labels, and '?digits"):
        data.find(reference, label="y")
