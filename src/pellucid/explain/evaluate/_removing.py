"""What is shown where a place of the input is taken away."""

from typing import Literal

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from pellucid.explain.perturb._hiding import Baseline, hidden
from pellucid.shapes import Batch
from pellucid.spec import Image, Spec

# as for hidden parts, where None is the mean of the whole image; or an image blurred, of a vector 0
Blank = Baseline | Literal["blur"]

WIDTH = 0.2  # standard deviation of the blur, of the shorter side: it leaves little above chance


def removed(baseline: Blank, spec: Spec, x: Batch) -> Batch:
    """The rows with every place taken away.

    Raises:
        UserError: the values do not fit the input, or lie outside its bounds.
    """
    dense = spec.dense()
    if baseline == "blur" and isinstance(dense, Image):
        return spec.clamp(_blurred(x, WIDTH * min(dense.shape[1:])))
    whole = torch.zeros(len(x), places(spec), dtype=torch.long, device=x.device)
    return hidden(None if baseline == "blur" else baseline, spec, x, whole)


def places(spec: Spec) -> int:
    """How many places an input has: pixels of an image, numbers of a vector."""
    dense = spec.dense()
    shape = dense.shape[1:] if isinstance(dense, Image) else dense.shape
    return int(np.prod(shape))


def _blurred(x: Batch, width: float) -> Batch:
    """Images (n, channels, height, width) under a Gaussian, borders continued."""
    smooth = gaussian_filter(x.detach().cpu().numpy(), width, mode="nearest", axes=(2, 3))
    return torch.from_numpy(np.asarray(smooth)).to(x)
