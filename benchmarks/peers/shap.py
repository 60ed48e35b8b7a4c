"""shap 0.51.0: one image at a time, as a row of parts that are there (1) or not (0)."""

import numpy as np
import shap
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks import explain_worker
from benchmarks.explain_worker import Explain, Images, Job, Outcome, log_probabilities
from benchmarks.worker import BATCH, Counted


class Game:
    """The model as a function of which parts of one image are there (k, parts)."""

    def __init__(self, module: Counted, x: Tensor, y: int, parts: Tensor) -> None:
        self._ask, self._x, self._y, self._parts = log_probabilities(module), x, y, parts

    @torch.no_grad()
    def __call__(self, there: NDArray) -> NDArray:
        present = torch.from_numpy(there).bool()[:, self._parts]
        shown = self._x * present.reshape(-1, 1, *self._x.shape[-2:])
        return torch.cat([self._ask(some)[:, self._y] for some in shown.split(BATCH)]).numpy()


def games(module: Counted, images: Images) -> list[Game]:
    rows = zip(images.x, images.y.tolist(), strict=True)
    return [Game(module, x, y, images.parts) for x, y in rows]


def kernel_shap(job: Job, module: Counted) -> Explain:
    def explain(images: Images) -> Outcome:
        nobody, everybody = np.zeros((1, images.players)), np.ones((1, images.players))
        found = [
            shap.KernelExplainer(game, nobody).shap_values(
                everybody, nsamples=job.samples - 2, l1_reg=False, silent=True
            )
            for game in games(module, images)
        ]
        return Outcome(values=torch.from_numpy(np.concatenate(found)))

    return explain


def shapley(_: Job, module: Counted) -> Explain:
    def explain(images: Images) -> Outcome:
        nobody, everybody = np.zeros((1, images.players)), np.ones((1, images.players))
        masker = shap.maskers.Independent(nobody)
        found = [
            shap.explainers.Exact(game, masker)(everybody, silent=True).values
            for game in games(module, images)
        ]
        return Outcome(values=torch.from_numpy(np.concatenate(found)))

    return explain


if __name__ == "__main__":
    explain_worker.main({"kernel-shap": kernel_shap, "shapley": shapley}, "shap")
