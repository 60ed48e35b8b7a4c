"""Runs and audits through a network that fails: the same results, and every row in the books."""

from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from tests.remote.faults import HARM, FaultProxy
from tests.remote.server import linear, serving

import pellucid
from pellucid.answers import Answers
from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.audit import carry_out, prepare
from pellucid.data import Dataset
from pellucid.errors import UserError
from pellucid.ledger import Cost
from pellucid.opening import understand
from pellucid.opening.facts import Facts
from pellucid.remote import EndpointDown, Terms

ROWS, BUDGET, PATIENCE = 4, 40, 40
FACTS = Facts(emits="logits", bounds=(-1.0, 1.0))
X = torch.from_numpy(np.random.default_rng(3).uniform(-1, 1, (ROWS, 4)).astype(np.float32))
Y = torch.from_numpy(linear(X.numpy()).argmax(1))


@pytest.fixture
def server():
    with serving() as server:
        yield server


def proxied(server, kinds, seed, share=0.2):
    return serving(lambda: FaultProxy(server, kinds, seed=seed, share=share))


def box(url, at_once):
    terms = Terms(calls_at_once=at_once, timeout=0.8, pause=0.001)
    return understand(url, declared=FACTS, terms=terms, rows_per_call=3).box("label")


def attacked(url, at_once, store=None):
    return pellucid.run(
        HopSkipJump(), box(url, at_once), X, goal=pellucid.misled(Y), budget=BUDGET, seed=0,
        answers=store, progress=False,
    )  # fmt: skip


def until_done(work):
    """What the work gives once it is done, and how often it ended in a sentence before."""
    for stops in range(PATIENCE):
        try:
            return work(), stops
        except UserError as error:
            if error.exit_code != 3 or not str(error).endswith("."):
                raise
    raise AssertionError(f"{PATIENCE} times it was not done")


def check_books(server, store):
    """The server has served what is in the books, and nothing that was stored again."""
    served = Counter(server.asked)
    assert store.bought <= server.rows <= store.bought + store.lost
    assert server.rows - len(served) <= store.lost
    assert store.bought == len(store)


@pytest.mark.slow
@pytest.mark.parametrize(("at_once", "kinds"), [(1, [k]) for k in HARM] + [(4, [*HARM])])
def test_an_attack_through_faults_is_the_attack_without(server, tmp_path, at_once, kinds):
    undisturbed = attacked(server.url, at_once)
    server.rows, server.asked = 0, []
    few = 0.05 if kinds == ["stall"] else 0.2  # each takes its second
    with (
        proxied(server, kinds, seed=1, share=few) as proxy,
        Answers(tmp_path / "answers.sqlite") as store,
    ):
        run, _ = until_done(lambda: attacked(proxy.url, at_once, store))
        assert set(proxy.done) <= set(kinds)
        assert proxy.done
        check_books(server, store)
    assert torch.equal(run.adversarial, undisturbed.adversarial)
    assert torch.equal(run.queries, undisturbed.queries)
    assert run.status == undisturbed.status


def test_a_network_that_only_fails_ends_in_a_sentence(server, tmp_path):
    with (
        proxied(server, ["drop answer", "drop", "503", "429"], seed=0, share=1.1) as proxy,
        Answers(tmp_path / "answers.sqlite") as store,
    ):
        with pytest.raises(EndpointDown, match="attempts: 4"):
            attacked(proxy.url, 4, store)
        check_books(server, store)


PLAN = """
[[check]]
kind = "clean.accuracy"

[[check]]
kind = "falsify"
system = "square"
radii = [0.3]
queries = 30
"""


def audited(url, folder, data, plan):
    terms = Terms(calls_at_once=3, timeout=0.8, pause=0.001)
    opened = understand(url, declared=FACTS, terms=terms, rows_per_call=10)
    prepared = prepare(opened, data=data, plan=str(plan), budget=3000)
    done = carry_out(prepared, out=folder, resume=folder.exists(), progress=False)
    return [asdict(replace(one, cost=Cost())) for one in done.findings]


@pytest.mark.slow
@pytest.mark.parametrize("kind", HARM)
def test_an_audit_through_faults_finds_the_same(server, tmp_path, kind):
    rng = np.random.default_rng(7)
    x = torch.from_numpy(rng.uniform(-1, 1, (20, 4)).astype(np.float32))
    y = torch.from_numpy(linear(x.numpy()).argmax(1))
    data = Dataset(name="d", split=None, x=x, y=y, low=-1.0, high=1.0, class_names=tuple("abc"))
    (tmp_path / "plan.toml").write_text(PLAN)
    undisturbed = audited(server.url, tmp_path / "well", data, tmp_path / "plan.toml")
    quiet = server.rows
    server.rows, server.asked = 0, []
    with proxied(server, [kind], seed=2, share=0.1) as proxy:
        findings, _ = until_done(
            lambda: audited(proxy.url, tmp_path / "badly", data, tmp_path / "plan.toml")
        )
        assert proxy.done
    assert findings == undisturbed
    with Answers(tmp_path / "badly" / "answers.sqlite") as store:
        assert store.bought <= server.rows <= store.bought + store.lost
        assert server.rows <= quiet + store.lost
