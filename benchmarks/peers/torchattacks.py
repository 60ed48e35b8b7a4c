"""torchattacks 3.5.1: it has no decision attack."""

import torchattacks
from torch import nn

from benchmarks import worker
from benchmarks.worker import Images, Job, Outcome


def pgd(job: Job, module: nn.Module, images: Images) -> Outcome:
    attack = torchattacks.PGD(module, eps=job.epsilon, alpha=job.step_size, steps=job.steps)
    return Outcome(adversarial=attack(images.x, images.y))


def mi_fgsm(job: Job, module: nn.Module, images: Images) -> Outcome:
    alpha = job.epsilon / job.steps
    attack = torchattacks.MIFGSM(module, eps=job.epsilon, alpha=alpha, steps=job.steps)
    return Outcome(adversarial=attack(images.x, images.y))


NORMS = {"linf": "Linf", "l2": "L2"}


def apgd(job: Job, module: nn.Module, images: Images) -> Outcome:
    attack = torchattacks.APGD(
        module, norm=NORMS[job.norm], eps=job.epsilon, steps=job.steps, seed=job.seed
    )
    return Outcome(adversarial=attack(images.x, images.y))


def square(job: Job, module: nn.Module, images: Images) -> Outcome:
    attack = torchattacks.Square(
        module,
        norm=NORMS[job.norm],
        eps=job.epsilon,
        n_queries=job.budget,
        p_init=job.share,
        seed=job.seed,
    )
    return Outcome(adversarial=attack(images.x, images.y))


def fab(job: Job, module: nn.Module, images: Images) -> Outcome:
    # eps only decides which results it hands back: all of them
    attack = torchattacks.FAB(
        module, norm=NORMS[job.norm], eps=100.0, steps=job.steps, seed=job.seed
    )
    return Outcome(adversarial=attack(images.x, images.y))


def one_pixel(job: Job, module: nn.Module, images: Images) -> Outcome:
    attack = torchattacks.OnePixel(module, steps=job.steps, popsize=job.population)
    return Outcome(adversarial=attack(images.x, images.y))


def autoattack(job: Job, module: nn.Module, images: Images) -> Outcome:
    """Its own cascade of its own four attacks; its AutoAttack has 10 steps in place of 100."""
    common = {"norm": NORMS[job.norm], "eps": job.epsilon, "seed": job.seed}
    cascade = torchattacks.MultiAttack(
        [
            torchattacks.APGD(module, steps=job.steps, loss="ce", **common),
            torchattacks.APGDT(module, steps=job.steps, n_classes=10, **common),
            torchattacks.FAB(module, steps=job.steps, multi_targeted=True, n_classes=10, **common),
            torchattacks.Square(module, n_queries=job.budget, p_init=job.share, **common),
        ]
    )
    return Outcome(adversarial=cascade(images.x, images.y))


ATTACKS = {
    "pgd": pgd,
    "apgd": apgd,
    "square": square,
    "fab": fab,
    "one-pixel": one_pixel,
    "autoattack": autoattack,
    "pma-plus": autoattack,
    "mi-fgsm": mi_fgsm,
}

if __name__ == "__main__":
    worker.main(ATTACKS, "torchattacks")
