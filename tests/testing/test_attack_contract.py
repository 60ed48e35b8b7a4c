"""Every attack of the table keeps the contract of attacks."""

import json
import os
import subprocess
import sys

import pytest

import pellucid
from pellucid import papers
from pellucid.models.integer_net import IntegerNet
from pellucid.needs import needs
from pellucid.systems import SYSTEMS
from pellucid.testing.attack import ATTACK_CHECKS
from pellucid.testing.driving import attacked, surroundings, trace
from pellucid.testing.specimens import FIELDS, specimens
from pellucid.testing.subjects import Tally, Turnstile, subject

ROWS = [row for row in SYSTEMS if row.kind == "attack"]
LONG = {"autoattack", "boundary", "cgba", "cw", "cw-topk", "geoda", "pma-plus", "quadattack"}
LONG |= {"adaea", "bayesian-surrogate", "cwa", "feature-guided-mcts", "level-set-traversal"}
LONG |= {"masterprints-lve", "masterprints-pgd", "quscore", "svre", "clip-masterprints"}
LONG |= {"fab", "fab-t", "fmn", "hopskipjump", "mi-fgsm-ensemble", "one-pixel", "simba"}


def marks(row, number):
    """The fast tests run the first specimen of each row, unless its contract takes long."""
    return [pytest.mark.slow] if number or row.slug in LONG else []


METHODS = [
    pytest.param(method, id=f"{row.slug}-{number}", marks=marks(row, number))
    for row in ROWS
    for number, method in enumerate(specimens(row))
]
TRACES = """
import json
from pellucid.systems import SYSTEMS
from pellucid.testing.driving import trace
from pellucid.testing.specimens import specimens
attacks = [row for row in SYSTEMS if row.kind == "attack"]
print(json.dumps({row.slug: [trace(m) for m in specimens(row)] for row in attacks}))
"""


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("check", ATTACK_CHECKS, ids=lambda check: check.__name__)
def test_contract(check, method):
    check(method)


@pytest.mark.slow
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
def test_the_subject_gives_the_method_something_to_do(method):
    found = attacked(method, subject())
    assert found.success.any()
    assert (found.found_query != 1).any()  # not all of it at the first question


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.slug)
def test_its_source_is_a_paper_that_is_known(row):
    assert row.source in papers.entry(row.source)


def test_specimens_are_of_the_table():
    assert set(FIELDS) <= {row.slug for row in SYSTEMS}


@pytest.mark.parametrize("method", METHODS)
def test_opening_is_the_only_question_outside_the_books(method):
    tally, whole = Tally(), subject()
    net = IntegerNet(shape=(1, 4, 4), classes=2)
    net.flatten = Turnstile(tally)
    box = pellucid.open(net, access="white", shape=(1, 4, 4), emits="logits")
    assert tally.rows == 8
    around = surroundings(needs(method), whole)
    brought = {"surrogates": around.surrogates, "data": around.data}
    found = pellucid.run(method, box, whole.x, goal=whole.goal, budget=100, **brought)
    charged = int(found.queries.sum() + found.judged.sum())
    calls = found.calls + found.judge_calls
    assert charged <= tally.rows - 8 <= charged + 3 * calls  # calls are padded to multiples of 4
