"""The plain gradient: which way the target climbs."""

from collections.abc import Iterator
from dataclasses import dataclass

from pellucid.box.protocols import GradBox
from pellucid.explain._differentiate import differentiate
from pellucid.explain.attribution import Attribution
from pellucid.explain.targets import Target
from pellucid.shapes import Batch


@dataclass(frozen=True, kw_only=True)
class PlainGradient:
    """Say how fast the target changes with each input value.

    Source: Simonyan et al., ICLR 2014 workshop, section 3.
    Needs: GradBox; explains logits.
    Cost: one query and one gradient a row.
    Differs: signed and for each channel; the paper's map is the greatest size over channels.
    """

    def __call__(self, box: GradBox, x: Batch, target: Target) -> Iterator[Attribution]:
        """Yield the gradient."""
        yield Attribution(values=differentiate(box, x[None], target)[0])
