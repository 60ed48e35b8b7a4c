"""torchattacks 3.5.1: it has no decision attack, so PGD alone."""

import torchattacks
from torch import nn

from benchmarks import worker
from benchmarks.worker import Images, Job, Outcome


def pgd(job: Job, module: nn.Module, images: Images) -> Outcome:
    attack = torchattacks.PGD(module, eps=job.epsilon, alpha=job.step_size, steps=job.steps)
    return Outcome(adversarial=attack(images.x, images.y))


if __name__ == "__main__":
    worker.main({"pgd": pgd}, "torchattacks")
