"""The one driver of explainers: against budget and seed, some rows at a time."""

from collections.abc import Sequence
from math import inf

import torch
from torch import Tensor

from pellucid.answers import Answers
from pellucid.box.protocols import NoBox
from pellucid.errors import UserError
from pellucid.explain._driving import Drive
from pellucid.explain.attribution import Attribution, Explainer
from pellucid.explain.explanations import Explained
from pellucid.explain.targets import Target
from pellucid.needs import needs
from pellucid.progress import Listener
from pellucid.shapes import Batch

PARTS = ("box", "x", "target", "rng", "data")  # what an explainer may ask for, by name


def explain(
    method: Explainer,
    box: NoBox,
    x: Batch,
    target: Target,
    *,
    budget: int | None = None,
    seed: int = 0,
    data: tuple[Tensor, Tensor | None] | None = None,
    ids: Sequence[str] | None = None,
    answers: Answers | None = None,
    batch: int | None = None,
    deadline: float = inf,
    progress: bool | Listener | None = None,
) -> Explained:
    """Drive an explainer over the rows of x.

    Args:
        method: an explainer; the box it names in its signature is the box it is shown.
        box: the model; what it grants may be more than the method is shown.
        x: rows (n, *shape) in the user's units.
        target: which number of the model's outputs is explained, for n rows.
        budget: queries a row may make; None for no limit.
        seed: decides, with each row's id, what the row draws.
        data: rows (x, y or None) to compare with, for methods that want them.
        ids: names of the rows; by default their content.
        answers: a store of answers; what it holds is not bought again.
        batch: rows worked on at once; results do not depend on it, memory and calls do.
        deadline: on the monotonic clock.
        progress: show a bar (None: when standard error is a terminal), or a function to call.

    Raises:
        UserError: in a sentence, for anything that does not fit together, and for a budget that
            lets no row be explained.
        OutOfTime: the deadline has passed.
    """
    name, wants = type(method).__name__, needs(method, PARTS)
    drive = Drive(
        method=method,
        wants=wants,
        box=box,
        x=x,
        target=target,
        budget=budget,
        seed=seed,
        ids=ids,
        answers=answers,
        batch=batch,
        deadline=deadline,
        progress=progress,
    )
    if "data" in wants.names and data is None:
        raise UserError(f"{name} needs rows to compare with: pass data=(x, None).")
    found = drive.over(torch.arange(len(x)), {"data": lambda _: data}, _parts)
    if "values" not in found.kept:
        raise UserError(
            f"{name} explains no row with {budget} queries a row: raise the budget, or set the "
            "method's fields so that it asks less."
        )
    return Explained(
        values=found.kept["values"],
        gap=found.kept.get("gap"),
        agreement=found.kept.get("agreement"),
        status=found.status,
        queries=found.queries,
        gradients=found.gradients,
        paid=found.paid,
        calls=found.calls,
        seconds=found.seconds,
    )


def _parts(said: Attribution) -> dict[str, Tensor | None]:
    """An attribution by its parts."""
    return {"values": said.values, "gap": said.gap, "agreement": said.agreement}
