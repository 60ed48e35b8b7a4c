"""What the benchmark makes of processes: figures, pairs, bars, and pages of what is recorded."""

import json
from dataclasses import replace
from math import inf

import pytest
import torch

from benchmarks import evade_table
from benchmarks.evade import ART, OURS
from benchmarks.evade_pairs import compare
from benchmarks.evade_studies import STUDIES
from benchmarks.processes import Measured
from benchmarks.table import Bar, Spread, promises

ROWS = 40
(STUDY,) = (study for study in STUDIES if study.slug == "geoda")
TOLD = {
    "versions": {"package": "1.0", "torch": "2", "numpy": "2"},
    "rows": ROWS,
    "queries": 80,
    "gradients": 0,
    "calls": 7,
    "largest_call": ROWS,
    "overhead": 1.25,
    "cpu_seconds": 2.0,
    "wall_seconds": 2.0,
    "model_seconds": 1.5,
    "method_seconds": 0.3,
    "last_cpu_seconds": 2.0,
    "peak_mb": 100.0,
}


def measured(tool, distance):
    return Measured(tool=tool.name, told=TOLD, success=distance.isfinite(), distance=distance)


def rounds(ours, theirs, n=3):
    return [measured(OURS, ours)] * n + [measured(ART, theirs)] * n


def test_pairs_of_distances_are_ratios_and_a_row_nobody_got_is_a_draw():
    theirs = torch.linspace(1, 2, ROWS).double()
    theirs[-1] = inf
    pair = compare(ART.name, rounds(theirs / 2, theirs), distances=True)
    assert pair.second.estimate == pytest.approx(0.5)
    assert pair.second.low == pytest.approx(0.5)
    assert pair.first.estimate == pytest.approx(0.5)
    assert (pair.ahead, pair.behind) == (ROWS - 1, 0)


def test_pairs_of_successes_are_differences():
    ours, theirs = torch.ones(ROWS).double(), torch.ones(ROWS).double()
    ours[:4], theirs[2:12] = inf, inf
    pair = compare(ART.name, rounds(ours, theirs), distances=False)
    assert pair.first.estimate == pytest.approx((36 - 30) / ROWS)
    assert pair.first.low <= pair.first.estimate <= pair.first.high
    assert (pair.ahead, pair.behind) == (8, 2)


def test_the_spine_is_what_neither_network_nor_method_took():
    assert evade_table.spine(rounds(torch.ones(ROWS), torch.ones(ROWS))).median == pytest.approx(
        0.1
    )


def test_a_spread_survives_json_and_says_when_it_is_infinite():
    for values in ([1.0, 2.0, 4.0], [1.0, inf, inf]):
        spread = Spread.of(values)
        kept = json.loads(json.dumps(vars(spread)), parse_constant=lambda _: None)
        assert Spread.read(kept) == spread
    assert Spread.of([1.0, 2.0, 4.0]).text(1) == "2.0 (1.0 to 4.0)"
    assert Spread.of([3.0, 3.0]).text(0) == "3"
    assert Spread.of([1.0, inf, inf]).text(1) == "-"


def test_a_bar_that_is_missed_says_no():
    text = promises([Bar(text="a", measured=1.2, limit=1.1), Bar(text="b", measured=1, limit=1)])
    assert "| a | 1.1 | 1.2 | **no** |" in text
    assert "| b | 1 | 1 | yes |" in text


def test_a_recorded_study_is_on_the_page_and_the_others_are_named(tmp_path, monkeypatch):
    theirs = torch.linspace(1, 2, ROWS).double()
    theirs[0] = inf
    found = rounds(theirs / 2, theirs)
    monkeypatch.setattr(evade_table.evade, "run", lambda *_: found)
    monkeypatch.setattr("benchmarks.family.ROOT", tmp_path)
    family = replace(evade_table.FAMILY, studies=STUDIES[-2:])
    other, one = family.studies if family.studies[1].slug == "geoda" else family.studies[::-1]
    record = family.record(one, 3, print)
    assert record["measured"]["processes"][-1]["distance"][0] is None
    assert record["rounds"] == 3
    family.keep(one, record)
    family.write_page()
    page = family.page.read_text()
    assert f"## {one.title}" in page
    assert "3 rounds" in page
    assert "| ART | 0.500 (0.500 to 0.500) | 0.500 (0.500 to 0.500) | 39.0 | 0.0 |" in page
    assert f"## {other.title}" not in page
    assert f"Not measured yet: {other.title}." in page


def test_slugs_are_unique_and_ours_comes_first():
    assert len({study.slug for study in STUDIES}) == len(STUDIES)
    assert all(study.tools[0] is OURS for study in STUDIES)
