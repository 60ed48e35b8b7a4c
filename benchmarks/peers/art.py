"""ART 1.20.1: its HopSkipJump attacks one image at a time and draws from a generator of its own."""

import torch
from art.attacks.evasion import (
    AutoProjectedGradientDescent,
    HopSkipJump,
    ProjectedGradientDescent,
    SquareAttack,
)
from art.estimators.classification import PyTorchClassifier
from torch import nn

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
        p_init=0.05,
        batch_size=job.batch,
        verbose=False,
    )
    return Outcome(
        adversarial=torch.from_numpy(attack.generate(images.x.numpy(), images.y.numpy()))
    )


ATTACKS = {"hopskipjump": hop_skip_jump, "pgd": pgd, "apgd": apgd, "square": square}

if __name__ == "__main__":
    worker.main(ATTACKS, "adversarial-robustness-toolbox")
