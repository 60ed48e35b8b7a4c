"""Every explainer of the table keeps the contract of explainers."""

import json
import os
import re
import subprocess
import sys

import pytest

from pellucid import papers
from pellucid.systems import SYSTEMS
from pellucid.testing._explained import explained, trace
from pellucid.testing.explainer import EXPLAINER_CHECKS
from pellucid.testing.specimens import specimens
from pellucid.testing.subjects import pictures

ROWS = [row for row in SYSTEMS if row.kind == "explainer"]
METHODS = [  # the fast tests run the first specimen of each row
    pytest.param(method, id=f"{row.slug}-{number}", marks=[pytest.mark.slow] if number else [])
    for row in ROWS
    for number, method in enumerate(specimens(row))
]
TRACES = """
import json
from pellucid.systems import SYSTEMS
from pellucid.testing._explained import trace
from pellucid.testing.specimens import specimens
explainers = [row for row in SYSTEMS if row.kind == "explainer"]
print(json.dumps({row.slug: [trace(m) for m in specimens(row)] for row in explainers}))
"""


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("check", EXPLAINER_CHECKS, ids=lambda check: check.__name__)
def test_contract(check, method):
    check(method)


def test_a_second_process_gives_the_same_bits():
    here = {row.slug: [trace(method) for method in specimens(row)] for row in ROWS}
    there = subprocess.run(
        [sys.executable, "-c", TRACES],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"},
    )
    assert json.loads(there.stdout) == here


@pytest.mark.parametrize("method", METHODS)
def test_the_subject_gives_the_method_something_to_say(method):
    values = explained(method, pictures(rows=8)).values.flatten(1)
    assert (values != 0).any(1).sum() > 4
    assert (values.std(1) > 0).sum() > 4
    assert len({tuple(row.tolist()) for row in values}) > 4


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.slug)
def test_its_source_is_a_paper_that_is_known(row):
    assert re.search(row.source, papers.entry(row.source))
