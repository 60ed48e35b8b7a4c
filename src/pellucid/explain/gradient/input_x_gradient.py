"""Input times gradient: how much of the target each input value makes, by a straight line."""

from collections.abc import Iterator
from dataclasses import dataclass

from pellucid.box.protocols import GradBox
from pellucid.explain._differentiate import differentiate
from pellucid.explain.attribution import Attribution
from pellucid.explain.targets import Target
from pellucid.shapes import Batch


@dataclass(frozen=True, kw_only=True)
class InputXGradient:
    """Multiply each input value with the gradient there.

    Source: Shrikumar et al., arXiv 2016.
    Needs: GradBox; explains logits.
    Cost: one query and one gradient a row.
    Differs: in nothing; as there, what is attributed is the way from an input of zeros.
    """

    def __call__(self, box: GradBox, x: Batch, target: Target) -> Iterator[Attribution]:
        """Yield the product."""
        yield Attribution(values=x * differentiate(box, x[None], target)[0])
