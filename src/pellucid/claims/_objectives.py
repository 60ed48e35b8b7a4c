"""What subjects are trained for: to classify, or to classify under attack."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from pellucid.fit import cross_entropy


@dataclass(frozen=True, kw_only=True)
class Plain:
    """Mean cross-entropy of the rows as they are."""

    def __call__(self, module: nn.Module, x: Tensor, y: Tensor, rng: Generator) -> Tensor:
        """The loss of one batch."""
        return cross_entropy(module, x, y, rng)


@dataclass(frozen=True, kw_only=True)
class Hardened:
    """Mean cross-entropy of rows moved by PGD in the Linf ball (Madry et al., ICLR 2018)."""

    epsilon: float  # radius of the ball, in units of the input
    steps: int = 7
    step: float  # how far each step goes, in units of the input
    low: float = 0.0  # bounds of the input
    high: float = 1.0

    def __call__(self, module: nn.Module, x: Tensor, y: Tensor, rng: Generator) -> Tensor:
        """The loss of one batch under attack."""
        return cross_entropy(module, self.attacked(module, x, y, rng), y, rng)

    def attacked(self, module: nn.Module, x: Tensor, y: Tensor, rng: Generator) -> Tensor:
        """The rows after PGD from a random start, inside the ball and the bounds."""
        noise = torch.rand(x.shape, generator=rng, dtype=x.dtype, device=x.device)
        near = (x + self.epsilon * (2 * noise - 1)).clamp(self.low, self.high)
        for _ in range(self.steps):
            near.requires_grad_()
            (slope,) = torch.autograd.grad(functional.cross_entropy(module(near), y), near)
            moved = near.detach() + self.step * slope.sign()
            near = moved.clamp(x - self.epsilon, x + self.epsilon).clamp(self.low, self.high)
        return near
