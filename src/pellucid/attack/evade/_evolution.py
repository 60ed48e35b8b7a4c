"""CMA-ES, as the package `cma` has it, drawing from a row's own stream."""

import warnings

import numpy as np
import torch
from torch import Tensor

from pellucid.extras import extra
from pellucid.rng import Streams


class Evolution:
    """One search: ask for candidates, tell their losses.

    Source: Hansen, arXiv 2016, figure 6, with that tutorial's defaults.
    """

    def __init__(self, d: int, sigma: float, population: int | None, rng: Streams) -> None:
        """Begin at a standard normal point of d numbers, with steps of size sigma.

        Raises:
            MissingExtra: the package `cma` is not installed.
        """
        with extra("evolution", "Evolution by CMA-ES"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without matplotlib it says that it cannot draw
            from cma import CMAEvolutionStrategy
        self._rng = rng
        options = {
            "popsize": population or 4 + int(3 * np.log(d)),
            "randn": self._normal,
            "seed": np.nan,  # leave the global generator alone
            "verbose": -9,
            "maxiter": np.inf,
        }
        start = self._normal(1, d)[0]
        self._strategy = CMAEvolutionStrategy(start, sigma, options)

    def _normal(self, count: int, d: int) -> np.ndarray:
        return self._rng.normal(count, (d,))[:, 0].double().numpy()

    def ask(self) -> Tensor:
        """Candidates (population, d)."""
        self._asked = self._strategy.ask()
        return torch.from_numpy(np.stack(self._asked))

    def tell(self, losses: Tensor) -> bool:
        """Learn from the candidates' losses (population); whether there is more to find."""
        self._strategy.tell(self._asked, losses.double().tolist())
        return not self._strategy.stop()
