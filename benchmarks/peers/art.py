"""ART 1.20.1: its HopSkipJump attacks one image at a time and draws from a generator of its own."""

from contextlib import chdir
from tempfile import TemporaryDirectory

import numpy as np
import torch
from art.attacks.evasion import (
    AutoProjectedGradientDescent,
    GeoDA,
    HopSkipJump,
    ProjectedGradientDescent,
    SimBA,
    SquareAttack,
)
from art.estimators.classification import PyTorchClassifier
from torch import nn
from typing_extensions import override

from benchmarks import worker
from benchmarks.worker import Images, Job, Outcome


def classifier(module: nn.Module, images: Images) -> PyTorchClassifier:
    return PyTorchClassifier(
        module,
        loss=nn.CrossEntropyLoss(),
        input_shape=tuple(images.x.shape[1:]),
        nb_classes=10,
        clip_values=(0, 1),
        device_type="cpu",
    )


def hop_skip_jump(job: Job, module: nn.Module, images: Images) -> Outcome:
    norm = {"l2": 2, "linf": "inf"}[job.norm]
    model = classifier(module, images)
    attack = HopSkipJump(model, norm=norm, max_iter=job.steps, verbose=False)
    x, y, starts = images.x.numpy(), images.y.numpy(), images.starts.numpy()
    return Outcome(adversarial=torch.from_numpy(attack.generate(x, y, x_adv_init=starts)))


def pgd(job: Job, module: nn.Module, images: Images) -> Outcome:
    attack = ProjectedGradientDescent(
        classifier(module, images),
        eps=job.epsilon,
        eps_step=job.step_size,
        max_iter=job.steps,
        num_random_init=1,
        batch_size=job.batch,
        verbose=False,
    )
    found = attack.generate(images.x.numpy(), images.y.numpy())
    return Outcome(adversarial=torch.from_numpy(found))


def apgd(job: Job, module: nn.Module, images: Images) -> Outcome:
    attack = AutoProjectedGradientDescent(
        classifier(module, images),
        eps=job.epsilon,
        eps_step=2 * job.epsilon,
        max_iter=job.steps,
        nb_random_init=1,
        batch_size=job.batch,
        loss_type="cross_entropy",
        verbose=False,
    )
    return Outcome(
        adversarial=torch.from_numpy(attack.generate(images.x.numpy(), images.y.numpy()))
    )


def square(job: Job, module: nn.Module, images: Images) -> Outcome:
    attack = SquareAttack(
        classifier(module, images),
        eps=job.epsilon,
        max_iter=job.budget,
        p_init=job.share,
        batch_size=job.batch,
        verbose=False,
    )
    return Outcome(
        adversarial=torch.from_numpy(attack.generate(images.x.numpy(), images.y.numpy()))
    )


def simba(job: Job, module: nn.Module, images: Images) -> Outcome:
    # it takes probabilities alone, and one image at a time
    model = classifier(nn.Sequential(module, nn.Softmax(1)), images)
    attack = SimBA(
        model, attack="px", max_iter=job.steps, order="random", epsilon=job.step_size, verbose=False
    )
    labels = np.eye(10, dtype=np.float32)[images.y.numpy()]
    return Outcome(adversarial=torch.from_numpy(attack.generate(images.x.numpy(), labels)))


class StartedGeoDA(GeoDA):
    """GeoDA from given points: it has no door for them, and never ends its own search for one on
    an image whose class is what the network takes noise for."""

    def __init__(self, estimator: PyTorchClassifier, starts: np.ndarray, **settings) -> None:
        super().__init__(estimator, **settings)
        self.starts = iter(starts[:, None])

    @override
    def _find_random_adversarial(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return next(self.starts)


def geoda(job: Job, module: nn.Module, images: Images) -> Outcome:
    attack = StartedGeoDA(
        classifier(module, images),
        images.starts.numpy(),
        batch_size=job.batch,
        norm={"l2": 2, "linf": "inf"}[job.norm],
        sub_dim=job.waves,
        max_iter=max(job.budget, 500),  # below 500 its plan of steps is empty, and it fails
        bin_search_tol=job.step_size,
        verbose=False,
    )
    with TemporaryDirectory() as folder, chdir(folder):  # it leaves its basis where it stands
        found = attack.generate(images.x.numpy(), images.y.numpy())
    return Outcome(adversarial=torch.from_numpy(found))


ATTACKS = {
    "hopskipjump": hop_skip_jump,
    "pgd": pgd,
    "apgd": apgd,
    "square": square,
    "simba": simba,
    "geoda": geoda,
    "cgba": hop_skip_jump,
}

if __name__ == "__main__":
    worker.main(ATTACKS, "adversarial-robustness-toolbox")
