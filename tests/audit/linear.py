"""A linear model whose robust accuracy is known, rows for it, and a plan that suits it."""

import numpy as np
import torch
from tests.subjects import Counting
from torch import nn

from pellucid.box.torch_box import TorchBox
from pellucid.spec import OneClass, Spec, Vector

D = 16
W = torch.linspace(-1, 1, D)
MARGINS = torch.tensor([0.1, 0.3, 0.46, 0.52, 0.7, 0.83, 0.9, 1.2]).repeat(2)
MARGINS[8:] *= -1
RADII = (0.02, 0.05, 0.1)
L2 = (0.1, 0.2, 0.32)  # far from all margins
PLAN = f"""
rows = 16

[[check]]
kind = "clean.accuracy"

[[check]]
kind = "falsify"
system = "pgd"
norm = "linf"
radii = {[*RADII]}
queries = 40
settings = {{ steps = 40, step = 0.0625 }}

[[check]]
kind = "falsify"
system = "fmn"
norm = "l2"
radii = {[*L2]}
queries = 100

[[check]]
kind = "falsify"
system = "hopskipjump"
norm = "l2"
radii = {[*L2]}
queries = 60

[[check]]
kind = "falsify.worst"
norm = "l2"
"""


class Stoppable(Counting):
    """At one of its passes someone presses Ctrl-C."""

    stop = None

    def forward(self, x):
        if self.passes + 1 == self.stop:
            raise KeyboardInterrupt
        return super().forward(x)


def network():
    """Two classes on either side of the plane through the middle of the range, across W."""
    module = nn.Linear(D, 2)
    with torch.no_grad():
        module.weight.copy_(torch.stack([-W / 2, W / 2]))
        module.bias.copy_(torch.stack([W.sum() / 4, -W.sum() / 4]))
    return module


def linear(**facts):
    """The network in a box that counts."""
    spec = Spec(input=Vector(shape=(D,), low=0.0, high=1.0), answer=OneClass(size=2))
    return TorchBox(module=Stoppable(network()), spec=spec, **facts)


def write_rows(path):
    """Rows with these margins, far from the bounds; the last has the wrong label."""
    x = 0.5 + MARGINS[:, None] * W / W.square().sum()
    y = (MARGINS > 0).long()
    y[-1] = 1
    np.savez(path, x=x.numpy(), y=y.numpy())
    return path


def robust(norm, radius):
    """How many rows stay right within a radius: the margins over the dual norm."""
    dual = W.abs().sum() if norm == "linf" else W.norm()
    return int((MARGINS.abs()[:-1] / dual > radius).sum())
