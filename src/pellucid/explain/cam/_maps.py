"""What class activation maps share: a layer's maps, their gradients, and the way back to pixels."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from pellucid.box.protocols import WhiteBox
from pellucid.errors import UserError
from pellucid.explain._differentiate import total_at
from pellucid.explain.targets import Target
from pellucid.shapes import Batch
from pellucid.spec import Image
from pellucid.taps import tap

Maps = Float[Tensor, "n channels height width"]


def maps(box: WhiteBox, x: Batch, target: Target, layer: str | None) -> tuple[Maps, Maps]:
    """The maps (n, channels, height, width) of a layer, and the target's gradient by them.

    The layer is the last that has maps of more than one place, of those with this name or pattern
    if one is given. Costs a query and a gradient a row, which goes backwards to the layer alone.

    Raises:
        UserError: there is no such layer, it has no maps, or the target does not depend on them.
    """
    _check_image(box)
    seen: dict[str, Tensor] = {}

    def aside(name: str, act: Tensor) -> Tensor:
        seen[name] = act
        # what comes next may write into a named layer's output; the last is of interest after that
        return act if layer is None else act.clone()

    with tap(box.module, layer or "*", aside):
        total = total_at(box, x.detach().requires_grad_(), target)
    spatial = [act for act in seen.values() if _has_maps(act)]
    if not spatial:
        raise UserError(
            f"{layer or 'This network'} puts out no maps (rows, channels, height, width): "
            "name a layer that does, or choose another explainer."
        )
    (gradient,) = torch.autograd.grad(total, spatial[-1], allow_unused=True)
    if gradient is None:
        raise UserError(f"The target does not depend on {layer}: name a layer on its way.")
    return spatial[-1].detach()[: len(x)], gradient[: len(x)]  # a call may have been padded


def upsample(low: Tensor, x: Batch) -> Maps:
    """Maps (n, height, width) at the size of the images x: (n, 1, height, width)."""
    size = tuple(x.shape[-2:])
    return functional.interpolate(low[:, None], size, mode="bilinear").to(x)


def _has_maps(act: object) -> bool:
    """Whether a layer's output has more than one place a channel."""
    return isinstance(act, Tensor) and act.ndim == 4 and act[0, 0].numel() > 1


def _check_image(box: WhiteBox) -> None:
    if not isinstance(box.spec.input, Image):
        raise UserError(
            f"Class activation maps explain images, but this model takes {box.spec.input}: "
            "open it with the shape of an image, or choose another explainer."
        )
