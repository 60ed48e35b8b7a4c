"""How far a class is above the others, as linear functions of the outputs."""

import torch
from torch import Tensor
from torch.nn import functional

from pellucid.shapes import Labels


def margins(labels: Labels, outputs: int, like: Tensor) -> Tensor:
    """The output of each row's label less each other output.

    Args:
        labels: (n,).
        outputs: how many there are.
        like: a tensor of the type and on the device wanted.

    Returns:
        (n, outputs - 1, outputs), the other outputs in their order.
    """
    every = torch.arange(outputs, device=labels.device)
    others = every.expand(len(labels), -1)[every != labels[:, None]].reshape(len(labels), -1)
    mine = functional.one_hot(labels, outputs)[:, None]
    return (mine - functional.one_hot(others, outputs)).to(like)
