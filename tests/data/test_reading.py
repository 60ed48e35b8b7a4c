"""What a path leads to."""

import numpy as np
import pytest
from PIL import Image

from pellucid import data
from pellucid.data import BadData


@pytest.fixture
def here(tmp_path):
    np.savez(tmp_path / "rows.npz", x=np.ones((3, 2)), y=np.array([0, 1, 1]))
    (tmp_path / "table.csv").write_text("a,b,kind\n1,x,0\n2,y,1\n", encoding="utf-8")
    (tmp_path / "pictures/cat").mkdir(parents=True)
    Image.new("L", (4, 3), 51).save(tmp_path / "pictures/cat/one.png")
    return tmp_path


def test_each_kind_of_data_is_read(here):
    assert data.read(here / "rows.npz").shape == (2,)
    assert data.read(str(here / "table.csv"), label="kind").shape == (2,)
    assert data.read(here / "pictures").shape == (1, 3, 4)


@pytest.mark.parametrize(
    ("name", "label", "said"),
    [
        ("none.npz", None, "There is no data file at .*none.npz; give the path of an .npz"),
        ("none.csv", None, "There is no data file at .*none.csv"),
        ("none", None, "There is no data file at .*none"),
        ("notes.txt", None, r"is of a kind that cannot be read; give an \.npz file, a table"),
        ("rows.npz", "y", "Only a table has a column of labels, and .*rows.npz is none"),
        ("pictures", "y", "Only a table has a column of labels"),
    ],
)
def test_other_paths_are_refused(here, name, label, said):
    (here / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(BadData, match=said):
        data.read(here / name, label)
