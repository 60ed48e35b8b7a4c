"""SmoothGrad: the gradient without its noise, by adding noise."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from pellucid.ball import spread
from pellucid.box.protocols import GradBox
from pellucid.errors import UserError
from pellucid.explain._agreement import agreement
from pellucid.explain._differentiate import differentiate
from pellucid.explain.attribution import Attribution
from pellucid.explain.targets import Target
from pellucid.rng import Streams
from pellucid.shapes import Batch

SAMPLES_AT_ONCE = 10  # even, so that halves stay halves; bounds the memory


@dataclass(frozen=True, kw_only=True)
class SmoothGrad:
    """Average the gradient over noisy copies of the row.

    Source: Smilkov et al., arXiv 2017.
    Needs: GradBox; explains logits.
    Cost: samples queries and gradients a row.
    Differs: noisy copies are clipped to the bounds.
    """

    samples: int = 50  # noisy copies
    noise: float = 0.15  # their standard deviation, of the range of values in the row

    def __post_init__(self) -> None:
        if self.samples < 2 or self.noise <= 0:
            raise UserError(
                f"SmoothGrad takes 2 samples or more and noise above 0, not {self.samples} and "
                f"{self.noise:g}."
            )

    def __call__(
        self, box: GradBox, x: Batch, target: Target, rng: Streams
    ) -> Iterator[Attribution]:
        """Yield the average so far, and how far every other sample says the same."""
        values = x.flatten(1)
        width = spread(self.noise * (values.amax(1) - values.amin(1)), x)
        even, odd = torch.zeros_like(x), torch.zeros_like(x)
        for first in range(0, self.samples, SAMPLES_AT_ONCE):
            count = min(SAMPLES_AT_ONCE, self.samples - first)
            noisy = box.spec.clamp(x + width * rng.normal(count, x.shape[1:]))
            for sample, gradient in enumerate(differentiate(box, noisy, target)):
                (odd if sample % 2 else even).add_(gradient)
            mean = (even + odd) / (first + count)
            yield Attribution(values=mean, agreement=agreement(even, odd))
