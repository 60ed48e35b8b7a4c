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
        ("qqqqqq", "choose one of att-faces, blobs, captioned-digits, cifar10, "),
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


def test_digests_that_claims_record_have_not_changed():
    """A change here makes every recorded claim stale: it must be meant."""
    assert {name: data.digest(name)[:16] for name in ("digits", "mnist", "fashion-mnist")} == {
        "digits": "07ceff85d11139f1",
        "mnist": "11903518df54c13c",
        "fashion-mnist": "9343d26da64197c1",
    }


def test_everything_with_a_name_is_described_without_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path))
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    found = {about.name: about for about in data.describe()}
    assert list(found) == [*data.DATASETS, "cora", "citeseer"]
    here = {"digits", "captioned-digits", "moons", "blobs", "rings", "shapes"}
    assert {name for name, about in found.items() if about.here} == here
    assert all(about.provenance.endswith(".") for about in found.values())
    assert found["mnist"].rows == {"train": 60_000, "test": 10_000}
    assert not list(tmp_path.iterdir())


def test_a_description_fits_what_is_embedded():
    found = next(about for about in data.describe() if about.name == "digits")
    for split, rows in found.rows.items():
        digits = data.load("digits", split)
        assert (len(digits), digits.shape, len(digits.class_names)) == (
            rows,
            found.shape,
            found.classes,
        )
        assert digits.provenance == found.provenance


def test_unknown_split():
    with pytest.raises(UnknownSplit, match="must be train or test, not 'dev'"):
        data.load("digits", "dev")
