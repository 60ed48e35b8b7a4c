"""A check of the checks: signs that attacks by gradients fail where the model is not robust."""

from dataclasses import dataclass

import torch

from pellucid.attack.traps import Trap, traps
from pellucid.audit.access import named
from pellucid.audit.check import CannotTest, Ground, Price
from pellucid.audit.checks._measured import measured, no_classifier
from pellucid.audit.finding import Finding, Found
from pellucid.audit.radii import bounded, radii
from pellucid.ball import Ball, NormName
from pellucid.box.protocols import GradBox
from pellucid.box.views import GradView
from pellucid.box.window import Window
from pellucid.goals import misled
from pellucid.ledger import Cost, Ledger
from pellucid.rng import Streams, ids_of
from pellucid.spec import Image, Vector

ASKED = 5  # queries a row of `traps`
CLEAR = "Answers are steady, gradients are there, and a step along them helps: no trap was seen."


@dataclass(frozen=True, kw_only=True)
class Trapped:
    """Looks for a saturated softmax, for gradients that are zero or mislead, for unsteady answers.

    It looks around rows that the model has right. Found signs are `medium`: what attacks by
    gradients then say of robustness is too good.
    """

    rows: int = 64  # at most
    norm: NormName = "linf"

    @property
    def name(self) -> str:
        """Its stage and name."""
        return "falsify.traps"

    @property
    def access(self) -> type:
        """Gradients."""
        return GradBox

    def refusal(self, ground: Ground, /) -> str | None:
        """It looks around images and vectors with a range, for models that name classes."""
        source = ground.box.spec.input
        if isinstance(source, Image | Vector) and bounded(source):
            return no_classifier(ground)
        return "its radius is a share of the input's range: open the model with bounds"

    def price(self, ground: Ground, /) -> Price:
        """Five questions a row."""
        rows = min(self.rows, len(ground.data))
        return Price(least=ASKED * rows, most=ASKED * rows)

    def __call__(self, ground: Ground, budget: int, /) -> Found:
        """Look at the first rows that the model has right."""
        right = torch.from_numpy(measured(ground)["labels"]) == ground.data.y
        rows = right.nonzero()[: min(self.rows, budget // ASKED), 0]
        if not len(rows):
            raise CannotTest("the model has no row right")
        x, y = ground.data.x[rows], ground.data.y[rows]
        ledger = Ledger(len(rows))
        # no stored answers: whether a question is answered alike twice is part of the question
        view = GradView(Window(ground.box, ledger, deadline=ground.deadline), torch.arange(len(x)))
        # of four radii the second least: a step that a model may bear
        ball = Ball(self.norm, radii(ground.box.spec.dense(), self.norm)[1])
        found = traps(view, misled(y), x, ball, Streams(ground.seed, ids_of(x), x))
        return Found(finding=_finding(self, found, len(rows), ledger.cost))


def _finding(check: Trapped, found: tuple[Trap, ...], rows: int, cost: Cost) -> Finding:
    return Finding(
        check=check.name,
        system=None,
        severity="medium" if found else "none",
        access=named(check.access),
        figures={
            "rows": rows,
            "traps": [{"trap": trap.name, "share": trap.share} for trap in found],
        },
        cost=cost,
        text=" ".join(trap.text for trap in found) or CLEAR,
    )
