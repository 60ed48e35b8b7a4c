"""Audits of a served model that share a real PostgreSQL: bought once, also when it fails them."""

import numpy as np
import pytest
from tests.remote import server as served
from tests.remote.server import send, serving

from pellucid.answers import Answers, StoreFailed
from pellucid.audit import prepare, run
from pellucid.opening import Facts, understand

pytestmark = pytest.mark.services

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
MINE = "application_name = 'pellucid' AND datname = current_database()"


@pytest.fixture
def server():
    with serving() as server:
        yield server


@pytest.fixture
def shared(tmp_path):
    """What all audits have in common."""
    x = np.random.default_rng(0).uniform(-1, 1, (20, 4)).astype(np.float32)
    np.savez(tmp_path / "rows.npz", x=x, y=served.linear(x).argmax(1))
    (tmp_path / "plan.toml").write_text(PLAN)
    return {
        "data": tmp_path / "rows.npz",
        "plan": str(tmp_path / "plan.toml"),
        "access": "label",
        "budget": BUDGET,
    }


def opened(server):
    return understand(server.url, declared=Facts(emits="logits", bounds=(-1.0, 1.0)))


def figures(audit):
    return [finding.figures for finding in audit.findings]


def test_what_one_audit_bought_another_does_not(server, shared, postgres, database, tmp_path):
    url = postgres.url(database)
    first = run(opened(server), **shared, answers=url, out=tmp_path / "one")
    began = server.rows
    again = run(opened(server), **shared, answers=url, out=tmp_path / "other")
    assert figures(first) == figures(again)
    assert server.rows == began + 5  # the look whether it is the same model
    purse = prepare(opened(server), **shared).digest()
    with Answers(url, purse=purse) as store:
        assert (store.sent, store.bought, store.lost) == (0, server.rows, 0)
    with Answers(url) as store:
        assert store.bought == 0


@pytest.mark.parametrize("after", [3, 5, 8])
def test_a_database_that_goes_away_loses_what_was_in_flight_and_no_more(
    server, shared, postgres, database, tmp_path, after
):
    undisturbed = run(opened(server), **shared)
    began = server.rows

    def cut(handler):
        postgres.sql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {MINE}", database
        )
        send(handler.infer())(handler)

    server.script = [None] * after + [cut]
    together = shared | {"answers": postgres.url(database), "out": tmp_path / "out"}
    with pytest.raises(StoreFailed, match="connection is lost"):
        run(opened(server), **together)
    resumed = run(opened(server), **together, resume=True)
    assert figures(resumed) == figures(undisturbed)
    with Answers(together["answers"], purse=prepare(opened(server), **shared).digest()) as store:
        assert store.lost > 0
        assert server.rows - began == store.bought + store.lost
        assert store.bought <= BUDGET


def test_no_file_that_an_audit_leaves_holds_the_password(
    server, shared, postgres, database, tmp_path, capfd
):
    run(opened(server), **shared, answers=postgres.url(database), out=tmp_path / "out")
    with pytest.raises(Exception, match="password"):
        run(opened(server), **shared, answers=f"postgresql://me:{postgres.password}@127.0.0.1/a")
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(left) > 5
    assert not [path for path in left if postgres.password.encode() in path.read_bytes()]
    assert postgres.password not in "".join(capfd.readouterr())
    assert postgres.password not in postgres.sql("SELECT * FROM pellucid.requests", database)
