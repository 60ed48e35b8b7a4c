"""Tables of typed columns, good and bad."""

import gzip
import lzma
import os
import subprocess
import sys
from pathlib import Path

import polars
import pytest
import torch
from polars.exceptions import ComputeError

from pellucid import data
from pellucid.data import BadData, Column
from pellucid.data.parquet import read_parquet

TABLE = """age,colour,member,outcome
31,red,true,good
45.5,blue,false,bad
20,red,false,good
"""


def written(path, text=TABLE):
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_are_typed(tmp_path):
    found = data.read(written(tmp_path / "people.csv"), label="outcome")
    assert found.x.tolist() == [[31, 1, 1], [45.5, 0, 0], [20, 1, 0]]
    assert found.x.dtype == torch.float32
    assert found.columns == (
        Column(name="age", kind="number", low=20.0, high=45.5),
        Column(name="colour", kind="category", categories=("blue", "red"), low=0.0, high=1.0),
        Column(name="member", kind="category", categories=("false", "true"), low=0.0, high=1.0),
    )
    assert found.class_names == ("bad", "good")
    assert found.y.tolist() == [1, 0, 1]
    assert (found.name, found.low, found.high, found.split) == ("people", None, None, None)
    assert found.guessed == (
        "The classes in column 'outcome' were numbered as they sort: 0 = bad, 1 = good.",
    )


def test_all_endings_hold_the_same_rows(tmp_path):
    plain = data.read(written(tmp_path / "t.csv"), label="outcome")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(TABLE.encode()))
    (tmp_path / "t.csv.xz").write_bytes(lzma.compress(TABLE.encode()))
    frame = polars.read_csv(tmp_path / "t.csv")
    frame.with_columns(polars.col("colour").cast(polars.Categorical)).write_parquet(
        tmp_path / "t.parquet"
    )
    for ending in ("csv.gz", "csv.xz", "parquet"):
        found = data.read(tmp_path / f"t.{ending}", label="outcome")
        assert torch.equal(found.x, plain.x)
        assert torch.equal(found.y, plain.y)
        assert (found.columns, found.class_names) == (plain.columns, plain.class_names)


@pytest.mark.parametrize("name", ["y", "Label", "TARGET", "class"])
def test_usual_names_of_labels_are_known(tmp_path, name):
    found = data.read(written(tmp_path / "t.csv", f"a,{name}\n0.5,2\n0.25,0\n"))
    assert found.y.tolist() == [2, 0]
    assert found.class_names == ("0", "1", "2")
    assert found.x.tolist() == [[0.5], [0.25]]
    assert found.guessed == ()


@pytest.mark.parametrize(
    ("text", "label", "said"),
    [
        (TABLE, None, "has 0 columns named y, label, target or class; say which .*: 'age', 'co"),
        (TABLE, "Outcome", "has 0 columns named 'Outcome'; say which of its columns"),
        ("y,label,a\n1,1,1\n", None, "has 2 columns named"),
        ("y,a\n1,2\n0,\n1,NA\n", None, r"missing values \(2 in 'a'\)"),
        ("y,a,b\n1,2,x\n,3\n", None, r"missing values \(1 in 'y', 1 in 'b'\)"),
        ("y,a\n1,2\n0,inf\n", None, "1 rows of x hold NaN, infinity"),
        ("y,a\n1,2\n0,1e99\n", None, "more than float32 can"),
        ("y,a\n0.5,2\n", None, "labels in column 'y' are Float64; classes are whole numbers"),
        ("y,a\n-1,2\n", None, "y holds -1; classes are numbered from 0"),
        ("y,a\n1000000000000,2\n", None, "y holds 1000000000000; classes are numbered from 0 to"),
        ("y,a\n18446744073709551615,2\n", None, "classes are numbered from 0 to"),
        ("y\n1\n", None, "has no column beside the labels in 'y'"),
        ("y,a,a\n1,2,3\n", None, "names column 'a' twice"),
        ("y,a\n", None, "has no rows"),
        ("", None, "cannot be read as a table"),
        ("y,a\n1,2,3\n", None, "cannot be read as a table"),
    ],
)
def test_bad_tables_are_named(tmp_path, text, label, said):
    path = written(tmp_path / "bad.csv", text)
    with pytest.raises(BadData, match=said) as caught:
        data.read(path, label)
    assert "\n" not in str(caught.value)


def test_columns_of_other_kinds_are_named(tmp_path):
    frame = polars.DataFrame({"y": [0, 1], "a": [[1, 2], [3]]})
    frame.write_parquet(tmp_path / "t.parquet")
    with pytest.raises(BadData, match=r"Column 'a' holds List\(Int64\), neither numbers, text"):
        data.read(tmp_path / "t.parquet")


def test_missing_values_of_parquet_are_seen(tmp_path):
    frame = polars.DataFrame({"y": [0, 1, 1], "a": [float("nan"), None, 1.0]})
    frame.write_parquet(tmp_path / "t.parquet")
    with pytest.raises(BadData, match=r"missing values \(2 in 'a'\)"):
        data.read(tmp_path / "t.parquet")


@pytest.mark.parametrize("ending", ["csv.gz", "csv.xz", "parquet"])
@pytest.mark.parametrize(
    "content", [b"", b"plain text", gzip.compress(TABLE.encode(), mtime=0)[:-9]]
)
def test_broken_files_are_refused(tmp_path, ending, content):
    (tmp_path / f"t.{ending}").write_bytes(content)
    with pytest.raises(BadData, match=r"cannot be read as a table"):
        data.read(tmp_path / f"t.{ending}")


def test_parquet_that_would_end_the_process_is_refused(tmp_path):
    """Spoilt files: some make polars panic, some ask it for more memory than there is."""
    path = tmp_path / "t.parquet"
    polars.DataFrame({"y": [0, 1, 1], "a": [1.5, 2.0, 3.0]}).write_parquet(path)
    whole = path.read_bytes()
    refused = 0
    for place in range(4, len(whole) - 8, len(whole) // 8):
        path.write_bytes(whole[:place] + b"\xff" * 4 + whole[place + 4 :])
        try:
            data.read(path)
        except BadData:
            refused += 1
    assert refused


def test_parquet_with_too_many_values_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    polars.DataFrame({"y": [0, 1, 1], "a": [1.5, 2.0, 3.0]}).write_parquet(path)
    assert len(read_parquet(path, most=6)) == 3
    with pytest.raises(ComputeError, match="it states 3 rows of 2 columns, more than 5 values"):
        read_parquet(path, most=5)


def test_doubtful_columns_are_said(tmp_path):
    lines = [f"{n % 2},{2**24 + n},person {n},{'ab'[n % 2]}" for n in range(6)]
    text = "\n".join(["y,account,name,side", *lines])
    found = data.read(written(tmp_path / "t.csv", text))
    assert found.guessed == (
        "Column 'account' has whole numbers above 16777216, which float32 rounds.",
        "Column 'name' was read as categories, though its 6 rows hold 6 different texts, such as "
        "'person 0'.",
    )


def test_without_polars_a_sentence_says_what_to_install(tmp_path):
    """In a process of its own, where polars cannot be imported."""
    path = written(tmp_path / "t.csv", "y,a\n1,2\n")
    code = (
        "import sys; sys.modules['polars'] = None\n"
        "from pellucid import data\n"
        f"data.read({str(path)!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingExtra" in done.stderr
    assert "pip install 'pellucid[tables]'" in done.stderr


@pytest.mark.skipif("PELLUCID_DATA" not in os.environ, reason="PELLUCID_DATA names no folder")
def test_a_real_table_with_gaps():
    folder = Path(os.environ["PELLUCID_DATA"]) / "oasis"
    with pytest.raises(BadData, match=r"missing values \(2 in 'MMSE', 19 in 'SES'\)"):
        data.read(folder / "oasis_longitudinal.csv", label="Group")
