"""The one driver of metrics of attributions: against budget and seed, some rows at a time."""

from collections.abc import Sequence
from math import inf

from torch import Tensor

from pellucid.answers import Answers
from pellucid.box.protocols import NoBox
from pellucid.errors import UserError
from pellucid.explain._driving import Drive
from pellucid.explain.evaluate.evaluations import Evaluated
from pellucid.explain.evaluate.metric import Attributed, Evaluation, Metric
from pellucid.explain.targets import Target
from pellucid.needs import needs
from pellucid.progress import Listener
from pellucid.shapes import Batch
from pellucid.spec import Image, Spec

PARTS = ("box", "x", "target", "values", "rng")  # what a metric may ask for, by name


def evaluate(
    metric: Metric,
    box: NoBox,
    x: Batch,
    target: Target,
    values: Attributed,
    *,
    budget: int | None = None,
    seed: int = 0,
    ids: Sequence[str] | None = None,
    answers: Answers | None = None,
    batch: int | None = None,
    deadline: float = inf,
    progress: bool | Listener | None = None,
) -> Evaluated:
    """Measure how faithful the attributions of the rows of x are.

    A row with a value that is not finite was not explained: it is left out, and costs nothing.

    Args:
        metric: the measurement; the box it names in its signature is the box it is shown.
        box: the model that was explained.
        x: rows (n, *shape) in the user's units.
        target: what was explained, for n rows; here it reads probabilities (of a model of raw
            values: these), whatever the explainer read.
        values: the attributions (n, *shape); of images also (n, 1, height, width).
        budget: queries a row may make; None for no limit.
        seed: decides, with each row's id, what the row draws.
        ids: names of the rows; by default their content.
        answers: a store of answers; what it holds is not bought again.
        batch: rows worked on at once; results do not depend on it, memory and calls do.
        deadline: on the monotonic clock.
        progress: show a bar (None: when standard error is a terminal), or a function to call.

    Raises:
        UserError: in a sentence, for anything that does not fit together, for a budget below what
            a row costs, and where no row was explained.
        OutOfTime: the deadline has passed.
    """
    name = type(metric).__name__
    drive = Drive(
        method=metric,
        wants=needs(metric, PARTS),
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
    _check_values(values, x, box.spec)
    asks = metric.questions(box.spec)
    if budget is not None and budget < asks:
        raise UserError(
            f"{name} asks {asks} questions a row, but the budget is {budget}: raise it, or set "
            "the metric's fields so that it asks less."
        )
    explained = values.flatten(1).isfinite().all(1).nonzero()[:, 0]
    if not len(explained):
        raise UserError(f"No row has an attribution that {name} could measure: explain one first.")
    found = drive.over(explained, {"values": lambda rows: values[rows]}, _parts)
    return Evaluated(
        score=found.kept["score"],
        random=found.kept["random"],
        gain=found.kept["gain"],
        curve=found.kept.get("curve"),
        random_curve=found.kept.get("random_curve"),
        status=found.status,
        queries=found.queries,
        gradients=found.gradients,
        paid=found.paid,
        calls=found.calls,
        seconds=found.seconds,
    )


def _parts(said: Evaluation) -> dict[str, Tensor | None]:
    """An evaluation by its parts."""
    return {
        "score": said.score,
        "random": said.random,
        "gain": said.gain,
        "curve": said.curve,
        "random_curve": said.random_curve,
    }


def _check_values(values: Attributed, x: Batch, spec: Spec) -> None:
    """UserError unless there is a value for each place of each row."""
    shapes = [tuple(x.shape)]
    if isinstance(spec.dense(), Image):
        shapes.append((len(x), 1, *x.shape[2:]))
    if tuple(values.shape) not in shapes:
        raise UserError(
            f"The attributions are {tuple(values.shape)}, but the rows are {shapes[0]}: give "
            f"{' or '.join(map(str, dict.fromkeys(shapes)))}."
        )
