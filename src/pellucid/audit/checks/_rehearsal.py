"""What an explainer asks about a row, found out on a network that stands in for the model."""

from math import prod

import torch
from torch import Tensor, nn

from pellucid.box.torch_box import TorchBox
from pellucid.errors import UserError
from pellucid.explain import Explainer, explain, label
from pellucid.shapes import Batch
from pellucid.spec import Image, Spec


class StandIn(nn.Module):
    """The cheapest network with maps, a ReLU, and as many outputs as the model."""

    def __init__(self, spec: Spec) -> None:
        """Stand in for a model of this spec."""
        super().__init__()
        dense = spec.dense()
        channels = dense.shape[0] if isinstance(dense, Image) else prod(dense.shape)
        self.shape = (channels, *dense.shape[1:]) if isinstance(dense, Image) else (channels, 1, 1)
        self.outputs = spec.answer.size
        self.maps = nn.Conv2d(channels, 1, 1)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """The mean of the map, once for each output."""
        maps = self.relu(self.maps(x.reshape(-1, *self.shape).to(self.maps.weight)))
        return maps.mean((1, 2, 3))[:, None].expand(-1, self.outputs)


def questions(method: Explainer, spec: Spec, x: Batch) -> int | None:
    """How many questions the method asks about a row such as x (1, *shape); the model is not asked.

    None: that cannot be told, because the method does not explain the stand-in.
    """
    with torch.random.fork_rng(devices=[]):
        box = TorchBox(module=StandIn(spec).eval(), spec=spec)
    target = label(torch.zeros(1, dtype=torch.long))
    try:
        return int(explain(method, box, x, target, data=(x, None), progress=False).queries[0])
    except UserError:
        return None
