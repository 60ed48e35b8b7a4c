"""The one driver of attacks: against budget, clock and seed, keeping the best row by row."""

import json
import time
from collections.abc import Sequence
from math import inf, prod
from pathlib import Path

import torch
import xxhash
from torch import Tensor

from pellucid.answers import Answers
from pellucid.ball import NORMS, Ball
from pellucid.box.protocols import LabelBox, NoBox, ScoreBox, demand
from pellucid.box.views import fingerprint
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.needs import Attack, Needs, needs
from pellucid.progress import Listener, Progress, listening
from pellucid.rng import Streams, ids_of
from pellucid.runs import Interrupted, Run, Status
from pellucid.shapes import Batch, Counts
from pellucid.starts import NoiseLadder, Starter
from pellucid.trip import Trip

NUMBERS_AT_ONCE = 2**27  # in 100 probes for each row of a batch: half a gigabyte of float32
ROWS_AT_ONCE = 128
SLACK = 1e-6  # by which a radius may be wider than the whole range: rounding
NOISE = NoiseLadder()


def run(
    method: Attack,
    box: NoBox,
    x: Batch,
    *,
    goal: Goal,
    budget: int | None = 1000,
    seed: int = 0,
    start: Tensor | Starter = NOISE,
    surrogates: Sequence[NoBox] = (),
    data: tuple[Tensor, Tensor | None] | None = None,
    ids: Sequence[str] | None = None,
    answers: Answers | None = None,
    checkpoint: Path | None = None,
    seconds: float | None = None,
    batch: int | None = None,
    progress: bool | Listener | None = None,
) -> Run:
    """Drive a method over the rows of x, and keep the best of what it asked for each.

    Args:
        method: an attack; the box it names in its signature is the box it is shown.
        box: the model; what it grants may be more than the method is shown.
        x: rows (n, *shape) in the user's units.
        goal: what counts as success, n rows of it.
        budget: queries a row may make; None for no limit.
        seed: decides, with each row's id, what the row draws.
        start: for methods that want one, an input a row that meets the goal, or a way to find it.
        surrogates: models of the attacker's own, for methods that want them.
        data: rows (x, y or None) of the attacker's own, for methods that want them.
        ids: names of the rows; by default their content.
        answers: a store of answers; what it holds is not bought again.
        checkpoint: a file that keeps the run; an interrupted one goes on from it.
        seconds: stop after so long; such a run is not reproducible.
        batch: rows worked on at once; results do not depend on it, memory and calls do.
        progress: show a bar (None: when standard error is a terminal), or a function to call.

    Raises:
        UserError: in a sentence, for anything that does not fit together.
        Interrupted: on Ctrl-C; its `run` holds what was found.
    """
    wants = needs(method)
    _check(method, wants, box, x, goal, budget)
    _check_parts(method, wants, box, x, goal, surrogates, start)
    names = _names(x, ids)
    settings = {
        "method": repr(method),
        "model": fingerprint(box),
        "goal": goal.digest(),
        "rows": _digest(names + ids_of(x)),
        "seed": seed,
        "budget": budget,
        "start": _digest(ids_of(start)) if isinstance(start, Tensor) else repr(start),
        "surrogates": [fingerprint(surrogate) for surrogate in surrogates],
        "data": _digest([i for part in data or () if part is not None for i in ids_of(part)]),
    }
    whole = _begin(checkpoint, settings, x, len(surrogates))
    deadline = inf if seconds is None else time.monotonic() + seconds
    size = batch or min(ROWS_AT_ONCE, max(1, NUMBERS_AT_ONCE // (100 * x[0].numel())))

    def depart(rows: Counts) -> Trip:
        streams = Streams(seed, [names[row] for row in rows.tolist()], x)
        return Trip(
            method,
            wants,
            box,
            x[rows],
            goal[rows],
            streams,
            budget=budget,
            surrogates=surrogates,
            start=start[rows] if isinstance(start, Tensor) else start,
            data=data,
            answers=answers,
            deadline=deadline,
        )

    try:
        with listening(progress) as listener:
            # fixed boundaries: who shares a batch does not depend on what was finished before
            for part in torch.arange(len(x)).split(size):
                rows = part[~whole.finished[part]]
                if time.monotonic() > deadline:
                    whole = whole.stopped(Status.CLOCK)
                    break
                if len(rows):
                    whole = _travel(depart(rows), rows, whole, checkpoint, listener)
            if listener:
                found = f"{int(whole.success.sum())} of {len(whole)} found"
                listener(Progress(title=type(method).__name__, share=1.0, note=found))
    except Interrupted:
        raise
    except KeyboardInterrupt:
        raise Interrupted(whole) from None
    return whole


def _travel(
    trip: Trip,
    rows: Counts,
    whole: Run,
    checkpoint: Path | None,
    listener: Listener | None,
) -> Run:
    """The run after a batch has come to its end; what it found is kept however it ends."""

    def keep() -> Run:
        kept = whole.with_rows(rows, trip.outcome(whole.settings))
        if checkpoint is not None:
            kept.save(checkpoint)
        return kept

    try:
        for _ in trip.steps():
            if listener:
                listener(_progress(trip, whole))
    except KeyboardInterrupt:
        raise Interrupted(keep()) from None
    except Exception:
        keep()
        raise
    return keep()


def _progress(trip: Trip, whole: Run) -> Progress:
    """Where the run stands, of finished batches and the one on its way."""
    ledger, best, ball = trip.ledger, trip.best, trip.method.ball
    spent = (ledger.queries / max(ledger.budget, 1)).clamp(max=1).masked_fill(ledger.closed, 1)
    share = (float(spent.sum()) + int(whole.finished.sum())) / len(whole)
    found = int(best.success.sum()) + int(whole.success.sum())
    note = f"{found} of {len(whole)} found, {int(ledger.queries.max())} queries a row"
    if ball.radius is None and bool(best.success.any()):
        note += f", median {ball.norm} {float(best.distance[best.success].median()):.3g}"
    return Progress(title=type(trip.method).__name__, share=share, note=note)


def _names(x: Batch, ids: Sequence[str] | None) -> list[str]:
    """What the rows are called."""
    names = ids_of(x) if ids is None else list(ids)
    if len(names) != len(x):
        raise UserError(f"There are {len(names)} ids for {len(x)} rows: give one a row.")
    return names


def _digest(names: list[str]) -> str:
    return xxhash.xxh3_128_hexdigest("/".join(names).encode())


def _begin(checkpoint: Path | None, settings: dict[str, object], x: Batch, surrogates: int) -> Run:
    """A run of which nothing is done yet, or the one that a checkpoint holds."""
    if checkpoint is None or not checkpoint.exists():
        return Run.blank(json.dumps(settings), x, surrogates)
    kept = Run.load(checkpoint)
    old = json.loads(kept.settings)
    changed = [name for name in settings if old.get(name) != settings[name]]
    if changed:
        raise UserError(
            f"{checkpoint} holds a run with another {', '.join(changed)}: "
            "give another path, or remove the file."
        )
    return kept


def _check(
    method: Attack, wants: Needs, box: NoBox, x: Batch, goal: Goal, budget: int | None
) -> None:
    """What could be wrong with the question itself, each in a sentence, before it is paid."""
    if not isinstance(goal, Goal):
        raise UserError(f"A goal is made of labels, as in misled(y), not a {type(goal).__name__}.")
    demand(type(method).__name__, wants.box, box)
    demand(f"A {type(goal).__name__} goal", ScoreBox if goal.needs_scores else LabelBox, box)
    if budget is not None and budget < 0:
        raise UserError(f"A budget is a number of queries, 0 or more, but it is {budget}.")
    check_rows("The input", x, box)
    _check_ball(method.ball, box)
    if len(goal) != len(x):
        raise UserError(f"The goal has {len(goal)} rows, but the input has {len(x)}.")
    goal.check(box.spec)


def _check_ball(ball: Ball, box: NoBox) -> None:
    """UserError if the ball is so large that it holds every input: its unit is another then."""
    dense = box.spec.dense()
    widest = (dense.high - dense.low) * prod(dense.shape) ** NORMS[ball.norm].growth
    if ball.radius is not None and ball.radius > widest * (1 + SLACK):
        raise UserError(
            f"A radius of {ball.radius:g} in {ball.norm} holds every input between {dense.low:g} "
            f"and {dense.high:g}: give it in the data's own units, as in 8/255 for bytes that were "
            "brought to 0 to 1."
        )


def _check_parts(
    method: Attack,
    wants: Needs,
    box: NoBox,
    x: Batch,
    goal: Goal,
    surrogates: Sequence[NoBox],
    start: Tensor | Starter,
) -> None:
    """What could be wrong with what the attacker brings along."""
    name = type(method).__name__
    if wants.surrogates is not None:
        for number, surrogate in enumerate(surrogates, 1):
            demand(f"{name}'s surrogate", wants.surrogates, surrogate)
            _check_surrogate(f"Surrogate {number}", surrogate, box, goal)
        if not surrogates:
            raise UserError(f"{name} needs surrogates: pass surrogates=[box, ...].")
    if isinstance(start, Tensor):
        check_rows("The start", start, box)
        if start.shape != x.shape:
            raise UserError(f"There are {len(start)} starts for {len(x)} rows: give one a row.")


def _check_surrogate(what: str, surrogate: NoBox, box: NoBox, goal: Goal) -> None:
    """UserError unless the surrogate takes the model's inputs, and can be held to the goal."""
    takes, due = surrogate.spec.dense().shape, box.spec.dense().shape
    if takes != due:
        raise UserError(
            f"{what} takes inputs of shape {takes}, but the model takes {due}: choose one that "
            "takes the same, or put a layer that resizes in front of it."
        )
    try:
        goal.check(surrogate.spec)
    except UserError as error:
        raise UserError(f"{what} cannot stand in for the model. {error}") from error


def check_rows(what: str, x: Tensor, box: NoBox) -> None:
    """UserError unless x (n, *shape) can be asked about: some rows, all finite and in bounds."""
    spec = box.spec
    spec.dense()
    if len(spec.input.lead(x)) != 1 or not len(x):
        raise UserError(f"{what} must have one axis of rows, and at least one row.")
    if not x.is_floating_point():
        raise UserError(f"{what} holds {x.dtype}: convert it to float32.")
    for problem, bad in (
        ("a value that is not finite", ~x.isfinite().flatten(1).all(1)),
        (f"a value outside the bounds of {spec.input}", ~spec.inside(x)),
    ):
        if bool(bad.any()):
            raise UserError(
                f"{what} has {problem} in row {int(bad.nonzero()[0])}: mend the data, "
                "or open the model with other bounds."
            )
