"""Grad-CAM++: a layer's maps, weighted place by place, so that each copy of an object counts."""

from collections.abc import Iterator
from dataclasses import dataclass

from pellucid.box.protocols import WhiteBox
from pellucid.explain.attribution import Attribution
from pellucid.explain.cam._maps import maps, upsample
from pellucid.explain.targets import Target
from pellucid.shapes import Batch


@dataclass(frozen=True, kw_only=True)
class GradCAMPlusPlus:
    """Weight each map of a layer by its positive gradients, each place with a share of its own.

    Source: Chattopadhay et al., WACV 2018, equation 19.
    Needs: WhiteBox of a network with maps; explains logits.
    Cost: one query and one gradient a row.
    Differs: without the factor exp(target), which scales a row's map as a whole.
    """

    layer: str | None = None  # by name or pattern; None: the last with maps of several places

    def __call__(self, box: WhiteBox, x: Batch, target: Target) -> Iterator[Attribution]:
        """Yield the map, at the size of the image."""
        acts, gradients = maps(box, x, target, self.layer)
        # exp(target) has powers of the gradient g as derivatives: g^2 / (2 g^2 + sum(acts) g^3)
        below = 2 + acts.sum((2, 3), keepdim=True) * gradients
        weights = (gradients.relu() / below.where(below != 0, 1)).sum((2, 3), keepdim=True)
        yield Attribution(values=upsample((weights * acts).sum(1).relu(), x))
