"""Langevin dynamics: gradient descent whose steps are shaken by as much noise as they are long."""

from collections.abc import Callable, Iterable

import torch
from torch import Generator, nn
from torch.optim import SGD


class Langevin(SGD):
    """Gradient descent, after some steps of which the weights get noise of variance 2 scale^2 lr.

    For steps small enough weights are drawn in proportion to exp(-loss / scale^2): Welling and
    Teh, ICML 2011, at a temperature of scale^2.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float,
        decay: float = 0.0,
        scale: float,
        noisy: Callable[[int], bool],
        rng: Generator,
    ) -> None:
        """Prepare to descend.

        Args:
            parameters: What is optimised.
            lr: The learning rate, which a schedule may change.
            decay: Weight decay, added to the gradients.
            scale: Of the noise.
            noisy: Whether the step of this number, from 0 on, gets noise.
            rng: A generator on the CPU, which the noise is drawn from.
        """
        super().__init__(parameters, lr=lr, weight_decay=decay)
        self._scale, self._noisy, self._rng, self._taken = scale, noisy, rng, 0

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Descend once, and shake if it is time."""
        loss = super().step(closure)
        if self._noisy(self._taken):
            for group in self.param_groups:
                self._shake(group["params"], self._scale * (2 * group["lr"]) ** 0.5)
        self._taken += 1
        return loss

    @torch.no_grad()
    def _shake(self, weights: list[nn.Parameter], deviation: float) -> None:
        for weight in weights:
            noise = torch.randn(weight.shape, generator=self._rng, dtype=weight.dtype)
            weight.add_(noise.to(weight.device), alpha=deviation)
