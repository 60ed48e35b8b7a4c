"""A real MLServer that serves a torch network and a scikit-learn estimator, and counts rows."""

import json
import os
import socket
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import joblib
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from benchmarks.environments import cache, environment
from pellucid.data import load
from pellucid.models.builtin import builtin

HERE = Path(__file__).parent
PATIENCE = 60  # seconds until the server must be up
NETWORK = {
    "name": "network",
    "implementation": "served.CountedNetwork",
    "platform": "torch",
    "parameters": {"uri": "network/weights.pt"},  # from the folder where the server was started
    "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 1, 8, 8]}],
    "outputs": [{"name": "logits", "datatype": "FP32", "shape": [-1, 10]}],
}
ESTIMATOR = {
    "name": "estimator",
    "implementation": "served.CountedEstimator",
    "parameters": {"uri": "./estimator.joblib"},
}


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that is up."""

    port: int
    metrics_port: int
    folder: Path

    def url(self, model):
        return f"http://127.0.0.1:{self.port}/v2/models/{model}"

    def rows(self, model):
        """The hash of each row that the model was asked about, so far."""
        path = self.folder / f"{model}.rows"
        return path.read_text().split() if path.exists() else []


@pytest.fixture(scope="session")
def mlserver(request, tmp_path_factory):
    """MLServer, on free ports, for as long as the tests run."""
    shown = request.config.pluginmanager.getplugin("capturemanager")
    with shown.global_and_fixture_disabled():
        programs = environment(HERE / "requirements-mlserver.txt", cache() / "services")
    folder = tmp_path_factory.mktemp("mlserver")
    http, metrics = _fill(folder)
    env = os.environ | {"PYTHONPATH": str(HERE), "SERVED": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "mlserver", "start", folder], cwd=folder, env=env, stdout=log, stderr=log
        )
    server = Server(port=http, metrics_port=metrics, folder=folder)
    try:
        _wait(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _fill(folder):
    """Write down what is to be served, and where; the ports of HTTP and metrics."""
    http, grpc, metrics = _free_ports(3)
    settings = {
        "host": "127.0.0.1",
        "http_port": http,
        "grpc_port": grpc,
        "metrics_port": metrics,
        "parallel_workers": 0,
        "debug": False,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    for model in (NETWORK, ESTIMATOR):
        (folder / model["name"]).mkdir()
        (folder / model["name"] / "model-settings.json").write_text(json.dumps(model))
    module, _ = builtin("digits-cnn")
    torch.save([*module.state_dict().values()], folder / "network" / "weights.pt")
    data = load("digits", "train")
    estimator = LogisticRegression(max_iter=1000).fit(data.x.flatten(1).numpy(), data.y.numpy())
    joblib.dump(estimator, folder / "estimator" / "estimator.joblib")
    return http, metrics


def _free_ports(n):
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _wait(server, process):
    """Until both models are ready."""
    end = time.monotonic() + PATIENCE
    urls = [f"{server.url(model['name'])}/ready" for model in (NETWORK, ESTIMATOR)]
    while not all(_ready(url) for url in urls):
        if time.monotonic() > end or process.poll() is not None:
            raise RuntimeError((server.folder / "log").read_text()[-3000:])
        time.sleep(0.2)


def _ready(url):
    try:
        return httpx.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
