"""What a network is trained to withstand, and the climb to the worst of it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from pellucid.errors import UserError
from pellucid.shapes import Batch, Labels


@dataclass(frozen=True, kw_only=True)
class Threat:
    """Every value of a row may be moved by epsilon, within the bounds of the input."""

    epsilon: float = 8 / 255  # how far a value may be moved, in units of the input
    low: float = 0.0  # the least value an input may take
    high: float = 1.0  # the greatest

    def __post_init__(self) -> None:
        if not self.epsilon > 0:
            raise UserError(f"The epsilon of a threat must be positive, not {self.epsilon}.")
        if not self.low < self.high:
            raise UserError(f"A threat's low ({self.low}) must be below its high ({self.high}).")

    def check(self, x: Batch) -> None:
        """Refuse rows out of the bounds, which would be moved by more than epsilon."""
        if not bool(((x >= self.low) & (x <= self.high)).all()):
            raise UserError(
                f"The rows must lie between {self.low} and {self.high}: set the threat's low and "
                "high to the bounds of your data, and epsilon in the same units."
            )

    def inside(self, z: Batch, x: Batch) -> Batch:
        """The points allowed for x that are nearest to z."""
        least = (x - self.epsilon).clamp_min(self.low)
        greatest = (x + self.epsilon).clamp_max(self.high)
        return torch.minimum(torch.maximum(z, least), greatest)

    def anywhere(self, x: Batch, rng: Generator) -> Batch:
        """A uniform point around each row, brought within the bounds."""
        noise = torch.rand(x.shape, generator=rng, dtype=x.dtype, device=x.device)
        return self.inside(x + self.epsilon * (2 * noise - 1), x)

    def climb(
        self, loss: Callable[[Tensor], Tensor], z: Batch, x: Batch, *, steps: int, step: float
    ) -> Batch:
        """Where steps along the sign of the gradient lead from z, never leaving what is allowed.

        Args:
            loss: The sum over rows of what is to grow.
            z: Where to begin, (n, *shape).
            x: The rows that are moved, (n, *shape).
            steps: How many steps.
            step: The length of a step, of epsilon.
        """
        for _ in range(steps):
            z = z.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(loss(z), z)
            z = self.inside(z.detach() + step * self.epsilon * gradient.sign(), x)
        return z

    def worst(
        self,
        module: nn.Module,
        x: Batch,
        y: Labels,
        rng: Generator,
        *,
        steps: int,
        step: float,
    ) -> Batch:
        """Where PGD on the cross-entropy leads from a random start; `steps` and `step` as above."""

        def loss(z: Tensor) -> Tensor:
            return functional.cross_entropy(module(z), y, reduction="sum")

        return self.climb(loss, self.anywhere(x, rng), x, steps=steps, step=step)
