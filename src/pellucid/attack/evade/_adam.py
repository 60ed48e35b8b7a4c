"""Adam, each row by itself."""

from math import sqrt

import torch

from pellucid.shapes import Batch, RowNumbers


class Adam:
    """The moments of each row's gradients.

    Source: Kingma and Ba, ICLR 2015, algorithm 1, with its decays of 0.9 and 0.999.
    """

    def __init__(self, like: Batch, rate: float) -> None:
        """Nothing was seen yet."""
        self._rate = rate
        self._mean, self._square = torch.zeros_like(like), torch.zeros_like(like)

    def step(self, rows: RowNumbers, gradient: Batch, count: int) -> Batch:
        """How these rows move, down their gradients, in the count-th step of each."""
        mean = 0.9 * self._mean[rows] + 0.1 * gradient
        square = 0.999 * self._square[rows] + 0.001 * gradient * gradient
        self._mean[rows], self._square[rows] = mean, square
        spread = square.sqrt() / sqrt(1 - 0.999**count) + 1e-8
        return -self._rate / (1 - 0.9**count) * mean / spread
