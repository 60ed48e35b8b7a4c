"""Pellucid, through the door that users take; the methods are timed where the spine calls them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

import pellucid
from benchmarks import worker
from benchmarks.worker import Counted, Images, Job, Outcome
from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.attack.evade.pgd import PGD
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox, LabelBox
from pellucid.goals import Goal
from pellucid.rng import Streams
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

    def logits(self, x: Batch) -> ScoreAnswer:
        return self._ask(self.box.logits, x)

    def _ask(self, question: Callable[[Batch], Tensor], x: Batch) -> Tensor:
        self.clock.seconds += time.process_time()
        try:
            return question(x)
        finally:
            self.clock.seconds -= time.process_time()


CLOCK = Clock()


class ClockedHopSkipJump(HopSkipJump):
    def __call__(
        self, box: LabelBox, goal: Goal, x: Batch, start: Batch, rng: Streams
    ) -> Iterator[Batch]:
        return CLOCK.method(super().__call__(Unclocked(box, CLOCK), goal, x, start, rng))


class ClockedPGD(PGD):
    def __call__(self, box: GradBox, goal: Goal, x: Batch, rng: Streams) -> Iterator[Batch]:
        return CLOCK.method(super().__call__(Unclocked(box, CLOCK), goal, x, rng))


def hop_skip_jump(job: Job, module: Counted, images: Images) -> Outcome:
    CLOCK.seconds = 0.0
    box = pellucid.open(module, access="label", shape=tuple(images.x.shape[1:]))
    run = pellucid.run(
        ClockedHopSkipJump(ball=Ball(job.norm)),
        box,
        images.x,
        goal=pellucid.misled(images.y),
        budget=job.budget,
        seed=job.seed,
        start=images.starts,
        progress=False,
    )
    return outcome(run, module)


def pgd(job: Job, module: Counted, images: Images) -> Outcome:
    CLOCK.seconds = 0.0
    box = pellucid.open(module, access="grad", shape=tuple(images.x.shape[1:]))
    ball = Ball(job.norm, job.epsilon)
    run = pellucid.run(
        ClockedPGD(ball=ball, steps=job.steps, step=job.step_size / job.epsilon),
        box,
        images.x,
        goal=pellucid.misled(images.y),
        budget=job.budget,
        seed=job.seed,
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
    worker.main({"hopskipjump": hop_skip_jump, "pgd": pgd}, "pellucid")
