"""Pellucid, through the door that users take; the methods are timed where the spine calls them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import wraps

from torch import Tensor

import pellucid
from benchmarks import worker
from benchmarks.worker import Counted, Images, Job, Outcome
from pellucid.attack.evade.apgd import APGD
from pellucid.attack.evade.boundary import BoundaryAttack
from pellucid.attack.evade.carlini_wagner import CarliniWagner
from pellucid.attack.evade.fab import FAB
from pellucid.attack.evade.fmn import FMN
from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.attack.evade.pgd import PGD
from pellucid.attack.evade.square import Square
from pellucid.audit.access import named
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
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
    return Square(ball=Ball(job.norm, job.epsilon), steps=job.budget)


def fmn(job: Job) -> Attack:
    return FMN(ball=Ball(job.norm), steps=job.steps)


def fab(job: Job) -> Attack:
    return FAB(ball=Ball(job.norm), steps=job.steps)


def carlini_wagner(job: Job) -> Attack:
    return CarliniWagner(searches=job.searches, steps=job.steps, rate=job.step_size)


def boundary(job: Job) -> Attack:
    return BoundaryAttack(steps=job.steps)


METHODS = {
    "hopskipjump": hop_skip_jump,
    "pgd": pgd,
    "apgd": apgd,
    "square": square,
    "fmn": fmn,
    "fab": fab,
    "carlini-wagner": carlini_wagner,
    "boundary": boundary,
}


def attack(job: Job, module: Counted, images: Images) -> Outcome:
    CLOCK.seconds = 0.0
    method = METHODS[job.attack](job)
    access = named(needs(method).box)
    run = pellucid.run(
        clocked(method),
        pellucid.open(module, access=access, shape=tuple(images.x.shape[1:]), emits="logits"),
        images.x,
        goal=pellucid.misled(images.y),
        budget=job.budget,
        seed=job.seed,
        start=images.starts,
        progress=False,
    )
    return outcome(run, module)


def outcome(run: Run, module: Counted) -> Outcome:
    queries = int(run.queries.sum() + run.judged.sum())
    return Outcome(
        adversarial=run.adversarial,
        asked=(queries, int(run.gradients.sum())),
        method_seconds=CLOCK.seconds - module.backward_seconds,
        ledger={
            "most_queries": int(run.queries.max()),
            "queries": int(run.queries.sum()),
            "judged": int(run.judged.sum()),
            "gradients": int(run.gradients.sum()),
            "calls": run.calls,
            "judge_calls": run.judge_calls,
        },
    )


if __name__ == "__main__":
    worker.main(dict.fromkeys(METHODS, attack), "pellucid")
