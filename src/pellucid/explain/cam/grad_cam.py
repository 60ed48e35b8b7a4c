"""Grad-CAM: a layer's maps, weighted by how much the target gains from each."""

from collections.abc import Iterator
from dataclasses import dataclass

from pellucid.box.protocols import WhiteBox
from pellucid.explain.attribution import Attribution
from pellucid.explain.cam._maps import maps, upsample
from pellucid.explain.targets import Target
from pellucid.shapes import Batch


@dataclass(frozen=True, kw_only=True)
class GradCAM:
    """Weight each map of a layer by its mean gradient, add them, and keep what is positive.

    Source: Selvaraju et al., ICCV 2017, equations 1 and 2.
    Needs: WhiteBox of a network with maps; explains logits.
    Cost: one query and one gradient a row.
    Differs: in nothing; maps (1, height, width) are not scaled to a range.
    """

    layer: str | None = None  # by name or pattern; None: the last with maps of several places

    def __call__(self, box: WhiteBox, x: Batch, target: Target) -> Iterator[Attribution]:
        """Yield the map, at the size of the image."""
        acts, gradients = maps(box, x, target, self.layer)
        weights = gradients.mean((2, 3), keepdim=True)
        yield Attribution(values=upsample((weights * acts).sum(1).relu(), x))
