"""Steps inside a ball along gradients that remember: the loop of attacks on surrogates."""

from collections.abc import Callable, Iterator

import torch

from pellucid.ball import Ball, spread
from pellucid.shapes import Batch
from pellucid.spec import Spec


def of_size_one(gradient: Batch) -> Batch:
    """Each row over its l1 norm; zero where the gradient is zero or NaN."""
    size = torch.linalg.vector_norm(gradient.flatten(1), 1, dim=1)
    return (gradient / spread(size, gradient)).nan_to_num(0, 0, 0)


def within(spec: Spec, ball: Ball, x: Batch, z: Batch) -> Batch:
    """The nearest point that the ball around x and the bounds allow."""
    return spec.clamp(ball.project(z, x))


def follow(
    spec: Spec,
    ball: Ball,
    x: Batch,
    z: Batch,
    gradient: Callable[[Batch], Batch],
    *,
    steps: int,
    length: float,
    decay: float,
) -> Iterator[Batch]:
    """Step from z inside the ball around x; yields an iterate a step, the last of them unasked.

    Each step follows the gradients so far, every one of l1 norm one, of which the share `decay` is
    left at the next: the momentum of Dong et al., CVPR 2018, equation 6.
    """
    velocity = torch.zeros_like(x)
    for _ in range(steps):
        velocity = decay * velocity + of_size_one(gradient(z))
        z = within(spec, ball, x, torch.add(z, ball.steepest(velocity), alpha=length))
        yield z
