"""The first check: how often the model is right on the rows as they are."""

import torch

from pellucid.answers import Answers
from pellucid.audit.finding import Cost, Finding
from pellucid.box.protocols import NoBox
from pellucid.box.views import LabelView
from pellucid.box.window import Window
from pellucid.data import Dataset
from pellucid.ledger import Ledger
from pellucid.statistics import clopper_pearson


def clean(box: NoBox, data: Dataset, answers: Answers | None = None) -> Finding:
    """Accuracy on the rows, with its exact 95 % interval; an answer that is not finite is wrong."""
    ledger = Ledger(len(data))
    view = LabelView(Window(box, ledger, answers=answers), torch.arange(len(data)))
    right = int((view.labels(data.x) == data.y).sum())
    low, high = (float(bound) for bound in clopper_pearson(right, len(data)))
    return Finding(
        check="clean",
        system=None,
        access="label",
        figures={
            "rows": len(data),
            "right": right,
            "accuracy": right / len(data),
            "low": low,
            "high": high,
            "not_finite": int(ledger.invalid.sum()),
        },
        cost=Cost(queries=int(ledger.queries.sum()), calls=ledger.calls),
        text=f"The model is right on {right} of {len(data)} rows.",
    )
