"""Many requests under way together, and what the store's books say of them when some fail."""

import threading
import time

import numpy as np
import pytest
import torch
from tests.remote.server import hang_up, linear, send, serving

from pellucid.answers import Answers, BudgetSpent
from pellucid.box.array_box import ArrayBox
from pellucid.box.window import Window
from pellucid.ledger import Ledger
from pellucid.remote import BadEndpoint, Endpoint, EndpointDown, Terms
from pellucid.spec import OneClass, Spec, Vector

ROWS = 40
X = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (ROWS, 4)).astype(np.float32))
EVERY = torch.arange(ROWS)
TRUE = torch.from_numpy(linear(X.numpy()).argmax(1))
busy = send({"error": "busy"}, status=503)


@pytest.fixture
def server():
    with serving() as server:
        yield server


def box(server, at_once, rows_per_call=5, per_second=None):
    terms = Terms(calls_at_once=at_once, calls_per_second=per_second, pause=0.001, timeout=5.0)
    spec = Spec(
        input=Vector(shape=(4,)),
        answer=OneClass(size=3),
        rows_per_call=rows_per_call,
        calls_at_once=at_once,
    )
    return ArrayBox(model=Endpoint.open(server.url, terms=terms), spec=spec)


@pytest.mark.parametrize("at_once", [1, 4])
def test_answers_are_in_order_and_the_limit_is_kept(server, at_once):
    server.delay = 0.02
    asked = box(server, at_once)
    assert torch.equal(asked.labels(X), TRUE)
    assert (asked.calls, asked.rows, server.rows) == (8, ROWS, ROWS)
    assert server.most_under_way <= at_once
    assert (server.most_under_way > 1) == (at_once > 1)


def test_as_many_are_under_way_as_may_be(server):
    server.meeting = threading.Barrier(8, timeout=20)  # nobody is answered before all have asked
    assert torch.equal(box(server, 8).labels(X), TRUE)
    assert server.most_under_way == 8


@pytest.mark.parametrize("at_once", [1, 4])
def test_no_more_requests_a_second_than_may_be(server, at_once):
    asked = box(server, at_once, rows_per_call=4, per_second=50.0)
    began = time.monotonic()
    asked.labels(X)
    assert time.monotonic() - began >= 9 / 50  # 10, of which the first may be due at once
    assert len(server.requests) == 12


@pytest.mark.parametrize("at_once", [1, 4])
def test_the_books_hold_every_attempt(server, tmp_path, at_once):
    asked, ledger = box(server, at_once), Ledger(ROWS)
    server.script = [busy, hang_up, send(body=b"{")]
    with Answers(tmp_path / "answers.sqlite") as store:
        window = Window(asked, ledger, answers=store)
        assert torch.equal(window.ask("labels", X, EVERY), TRUE)
        assert (store.bought, store.lost) == (ROWS, 3 * 5)
        assert server.rows == ROWS
        assert ledger.paid.sum() == ledger.queries.sum() == ROWS
        assert ledger.calls == asked.calls == 8
        assert asked.model.calls == 11
        assert torch.equal(window.ask("labels", X, EVERY), TRUE)
        assert store.bought == server.rows == ROWS


@pytest.mark.parametrize("at_once", [1, 4])
def test_when_one_request_fails_the_others_answers_are_kept(server, tmp_path, at_once):
    asked = box(server, at_once)
    server.delay = 0.3
    refused = send({"error": "no"}, status=422)
    server.script = [refused]
    with Answers(tmp_path / "answers.sqlite") as store:
        with pytest.raises(BadEndpoint, match="refused the request"):
            Window(asked, Ledger(ROWS), answers=store).ask("labels", X, EVERY)
        # of the first four one was refused, and nothing was begun after it
        assert (store.bought, store.lost) == ((at_once - 1) * 5, 5)
        assert server.rows == store.bought == len(store)
    server.delay = 0.0
    with Answers(tmp_path / "answers.sqlite") as store:
        ledger = Ledger(ROWS)
        got = Window(box(server, at_once), ledger, answers=store).ask("labels", X, EVERY)
        assert torch.equal(got, TRUE)
        assert server.rows == store.bought == ROWS
        assert store.lost == 5
        assert ledger.paid.sum() == ROWS - (at_once - 1) * 5


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_server_that_is_gone_costs_no_more_than_its_attempts(server, tmp_path, at_once):
    asked = box(server, at_once)
    server.script = [busy] * 99
    with Answers(tmp_path / "answers.sqlite") as store:
        with pytest.raises(EndpointDown, match="attempts: 4"):
            Window(asked, Ledger(ROWS), answers=store).ask("labels", X, EVERY)
        assert store.bought == 0
        assert store.lost == asked.model.rows  # each attempt, and nothing but these
        assert 4 * 5 <= store.lost <= 4 * 5 * at_once


@pytest.mark.parametrize("at_once", [1, 4])
def test_no_budget_is_passed_by_requests_together_or_again(server, tmp_path, at_once):
    asked = box(server, at_once)
    server.script = [busy, busy]
    with Answers(tmp_path / "answers.sqlite", budget=18) as store:
        with pytest.raises(BudgetSpent):
            Window(asked, Ledger(ROWS), answers=store).ask("labels", X, EVERY)
        # where the budget ends while others are under way, these are not sent again
        assert store.bought == server.rows == (15 if at_once == 1 else 5)
        assert store.lost == 10


def test_without_a_store_requests_are_sent_again_all_the_same(server):
    asked = box(server, 4)
    server.script = [busy, busy]
    assert torch.equal(Window(asked, Ledger(ROWS)).ask("labels", X, EVERY), TRUE)
    assert asked.model.calls == 10


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"calls_at_once": 0}, "from 1 up"),
        ({"calls_per_second": 0.0}, "above 0"),
        ({"calls_per_second": float("inf")}, "above 0"),
        ({"timeout": 0.0}, "some seconds"),
    ],
)
def test_terms_that_cannot_be_met_are_refused(wrong, words):
    with pytest.raises(BadEndpoint, match=words):
        Terms(**wrong)
