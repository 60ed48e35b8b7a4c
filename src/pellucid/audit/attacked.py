"""A check by attack: how often the model stays right on rows that were moved."""

from pathlib import Path

import torch

from pellucid.answers import Answers
from pellucid.audit.access import named
from pellucid.audit.finding import Cost, Figure, Finding
from pellucid.audit.plan import Check
from pellucid.box.protocols import NoBox
from pellucid.data import Dataset
from pellucid.goals import misled
from pellucid.needs import needs
from pellucid.progress import Listener
from pellucid.runner import run
from pellucid.runs import Run, Status
from pellucid.statistics import clopper_pearson

WRONG = (Status.MET, Status.INVALID)  # rows that cannot be said to stay right


def attacked(
    check: Check,
    box: NoBox,
    data: Dataset,
    *,
    budget: int,
    seed: int,
    answers: Answers | None = None,
    checkpoint: Path | None = None,
    progress: bool | Listener = False,
) -> Finding:
    """Run the attack with so many questions a row, and tell the accuracy in the check's ball."""
    done = run(
        check.method,
        box,
        data.x,
        goal=misled(data.y),
        budget=budget,
        seed=seed,
        answers=answers,
        checkpoint=checkpoint,
        progress=progress,
    )
    figures = _figures(check, done)
    unit = f"{check.ball.norm} distance {check.ball.radius:.3g}"
    return Finding(
        check=check.name,
        system=check.system,
        access=named(needs(check.method).box),
        figures=figures,
        cost=Cost(
            # rows that a stop made run again have bought more than they asked in the end
            queries=int((torch.maximum(done.queries, done.paid) + done.judged).sum()),
            gradients=int(done.gradients.sum()),
            calls=done.calls + done.judge_calls,
        ),
        text=f"Within {unit} the model stays right on {figures['robust']} of {len(done)} rows.",
    )


def _figures(check: Check, done: Run) -> dict[str, Figure]:
    right = torch.tensor([status not in WRONG for status in done.status])
    distance = done.distance(check.ball.norm)
    robust = int((right & (distance > check.ball.limit(done.x))).sum())
    low, high = (float(bound) for bound in clopper_pearson(robust, len(done)))
    broken = right & done.success
    free = check.method.ball.radius is None and bool(broken.any())  # else the radius says it all
    return {
        "norm": check.ball.norm,
        "epsilon": check.ball.radius,
        "rows": len(done),
        "robust": robust,
        "accuracy": robust / len(done),
        "low": low,
        "high": high,
        "attacked": int(right.sum()),
        "succeeded": int(broken.sum()),
        "median_distance": float(distance[broken].median()) if free else None,
        "most_queries": int(done.queries.max()),
    }
