"""A real MLServer is attacked: its own count of rows is the ledger's, also after kills."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import httpx
import joblib
import numpy as np
import pytest
import torch
from tests.services.conftest import NETWORK

import pellucid
from pellucid.answers import Answers
from pellucid.attack.evade.cgba import CGBA
from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.data import load
from pellucid.models.builtin import builtin
from pellucid.opening import PROBES
from pellucid.remote import BadEndpoint, Endpoint

pytestmark = pytest.mark.services

BUDGET = 500  # questions a row
LIMIT = 120  # seconds, of which a run needs few
ROWS = 6
DATA = load("digits", "test")
X, Y = DATA.x[:ROWS], DATA.y[:ROWS]
KILLS = (0.25, 0.6)  # shares of an undisturbed run's rows after which it is killed


def test_the_metadata_are_read(mlserver):
    endpoint = Endpoint.open(mlserver.url("network"))
    assert (endpoint.shape, endpoint.dtype) == ((1, 8, 8), "float32")
    assert (endpoint.output, endpoint.outputs, endpoint.platform) == ("logits", 10, "torch")
    untold = Endpoint.open(mlserver.url("estimator"), output="predict_proba")
    assert (untold.shape, untold.dtype, untold.outputs) == (None, None, None)
    assert untold.fingerprint() != endpoint.fingerprint()


def test_a_served_network_answers_as_it_does_here(mlserver):
    module, _ = builtin("digits-cnn")
    served = Endpoint.open(mlserver.url("network"))(DATA.x.numpy())
    assert served.dtype == np.float32
    torch.testing.assert_close(torch.from_numpy(served), module(DATA.x).detach())


def test_what_mlserver_refuses_is_a_sentence(mlserver):
    with pytest.raises(BadEndpoint, match=r"There is no model.*Model nobody not found"):
        Endpoint.open(mlserver.url("nobody"))
    with pytest.raises(BadEndpoint, match=r"refused the request \(status 400"):
        Endpoint.open(mlserver.url("estimator"), output="nothing")(np.zeros((1, 64), np.float32))


def opened(mlserver, model, **limits):
    if model == "network":
        return pellucid.open(mlserver.url(model), access="label", emits="logits", **limits)
    return pellucid.open(
        mlserver.url(model),
        access="label",
        shape=(64,),
        bounds=(0.0, 1.0),
        output="predict_proba",
        **limits,
    )


@pytest.mark.parametrize(("model", "probes"), [("network", 0), ("estimator", PROBES)])
def test_the_servers_count_is_the_ledgers(mlserver, model, probes):
    began = len(mlserver.rows(model))
    box = opened(mlserver, model)
    x = X.reshape(ROWS, *box.spec.dense().shape)
    run = pellucid.run(HopSkipJump(), box, x, goal=pellucid.misled(Y), budget=BUDGET, seed=0)
    assert bool(run.success.all())
    assert run.queries.max() == BUDGET
    assert torch.equal(run.paid, run.queries)
    served = len(mlserver.rows(model)) - began
    assert served == int(run.paid.sum() + run.judged.sum()) + probes


@pytest.mark.parametrize("model", ["network", "estimator"])
def test_requests_side_by_side_buy_what_one_after_another_does(mlserver, model, tmp_path):
    """Rows of many small requests, four under way: the same answers, each bought once."""
    runs, served = [], []
    for at_once in (1, 4):
        box = opened(mlserver, model, rows_per_call=16, calls_at_once=at_once)
        x = X.reshape(ROWS, *box.spec.dense().shape)
        began = len(mlserver.rows(model))
        with Answers(tmp_path / f"{at_once}.sqlite") as store:
            run = pellucid.run(
                HopSkipJump(), box, x, goal=pellucid.misled(Y), budget=100, seed=0, answers=store
            )
            assert (store.bought, store.lost) == (len(store), 0)
            assert len(store) == len(mlserver.rows(model)) - began
        served.append(mlserver.rows(model)[began:])
        runs.append(run)
    assert torch.equal(runs[0].adversarial, runs[1].adversarial)
    assert Counter(served[0]) == Counter(served[1])
    assert max(Counter(served[1]).values()) == 1


def test_a_model_of_scikit_learn_answers_as_it_does_here(mlserver):
    estimator = joblib.load(mlserver.folder / "estimator" / "estimator.joblib")
    x = DATA.x.flatten(1).numpy()
    for output, here in (
        ("predict_proba", estimator.predict_proba),
        ("predict", estimator.predict),
    ):
        endpoint = Endpoint.open(mlserver.url("estimator"), output=output)
        np.testing.assert_allclose(endpoint(x).squeeze(), here(x), rtol=1e-12)


def test_cgba_needs_no_more_than_a_thousand_labels_a_row(mlserver):
    began = len(mlserver.rows("network"))
    goal, here = pellucid.misled(Y), pellucid.open("builtin:digits-cnn", access="label")
    served, local = (
        pellucid.run(CGBA(), box, X, goal=goal, budget=1000, seed=0, progress=False)
        for box in (opened(mlserver, "network"), here)
    )
    assert bool(served.success.all())
    assert served.queries.max() <= 1000
    assert len(mlserver.rows("network")) - began == int(served.paid.sum() + served.judged.sum())
    # the same weights in other hands: answers may differ by rounding where classes meet
    torch.testing.assert_close(served.distance("l2"), local.distance("l2"), rtol=0.1, atol=0.05)
    # what the server itself calls them, asked outside of any run
    said = Endpoint.open(mlserver.url("network"))(served.adversarial.numpy()).argmax(1)
    assert (said != Y.numpy()).all()


def test_mlservers_own_metric_counts_the_calls(mlserver):
    def counted():
        lines = httpx.get(f"http://127.0.0.1:{mlserver.metrics_port}/metrics").text.splitlines()
        name = f'model_infer_request_success_total{{model="{NETWORK["name"]}"'
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    began, box = counted(), opened(mlserver, "network")
    run = pellucid.run(HopSkipJump(), box, X, goal=pellucid.misled(Y), budget=50, seed=0)
    assert counted() - began == run.calls + run.judge_calls


def command(mlserver, data, out):
    return [
        Path(sys.executable).with_name("pellucid"), "attack", "hopskipjump",
        mlserver.url("network"), data, "--access", "label", "--emits", "logits",
        "--budget", str(BUDGET), "--out", out,
    ]  # fmt: skip


def in_flight(path):
    """How many requests were sent and not answered."""
    with closing(sqlite3.connect(path)) as store:
        return store.execute("SELECT count(*) FROM requests WHERE state != 'answered'").fetchone()[
            0
        ]


def test_a_run_that_is_killed_buys_nothing_twice(mlserver, tmp_path):
    data, straight, killed = (tmp_path / name for name in ("digits.npz", "straight", "killed"))
    np.savez(data, x=X.numpy(), y=Y.numpy())

    began = len(mlserver.rows("network"))
    subprocess.run(command(mlserver, data, straight), check=True, timeout=LIMIT)
    undisturbed = mlserver.rows("network")[began:]
    with Answers(straight / "answers.sqlite") as store:
        assert (store.bought, store.lost) == (len(undisturbed), 0)
    assert max(Counter(undisturbed).values()) == 1

    began = len(mlserver.rows("network"))
    for part in KILLS:
        end = time.monotonic() + LIMIT
        with subprocess.Popen(command(mlserver, data, killed)) as process:
            try:
                while len(mlserver.rows("network")) - began < part * len(undisturbed):
                    assert process.poll() is None
                    assert time.monotonic() < end
                    time.sleep(0.01)
            finally:
                process.kill()
        assert process.returncode == -signal.SIGKILL
    subprocess.run(command(mlserver, data, killed), check=True, timeout=LIMIT)

    served = mlserver.rows("network")[began:]
    with Answers(killed / "answers.sqlite") as store:
        bought, lost = store.bought, store.lost
    assert bought == len(undisturbed)
    assert in_flight(killed / "answers.sqlite") <= len(KILLS)
    assert bought <= len(served) <= bought + lost
    assert len(served) - len(set(served)) <= lost  # all that was asked again was in flight
    assert set(served) == set(undisturbed)
    for name in ("adversarial", "success"):
        with (
            np.load(straight / "adversarial.npz") as one,
            np.load(killed / "adversarial.npz") as other,
        ):
            np.testing.assert_array_equal(one[name], other[name])
