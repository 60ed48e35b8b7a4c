"""What is shown in place of a hidden part."""

import torch

from pellucid.errors import UserError
from pellucid.explain.superpixels import Parts
from pellucid.shapes import Batch
from pellucid.spec import Image, Spec

# a value; or one for each channel of an image or number of a vector; or None: of an image the mean
# by channel of what is hidden together, of a vector 0
Baseline = float | tuple[float, ...] | None


def hidden(baseline: Baseline, spec: Spec, x: Batch, parts: Parts) -> Batch:
    """The rows with every place hidden.

    Raises:
        UserError: the baseline does not fit the input, or lies outside its bounds.
    """
    dense = spec.dense()
    if baseline is None and isinstance(dense, Image):
        return _means(x.reshape(len(x), dense.shape[0], -1), parts).reshape(x.shape)
    values = baseline if isinstance(baseline, tuple) else (baseline or 0.0,)
    if not all(dense.low <= value <= dense.high for value in values):
        raise UserError(
            f"The baseline {baseline} lies outside the input's bounds, {dense.low:g} to "
            f"{dense.high:g}: choose values that an input may have."
        )
    each, name = (
        (dense.shape[0], "channel") if isinstance(dense, Image) else (x[0].numel(), "number")
    )
    if len(values) not in (1, each):
        raise UserError(
            f"The baseline has {len(values)} values: give one, or one for each {name} of the "
            f"input, which are {each}."
        )
    shown = x.new_tensor(values).expand(each)[:, None].expand(each, x[0].numel() // each)
    return shown.reshape(x.shape[1:]).expand(x.shape)


def _means(x: Batch, parts: Parts) -> Batch:
    """Rows (n, channels, places) with each place its part's mean."""
    where = parts[:, None].expand(x.shape)
    sums = torch.zeros_like(x).scatter_add(-1, where, x)
    sizes = torch.zeros_like(x).scatter_add(-1, where, torch.ones_like(x))
    return (sums / sizes.clamp_min(1)).gather(-1, where)
