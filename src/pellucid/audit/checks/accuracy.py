"""How often the model is right on the rows as they are."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from pellucid.audit.chance import above_chance, examination, likely_cause
from pellucid.audit.check import Ground, Price
from pellucid.audit.checks._measured import ACCURACY, no_classifier
from pellucid.audit.checks._share import Share
from pellucid.audit.finding import Finding, Found
from pellucid.box.protocols import LabelBox, ScoreBox
from pellucid.box.views import LabelView, ScoreView
from pellucid.box.window import Window
from pellucid.ledger import Ledger
from pellucid.shapes import Labels, ScoreAnswer
from pellucid.spec import NO_ANSWER


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """The share of rows on which the model is right, by one question a row.

    Where scores are granted they are asked, and the label is their greatest, so that calibration
    asks nothing more. A row without an answer, or with one that is not finite, is wrong. Where
    the model is not above chance, it is examined for the likely cause, with what is left of the
    budget.
    """

    @property
    def name(self) -> str:
        """Its stage and name."""
        return ACCURACY

    @property
    def access(self) -> type:
        """The least box that it must be shown."""
        return LabelBox

    def refusal(self, ground: Ground, /) -> str | None:
        """The model must be a classifier."""
        return no_classifier(ground)

    def price(self, ground: Ground, /) -> Price:
        """One question a row, and those of an examination should the model know nothing."""
        rows = len(ground.data)
        return Price(least=rows, most=rows + examination(ground))

    def __call__(self, ground: Ground, budget: int, /) -> Found:
        """Ask about every row once.

        Raises:
            OutOfTime: the deadline has passed.
        """
        rows, y = len(ground.data), ground.data.y
        ledger = Ledger(rows, 1)
        window = Window(ground.box, ledger, answers=ground.answers, deadline=ground.deadline)
        labels, scores = _asked(ground, window)
        cost = ledger.cost
        share = Share(name="all", right=int((labels == y).sum()), rows=rows)
        above, cause = above_chance(labels.numpy(), y.numpy(), ground.box.spec.answer.size), None
        if not above:
            cause, more = likely_cause(ground, budget - rows)
            cost += more
        finding = Finding(
            check=self.name,
            system=None,
            severity=ground.limits.accuracy.short(share.interval[0]),
            access="label",
            figures={
                **share.told(),
                "chance": float(y.bincount().max()) / rows,
                "above_chance": above,
                "cause": cause,
                "not_finite": int(ledger.invalid.sum()),
            },
            cost=cost,
            text=f"The model is {share.said()}." + "".join(_remarks(ledger, cause)),
        )
        arrays = {"labels": labels.clamp_min(NO_ANSWER).numpy()}
        if scores is not None:
            arrays["scores"] = scores.numpy(force=True)
        return Found(finding=finding, arrays=arrays)


def _asked(ground: Ground, window: Window) -> tuple[Labels, ScoreAnswer | None]:
    """What the model answers, and its log-probabilities where they are granted."""
    x, answer = ground.data.x, ground.box.spec.answer
    calls = torch.arange(len(x)).split(ground.box.spec.rows_at_once)
    if not isinstance(ground.box, ScoreBox):
        return torch.cat([LabelView(window, rows).labels(x[rows]) for rows in calls]), None
    scores = torch.cat([ScoreView(window, rows).scores(x[rows]) for rows in calls])
    return answer.labels(scores).cpu(), scores


def _remarks(ledger: Ledger, cause: str | None) -> Iterator[str]:
    if silent := int(ledger.invalid.sum()):
        yield f" {silent} rows have no finite answer and count as wrong."
    if cause is not None:
        yield f" That is not above chance: {cause}."
