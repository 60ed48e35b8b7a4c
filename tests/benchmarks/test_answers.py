"""The benchmark of stored answers, on a store that is small."""

import json

import pytest

from benchmarks import answers


@pytest.mark.parametrize(
    "study",
    [
        answers.STUDIES[0],
        pytest.param(answers.STUDIES[1], marks=pytest.mark.services),
    ],
    ids=lambda study: study.slug,
)
def test_a_record_is_made_and_told(study, monkeypatch):
    for name, value in (("ENTRIES", 3000), ("BATCH", 100), ("SINGLE", 20), ("BATCHED", 3)):
        monkeypatch.setattr(answers, name, value)
    monkeypatch.setenv("PGPASSWORD", "")
    said = []
    measured = json.loads(json.dumps(answers.measure(study, 2, said.append)))
    assert len(said) == 2
    figures = {name: kept["median"] for name, kept in measured["figures"].items()}
    assert all(figure > 0 for figure in figures.values())
    assert figures["megabytes"] > 3000 * 56 / 1e6  # what was put in
    section = answers.section(measured)
    assert "Seconds to put in 3,000 entries, 100 at a time" in section
    assert list(measured["versions"]) == [study.title.partition(" ")[0]]
