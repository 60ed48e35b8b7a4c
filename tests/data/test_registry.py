"""Data sets by name."""

import pytest

from pellucid import data
from pellucid.data.registry import UnknownSplit
from pellucid.naming import UnknownName


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "fashion_mnist",
            "There is no data set called 'fashion_mnist': did you mean fashion-mnist",
        ),
        ("Digits", "did you mean digits?"),
        ("qqqqqq", "choose one of digits, fashion-mnist, mnist."),
    ],
)
def test_unknown_name_gets_the_nearest(name, said):
    with pytest.raises(UnknownName, match=said):
        data.load(name)
    with pytest.raises(UnknownName, match=said):
        data.digest(name)


@pytest.mark.parametrize("name", data.DATASETS)
def test_digest_needs_no_file(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path))
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    assert len(data.digest(name)) == 64


def test_digests_differ():
    assert len({data.digest(name) for name in data.DATASETS}) == len(data.DATASETS)


def test_unknown_split():
    with pytest.raises(UnknownSplit, match="must be train or test, not 'dev'"):
        data.load("digits", "dev")
