"""How far two halves of the samples say the same."""

import torch

from pellucid.shapes import Batch, Each


def agreement(one: Batch, other: Batch) -> Each:
    """The correlation of two attributions of each row, over all that is attributed.

    Where one of them is the same everywhere: 1 if the other is its equal, else 0.
    """
    a, b = (half.double().flatten(1) for half in (one, other))
    a, b = (half - half.mean(1, keepdim=True) for half in (a, b))
    size = torch.linalg.vector_norm(a, dim=1) * torch.linalg.vector_norm(b, dim=1)
    flat = (one == other).flatten(1).all(1).double()
    return torch.where(size > 0, (a * b).sum(1) / size.where(size > 0, 1), flat).to(one)
