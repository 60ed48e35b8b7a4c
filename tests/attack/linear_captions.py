"""Captions whose scores are linear, so that the best image of many is a linear program."""

import numpy as np
import torch
from scipy.optimize import linprog
from torch import nn

from pellucid.box.torch_box import TorchBox
from pellucid.spec import Spec, Values, Vector

D, CAPTIONS = 12, 6


def linear():
    """A box of linear scores in double precision, and their weights (captions, D)."""
    weights = torch.randn(CAPTIONS, D, generator=torch.Generator().manual_seed(3)).double()
    module = nn.Linear(D, CAPTIONS, bias=False).double()
    with torch.no_grad():
        module.weight.copy_(weights)
    spec = Spec(input=Vector(shape=(D,), low=0.0, high=1.0), answer=Values(size=CAPTIONS))
    return TorchBox(module=module, spec=spec, emits="values", pad=1), weights


def best(weights, low, high):
    """The highest that the lowest score can be where every number lies between two bounds."""
    w = weights.numpy()
    bounds = [*zip(np.broadcast_to(low, D), np.broadcast_to(high, D), strict=True), (None, None)]
    above = np.hstack([-w, np.ones((len(w), 1))])
    found = linprog([*[0] * D, -1], A_ub=above, b_ub=np.zeros(len(w)), bounds=bounds)
    return -found.fun
