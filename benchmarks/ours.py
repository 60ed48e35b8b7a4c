"""Pellucid, through the door that users take; the methods are timed where the spine calls them."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import wraps

import torch
from torch import Tensor

import pellucid
from benchmarks import worker
from benchmarks.worker import Counted, Images, Job, Outcome
from pellucid.attack.evade.apgd import APGD
from pellucid.attack.evade.apgd_targeted import APGDTargeted
from pellucid.attack.evade.boundary import BoundaryAttack
from pellucid.attack.evade.carlini_wagner import CarliniWagner
from pellucid.attack.evade.cgba import CGBA
from pellucid.attack.evade.fab import FAB
from pellucid.attack.evade.fab_targeted import FABTargeted
from pellucid.attack.evade.fmn import FMN
from pellucid.attack.evade.geoda import GeoDA
from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.attack.evade.mi_fgsm import MIFGSM
from pellucid.attack.evade.one_pixel import OnePixel
from pellucid.attack.evade.pgd import PGD
from pellucid.attack.evade.pma_plus import PMAPlus
from pellucid.attack.evade.simba import SimBA
from pellucid.attack.evade.square import Square
from pellucid.ball import Ball
from pellucid.box.protocols import GRANTS, GradBox
from pellucid.needs import Attack, needs
from pellucid.runs import Run
from pellucid.shapes import Batch, LabelAnswer, ScoreAnswer
from pellucid.spec import Spec


class Clock:
    """CPU time in a method's own arithmetic: what passes in it, less what passes in its box."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def method(self, iterates: Iterator[Batch]) -> Iterator[Batch]:
        """The same iterates; the time that it takes to make each is booked."""
        while True:
            self.seconds -= time.process_time()
            try:
                iterate = next(iterates, None)
            finally:
                self.seconds += time.process_time()
            if iterate is None:
                return
            yield iterate


@dataclass(frozen=True)
class Unclocked:
    """A box whose answers are not on the method's clock."""

    box: GradBox
    clock: Clock

    @property
    def spec(self) -> Spec:
        return self.box.spec

    def __getitem__(self, rows: Tensor) -> "Unclocked":
        return Unclocked(self.box[rows], self.clock)

    def labels(self, x: Batch) -> LabelAnswer:
        return self._ask(self.box.labels, x)

    def scores(self, x: Batch) -> ScoreAnswer:
        return self._ask(self.box.scores, x)

    def logits(self, x: Batch) -> ScoreAnswer:
        return self._ask(self.box.logits, x)

    def _ask(self, question: Callable[[Batch], Tensor], x: Batch) -> Tensor:
        self.clock.seconds += time.process_time()
        try:
            return question(x)
        finally:
            self.clock.seconds -= time.process_time()


CLOCK = Clock()
OPENING = 1  # the call with which a model is opened


def clocked(method: Attack) -> Attack:
    """The same method, whose own arithmetic is on the clock."""
    kind = type(method)
    own = kind.__call__

    @wraps(own)
    def call(self: Attack, box: GradBox, **parts: object) -> Iterator[Batch]:
        return CLOCK.method(own(self, box=Unclocked(box, CLOCK), **parts))

    made = type(kind.__name__, (kind,), {"__call__": call, "__module__": kind.__module__})
    return made(**{field.name: getattr(method, field.name) for field in fields(method)})


def hop_skip_jump(job: Job) -> Attack:
    return HopSkipJump(ball=Ball(job.norm))


def pgd(job: Job) -> Attack:
    ball = Ball(job.norm, job.epsilon)
    return PGD(ball=ball, steps=job.steps, step=job.step_size / job.epsilon)


def apgd(job: Job) -> Attack:
    return APGD(ball=Ball(job.norm, job.epsilon), steps=job.steps)


def square(job: Job) -> Attack:
    return Square(ball=Ball(job.norm, job.epsilon), steps=job.budget, share=job.share)


def mi_fgsm(job: Job) -> Attack:
    return MIFGSM(ball=Ball(job.norm, job.epsilon), steps=job.steps)


def pma_plus(job: Job) -> Attack:
    return PMAPlus(ball=Ball(job.norm, job.epsilon))


def cgba(job: Job) -> Attack:
    return CGBA(ball=Ball(job.norm), cuts=3)


def fmn(job: Job) -> Attack:
    return FMN(ball=Ball(job.norm), steps=job.steps)


def fab(job: Job) -> Attack:
    return FAB(ball=Ball(job.norm), steps=job.steps)


def carlini_wagner(job: Job) -> Attack:
    return CarliniWagner(searches=job.searches, steps=job.steps, rate=job.step_size)


def boundary(job: Job) -> Attack:
    return BoundaryAttack(steps=job.steps)


def geoda(job: Job) -> Attack:
    return GeoDA(ball=Ball(job.norm), waves=job.waves)


def simba(job: Job) -> Attack:
    return SimBA(epsilon=job.step_size)


def one_pixel(job: Job) -> Attack:
    return OnePixel(population=job.population, generations=job.steps)


METHODS = {
    "hopskipjump": hop_skip_jump,
    "pgd": pgd,
    "apgd": apgd,
    "square": square,
    "fmn": fmn,
    "fab": fab,
    "carlini-wagner": carlini_wagner,
    "boundary": boundary,
    "geoda": geoda,
    "simba": simba,
    "one-pixel": one_pixel,
    "mi-fgsm": mi_fgsm,
    "pma-plus": pma_plus,
    "cgba": cgba,
}


def run(method: Attack, job: Job, module: Counted, images: Images, budget: int | None) -> Run:
    access = next(name for name, granted in GRANTS.items() if granted is needs(method).box)
    return pellucid.run(
        clocked(method),
        pellucid.open(module, access=access, shape=tuple(images.x.shape[1:]), emits="logits"),
        images.x,
        goal=pellucid.misled(images.y),
        budget=budget,
        seed=job.seed,
        start=images.starts,
        progress=False,
    )


def attack(job: Job, module: Counted, images: Images) -> Outcome:
    CLOCK.seconds = 0.0
    one = run(METHODS[job.attack](job), job, module, images, job.budget)
    return outcome(one.adversarial, [one], module)


def autoattack(job: Job, module: Counted, images: Images) -> Outcome:
    """Four attacks in turn, each on the rows that stand after those before."""
    CLOCK.seconds = 0.0
    ball = Ball(job.norm, job.epsilon)
    methods = (
        APGD(ball=ball, steps=job.steps),
        APGDTargeted(ball=ball, steps=job.steps),
        FABTargeted(ball=ball, steps=job.steps),
        square(job),
    )
    adversarial, rows, runs = images.x.clone(), torch.arange(len(images.x)), []
    for method in methods:
        standing = Images(x=images.x[rows], y=images.y[rows], starts=images.starts[rows])
        runs.append(run(method, job, module, standing, budget=None))
        adversarial[rows] = runs[-1].adversarial
        rows = rows[~runs[-1].success]
        if not len(rows):
            break
    return outcome(adversarial, runs, module)


def outcome(adversarial: Tensor, runs: Sequence[Run], module: Counted) -> Outcome:
    queries = sum(int(one.queries.sum()) for one in runs)
    judged = sum(int(one.judged.sum()) for one in runs)
    gradients = sum(int(one.gradients.sum()) for one in runs)
    return Outcome(
        adversarial=adversarial,
        asked=(queries + judged, gradients),
        calls=sum(one.calls + one.judge_calls + OPENING for one in runs),
        method_seconds=CLOCK.seconds - module.backward_seconds,
        ledger={
            "most_queries": sum(int(one.queries.max()) for one in runs),
            "queries": queries,
            "judged": judged,
            "gradients": gradients,
            "calls": sum(one.calls for one in runs),
            "judge_calls": sum(one.judge_calls for one in runs),
        },
    )


if __name__ == "__main__":
    worker.main({**dict.fromkeys(METHODS, attack), "autoattack": autoattack}, "pellucid")
