"""foolbox 3.3.4: ``batch`` images at a time, since its HopSkipJump depends on the batch."""

import foolbox
import torch
from torch import nn

from benchmarks import worker
from benchmarks.worker import Images, Job, Outcome


def hop_skip_jump(job: Job, module: nn.Module, images: Images) -> Outcome:
    model = foolbox.PyTorchModel(module, bounds=(0, 1))
    attack = foolbox.attacks.HopSkipJumpAttack(steps=job.steps, constraint=job.norm)
    parts = [part.split(job.batch) for part in (images.x, images.y, images.starts)]
    found = [attack.run(model, x, y, starting_points=s) for x, y, s in zip(*parts, strict=True)]
    return Outcome(adversarial=torch.cat(found))


def pgd(job: Job, module: nn.Module, images: Images) -> Outcome:
    model = foolbox.PyTorchModel(module, bounds=(0, 1))
    attack = foolbox.attacks.LinfPGD(abs_stepsize=job.step_size, steps=job.steps)
    _, clipped, _ = attack(model, images.x, images.y, epsilons=job.epsilon)
    return Outcome(adversarial=clipped)


def fmn(job: Job, module: nn.Module, images: Images) -> Outcome:
    model = foolbox.PyTorchModel(module, bounds=(0, 1))
    kinds = {"l2": foolbox.attacks.L2FMNAttack, "linf": foolbox.attacks.LInfFMNAttack}
    return Outcome(adversarial=kinds[job.norm](steps=job.steps).run(model, images.x, images.y))


def carlini_wagner(job: Job, module: nn.Module, images: Images) -> Outcome:
    model = foolbox.PyTorchModel(module, bounds=(0, 1))
    attack = foolbox.attacks.L2CarliniWagnerAttack(
        binary_search_steps=job.searches, steps=job.steps, stepsize=job.step_size
    )
    return Outcome(adversarial=attack.run(model, images.x, images.y))


def boundary(job: Job, module: nn.Module, images: Images) -> Outcome:
    model = foolbox.PyTorchModel(module, bounds=(0, 1))
    attack = foolbox.attacks.BoundaryAttack(steps=job.steps)
    found = attack.run(model, images.x, images.y, starting_points=images.starts)
    return Outcome(adversarial=found)


ATTACKS = {
    "hopskipjump": hop_skip_jump,
    "pgd": pgd,
    "fmn": fmn,
    "carlini-wagner": carlini_wagner,
    "boundary": boundary,
    "cgba": hop_skip_jump,
}

if __name__ == "__main__":
    worker.main(ATTACKS, "foolbox")
