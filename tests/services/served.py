"""What the tests serve, run by MLServer in its environment, where there is no Pellucid.

Each model writes down, before it answers, a line for every row that it is asked about: the count
that the ledger must agree with.
"""

import hashlib
import os
from pathlib import Path

import torch
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from mlserver_sklearn import SKLearnModel
from torch import nn


class Counted(MLModel):
    """Keeps a file of hashes of the rows that were asked about."""

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        rows = self.decode(payload.inputs[0], default_codec=NumpyCodec)
        lines = [f"{hashlib.sha256(row.tobytes()).hexdigest()}\n" for row in rows]
        with Path(os.environ["SERVED"], f"{self.name}.rows").open("a") as file:
            file.writelines(lines)
        return await super().predict(payload)


class Network(MLModel):
    """The digits network, its weights put into plain layers."""

    async def load(self) -> bool:
        torch.set_num_threads(1)
        self.network = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10),
        ).eval()  # fmt: skip
        weights = torch.load(self.settings.parameters.uri, weights_only=True)
        names = self.network.state_dict()
        self.network.load_state_dict(dict(zip(names, weights, strict=True)))
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        x = self.decode(payload.inputs[0], default_codec=NumpyCodec)
        with torch.no_grad():
            logits = self.network(torch.from_numpy(x)).numpy()
        output = NumpyCodec.encode_output("logits", logits)
        return InferenceResponse(model_name=self.name, outputs=[output])


class CountedNetwork(Counted, Network):
    """The network, with its count."""


class CountedEstimator(Counted, SKLearnModel):
    """What MLServer makes of a scikit-learn estimator, with its count."""
