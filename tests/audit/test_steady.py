"""Whether an endpoint stays the same: at a real HTTP server that counts, and can be changed."""

import json

import numpy as np
import pytest
from tests.remote import server as served
from tests.remote.server import send, serving

from pellucid.answers import Answers
from pellucid.audit import prepare, run
from pellucid.audit.steady import Changed, set_aside
from pellucid.errors import UserError
from pellucid.opening import Facts, understand

PLAN = """
[[check]]
kind = "clean.accuracy"
[[check]]
kind = "falsify"
system = "hopskipjump"
norm = "l2"
radii = [0.1]
queries = 30
"""
BUDGET = 1000
ASIDE = 50
FIRST = 2  # requests that only read what the server says of the model
BROKEN = send({"error": "the model fell over"}, status=400)


@pytest.fixture
def server():
    with serving() as server:
        yield server


@pytest.fixture
def audit(server, tmp_path):
    """One call of an audit of the served model; all calls go on with the same one."""
    x = np.random.default_rng(0).uniform(-1, 1, (20, 4)).astype(np.float32)
    np.savez(tmp_path / "rows.npz", x=x, y=served.linear(x).argmax(1))
    (tmp_path / "plan.toml").write_text(PLAN)
    shared = {
        "data": tmp_path / "rows.npz",
        "plan": str(tmp_path / "plan.toml"),
        "access": "label",
        "out": tmp_path / "out",
        "resume": True,
    }

    def call(budget=BUDGET, **more):
        facts = Facts(emits="logits", bounds=(-1.0, 1.0))
        return run(understand(server.url, declared=facts), budget=budget, **shared | more)

    return call


def stopped(server, audit, after, **more):
    """A call that ends because the server fails after so many requests."""
    server.script = [None] * after + [BROKEN]
    with pytest.raises(UserError, match="fell over"):
        audit(**more)
    server.script = []


def test_an_undisturbed_audit_looks_once_and_books_it(server, audit, tmp_path):
    done = audit()
    assert done.model.notes == audit().model.notes
    assert not [note for note in done.model.notes if "twice" in note or "budget" in note]
    assert (done.opening.queries, done.opening.calls) == (10, 2)
    with Answers(tmp_path / "out" / "answers.sqlite") as store:
        assert store.bought == server.rows == len(store) + 5
        assert (store.sent, store.lost) == (0, 0)
        assert store.bought <= done.summary.cost.queries <= BUDGET


@pytest.mark.slow
@pytest.mark.parametrize("after", [FIRST, 4, 6])
def test_an_audit_goes_on_with_a_model_that_is_the_same(server, audit, tmp_path, after):
    undisturbed = audit(out=tmp_path / "other")
    began = server.rows
    stopped(server, audit, after)
    resumed = audit()
    assert [one.figures for one in resumed.findings] == [
        one.figures for one in undisturbed.findings
    ]
    with Answers(tmp_path / "out" / "answers.sqlite") as store:
        looks = resumed.opening.calls // 2 - (after == FIRST)
        assert store.lost > 0
        assert store.bought == server.rows - began == len(store) + 5 * looks


def test_a_model_that_was_changed_in_between_is_refused(server, audit, monkeypatch):
    stopped(server, audit, 5)
    began = server.rows
    monkeypatch.setattr(served, "WEIGHT", -served.WEIGHT)
    with pytest.raises(Changed, match="answers 5 of 5 rows otherwise than before") as caught:
        audit()
    assert caught.value.exit_code == 3
    assert server.rows == began + 5
    monkeypatch.undo()
    assert audit().finished


def test_a_model_that_answers_anew_each_time_is_told_with_its_rate(server, audit, monkeypatch):
    usual, seen = served.linear, []

    def unsteady(x):
        seen.append(len(x))
        # the second time that the first five rows are asked about, two of them turn round
        turned = len(seen) == 2
        return usual(x) * np.where(turned & (np.arange(len(x)) < 2), -1, 1)[:, None]

    monkeypatch.setattr(served, "linear", unsteady)
    stopped(server, audit, 5)
    monkeypatch.setattr(served, "WEIGHT", -served.WEIGHT)
    done = audit()  # goes on: nobody can tell that it was changed
    (note,) = [note for note in done.model.notes if "Asked twice" in note]
    assert "answered 2 of them differently (40%)" in note
    assert "no look can tell" in note


@pytest.mark.slow
def test_what_is_set_aside_is_never_passed(server, audit, tmp_path):
    looks = ASIDE // 10
    for _ in range(looks + 2):
        stopped(server, audit, 5)
    done = audit()
    assert done.opening.queries == ASIDE
    (note,) = [note for note in done.model.notes if "sets aside" in note]
    assert "so 3 times" in note
    with Answers(tmp_path / "out" / "answers.sqlite") as store:
        assert store.bought == len(store) + 5 * looks
        assert store.bought <= BUDGET


def test_what_is_set_aside_is_planned(server, audit, tmp_path):
    assert [set_aside(budget) for budget in (None, 10**6, BUDGET, 79, 39)] == [200, 200, 50, 2, 0]
    opened = understand(server.url, declared=Facts(emits="logits", bounds=(-1.0, 1.0)))
    audit(budget=30)  # makes the files
    prepared = prepare(
        opened,
        data=tmp_path / "rows.npz",
        plan=str(tmp_path / "plan.toml"),
        access="label",
        budget=BUDGET,
    )
    assert prepared.aside == ASIDE
    spent = sum(part.budget for part in prepared.planned) + opened.asked
    assert spent + prepared.aside <= BUDGET
    assert server.rows == 20


@pytest.mark.slow
def test_answers_may_be_kept_elsewhere_and_shared(server, audit, tmp_path):
    shared = tmp_path / "shared.sqlite"
    first = audit(answers=shared)
    assert not (tmp_path / "out" / "answers.sqlite").exists()
    began = server.rows
    again = audit(answers=shared, out=tmp_path / "again")
    assert server.rows == began + 5  # that it is the same model
    assert again.findings[1].figures == first.findings[1].figures
    kept = json.loads((tmp_path / "again" / "audit.json").read_text())
    assert "shared.sqlite" not in json.dumps(kept)
