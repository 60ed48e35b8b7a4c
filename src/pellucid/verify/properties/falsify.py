"""Falsification: looks for counterexamples among random points, corners, and by gradients."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.attack.evade.apgd import APGD
from pellucid.ball import Ball
from pellucid.box.protocols import LADDER, GradBox, ScoreBox, granted
from pellucid.box.views import ScoreView
from pellucid.errors import UserError
from pellucid.rng import Streams
from pellucid.runner import run
from pellucid.verify.properties.cube import Cube
from pellucid.verify.properties.goal import violates
from pellucid.verify.properties.instance import Instance
from pellucid.verify.properties.property import Case
from pellucid.verify.properties.verdict import Counterexample, Verdict

WHOLE = Ball("linf", 1.0)  # around any point of the unit cube it holds the whole of it
JUDGED = 2  # questions of a run outside its budget, a row


@dataclass(frozen=True, kw_only=True)
class Falsify:
    """Asks for points of each region, climbs from the most promising ones, and does so again.

    Needs: ScoreBox; with a GradBox it climbs.
    Cost: at most rounds x (points + restarts x (steps + 2) + replays) questions a case.
    """

    rounds: int = 4
    points: int = 500  # asked for in a round: half at random inside, half at random corners
    restarts: int = 40  # ascents of a round, shared out among the polytopes
    steps: int = 30  # of an ascent
    replays: int = 5  # points of a round that the judge is asked about, the deepest first

    def __post_init__(self) -> None:
        if min(self.rounds, self.points, self.restarts, self.steps, self.replays) < 1:
            raise UserError("Falsify needs at least one round, point, restart, step and replay.")

    @property
    def access(self) -> type:
        """The outputs."""
        return ScoreBox

    def __call__(self, instance: Instance, seed: int, /) -> Iterator[Verdict]:
        """Yield what is known after each part of a round."""
        for part in range(self.rounds):
            for number, case in enumerate(instance.property.cases):
                found = self._search(instance, case, f"{number}/{part}", seed)
                if found is not None:
                    yield Verdict(answer="violated", counterexample=found)
                    return
                yield Verdict(answer="unknown", reason="no counterexample was found")

    def _search(
        self, instance: Instance, case: Case, name: str, seed: int
    ) -> Counterexample | None:
        """One round in one region."""
        region = case.region.representable(instance.dtype)
        if region is None:
            return None
        cube = Cube(inside=instance.box, region=region)
        box = cube.box()
        assert isinstance(box, ScoreView)
        u = self._points(Streams(seed, [name], torch.empty(0, dtype=torch.float64)), len(region))
        u = u[: instance.left]
        if not len(u):
            return None
        slacks = case.unsafe.slacks(box.scores(u)).amin(-1)  # (points, polytopes)
        found = self._confirmed(instance, cube.points(u), slacks.amax(-1))
        if found is not None or LADDER.index(granted(box)) < LADDER.index(GradBox):
            return found
        aims, starts = self._starts(slacks, u, instance.left // (self.steps + JUDGED))
        if not len(aims):
            return None
        done = run(
            APGD(ball=WHOLE, steps=self.steps, random=False),
            box,
            starts,
            goal=violates(case.unsafe, aims),
            budget=self.steps,
            seed=seed,
            ids=[f"{name}/{i}" for i in range(len(aims))],
            seconds=instance.seconds,
            progress=False,
        )
        reached = cube.points(done.adversarial[done.success])
        return self._confirmed(instance, reached, torch.ones(len(reached)))

    def _points(self, rng: Streams, d: int) -> Tensor:
        """Points of the cube (points, d)."""
        inside, sides = rng.uniform(-(-self.points // 2), (d,)), rng.uniform(self.points // 2, (d,))
        return torch.cat([inside[:, 0], (sides[:, 0] < 0.5).double()])

    def _starts(self, slacks: Tensor, u: Tensor, most: int) -> tuple[Tensor, Tensor]:
        """For each ascent the polytope that it aims at, and the point where it begins.

        Polytopes take turns, the one that came nearest first, and each begins at its best points.
        """
        ranks = slacks.nan_to_num(nan=-torch.inf).sort(0, descending=True)
        order = ranks.values[0].argsort(descending=True)
        turns = torch.arange(min(self.restarts, most, slacks.numel()))
        aims = order[turns % len(order)]
        return aims, u[ranks.indices[turns // len(order), aims]]

    def _confirmed(
        self, instance: Instance, points: Tensor, margins: Tensor
    ) -> Counterexample | None:
        """The first of the deepest points that the judge confirms."""
        deepest = margins.nan_to_num(nan=-torch.inf).sort(descending=True)
        for margin, place in zip(*(part[: self.replays].tolist() for part in deepest), strict=True):
            if margin < 0:
                break
            found = instance.replayed(points[place].detach())
            if found is not None:
                return found
        return None
