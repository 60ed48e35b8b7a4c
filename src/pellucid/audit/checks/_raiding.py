"""What checks by attack share: radius after radius against all rows, and the finding of it."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
import torch
from torch import Tensor

from pellucid.audit.access import named
from pellucid.audit.check import Ground, Price
from pellucid.audit.checks._robust import Raids, broken, lows, told
from pellucid.audit.finding import Cost, Figures, Finding, Found
from pellucid.audit.radii import bounded, radii
from pellucid.audit.threats import EVASION
from pellucid.ball import Ball, NormName
from pellucid.box.views import LabelView
from pellucid.box.window import Window
from pellucid.errors import UserError
from pellucid.goals import misled
from pellucid.ledger import Ledger, OutOfTime
from pellucid.needs import Attack, needs
from pellucid.runner import run
from pellucid.runs import Run, Status
from pellucid.shapes import Labels, RowNumbers
from pellucid.spec import NO_ANSWER, Image, OneClass, Vector

JUDGE = 2  # questions a row that a run may put outside its budget: at its start and at its end


@dataclass(frozen=True, kw_only=True)
class Raiding(ABC):
    """Attacks every row: within each radius in turn, or as near as it can.

    A method that stays in a ball begins with the least radius, and goes on with the rows that are
    still right; one that seeks the nearest success runs once.
    """

    norm: NormName = "linf"
    radii: tuple[float, ...] = ()  # in the user's units; none given: the usual ones for the input
    queries: int | None = None  # a row and radius that the method can use; None: any number

    def __post_init__(self) -> None:
        """Refuse what can be seen to be wrong before a model is there."""
        if list(self.radii) != sorted(set(self.radii)) or min(self.radii, default=1) <= 0:
            raise UserError(f"Radii must be positive and rise, but {self.name} has {self.radii}.")
        if self.queries is not None and self.queries < 1:
            raise UserError(f"{self.name} needs at least one question a row: raise its queries.")

    @property
    @abstractmethod
    def called(self) -> str:
        """What the finding calls the method."""

    @abstractmethod
    def stays(self, ground: Ground, /) -> bool:
        """Whether the method stays in a ball; otherwise it seeks the nearest success."""

    @abstractmethod
    def attack(self, ground: Ground, radius: float | None, budget: int, /) -> Attack:
        """The method in its ball, for so many questions a row."""

    @property
    def name(self) -> str:
        """Such as "falsify.square.linf"."""
        return f"falsify.{self.called}.{self.norm}"

    def refusal(self, ground: Ground, /) -> str | None:
        """It takes images and vectors with a range, and classes."""
        spec = ground.box.spec
        if not isinstance(spec.input, Image | Vector) or not isinstance(spec.answer, OneClass):
            return "attacks here move images and vectors of models that name classes"
        if not bounded(spec.input):
            return "its radii are shares of the input's range: open the model with bounds"
        if ground.data.columns and not self.radii:
            return "how far a table's row may be moved is for a plan to say: give it radii"
        return None

    def price(self, ground: Ground, /) -> Price:
        """Each run with its judge, and a last question about what was found."""
        rows, runs = len(ground.data), len(self._stops(ground))
        most = None if self.queries is None else rows * (runs * (JUDGE + self.queries) + 1)
        return Price(least=rows * (runs * (JUDGE + 1) + 1), most=most)

    def __call__(self, ground: Ground, budget: int, /) -> Found:
        """Attack, and tell the accuracy at each radius."""
        data, stops = ground.data, self._stops(ground)
        raids, live = Raids(x=data.x, norm=self.norm), torch.arange(len(data))
        cost, left, used = Cost(), budget - len(data), []
        for i, radius in enumerate(stops):
            share = left // (len(live) * (len(stops) - i)) - JUDGE
            share = share if self.queries is None else min(share, self.queries)
            used.append(self.attack(ground, radius, share))
            done = self._run(ground, used[-1], live, share, (i, len(stops)))
            raids = raids.then(live, done, Ball(self.norm, radius))
            cost, left = cost + done.cost, left - done.cost.queries
            live = torch.from_numpy(np.flatnonzero(np.isinf(raids.distance())))
            if not len(live):
                break
        return self._found(ground, raids, cost, used)

    def more(self, _used: Sequence[Attack], /) -> Figures:
        """Figures of the method's own."""
        return {}

    def _found(self, ground: Ground, raids: Raids, cost: Cost, used: Sequence[Attack]) -> Found:
        falls, points = raids.distance(), raids.adversarial()
        moved = broken(falls)
        said, asked = _labels(ground, points, moved)
        curves = raids.curves(self._radii(ground))
        shown = needs(used[0]).box
        finding = Finding(
            check=self.name,
            system=self.called,
            severity=ground.limits.broken(lows(curves["by_epsilon"])),
            access=named(shown),
            figures={
                "norm": self.norm,
                "rows": len(falls),
                "attacked": int((falls > 0).sum()),
                "succeeded": len(moved),
                "median_distance": float(np.median(falls[moved])) if len(moved) else None,
                "most_queries": int(raids.queries().max()),
                **self.more(used),
                **curves,
            },
            atlas=EVASION[shown].atlas,
            owasp=EVASION[shown].owasp,
            cost=cost + asked,
            text=told(self.norm, curves["by_epsilon"]),
        )
        arrays = {"adversarial": points.numpy(), "distance": falls, "labels_after": said.numpy()}
        return Found(finding=finding, arrays=arrays)

    def _stops(self, ground: Ground) -> Sequence[float | None]:
        """The radii of the runs; a method that seeks the nearest success runs once."""
        return self._radii(ground) if self.stays(ground) else (None,)

    def _radii(self, ground: Ground) -> tuple[float, ...]:
        return self.radii or radii(ground.box.spec.dense(), self.norm)

    def _run(
        self, ground: Ground, method: Attack, live: RowNumbers, budget: int, part: tuple[int, int]
    ) -> Run:
        data = ground.data
        kept = ground.unfinished and ground.unfinished / f"{self.name}.{part[0]}.safetensors"
        done = run(
            method,
            ground.box,
            data.x[live],
            goal=misled(data.y[live]),
            budget=budget,
            seed=ground.seed,
            answers=ground.answers,
            checkpoint=kept,
            seconds=None if ground.deadline == inf else ground.deadline - time.monotonic(),
            progress=ground.part(self.name, *part),
        )
        if Status.CLOCK in done.status:
            raise OutOfTime
        return done


def _labels(ground: Ground, points: Tensor, broken: RowNumbers) -> tuple[Labels, Cost]:
    """What the model says of the rows that were broken, and of no other."""
    said = torch.full((len(points),), NO_ANSWER)
    if not len(broken):
        return said, Cost()
    ledger = Ledger(len(broken))
    view = LabelView(Window(ground.box, ledger, answers=ground.answers), torch.arange(len(broken)))
    said[broken] = view.labels(points[broken])
    return said, ledger.cost
