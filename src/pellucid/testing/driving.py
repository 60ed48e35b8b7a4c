"""Ways to set a method going for a contract: by the runner, and step by step by hand."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
import xxhash
from torch import Tensor

from pellucid.box.protocols import NoBox, WhiteBox
from pellucid.box.views import VIEWS, LabelView
from pellucid.box.window import Window
from pellucid.goals import Goal, misled
from pellucid.ledger import Ledger, OutOfQueries
from pellucid.needs import Attack, Needs, needs
from pellucid.rng import Streams, ids_of
from pellucid.runner import run
from pellucid.runs import Run
from pellucid.shapes import Batch
from pellucid.starts import NoiseLadder, Starter
from pellucid.testing import traces
from pellucid.testing.subjects import Subject, subject

BUDGET = 300


@contextmanager
def blaming(method: object, where: str) -> Iterator[None]:
    """Turn whatever a method raises into an AssertionError that says where."""
    try:
        yield
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(
            f"{type(method).__name__} raises {type(error).__name__} {where}: {error}"
        ) from error


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What else a method may ask the runner for."""

    surrogates: tuple[NoBox, ...]
    data: tuple[Tensor, Tensor]


def surroundings(wants: Needs, on: Subject) -> Surroundings:
    """Two other networks of the subject's shape, and rows that the first of them knows."""
    like, shape = on.x.dtype, tuple(on.x.shape[1:])
    other, third = (subject(shape=shape, dtype=like, seed=seed, rows=4) for seed in (1, 2))
    boxes = (other.box, third.box) if wants.surrogates is not None else ()
    return Surroundings(surrogates=boxes, data=(other.x, other.y))


def attacked(
    method: Attack,
    on: Subject,
    *,
    rows: Tensor | None = None,
    goal: Goal | None = None,
    seed: int = 0,
    budget: int | None = BUDGET,
    start: Tensor | Starter = NoiseLadder(),
    where: str = "on a network in whole numbers",
) -> Run:
    """What the runner makes of the method on some rows of a subject (all of them by default)."""
    rows = torch.arange(len(on.x)) if rows is None else rows
    goal = on.goal if goal is None else goal
    with blaming(method, where):
        around = surroundings(needs(method), on)
        on.tally.clear()
        on.box.padding = 0
        return run(
            method,
            on.box,
            on.x[rows],
            goal=goal[rows],
            seed=seed,
            budget=budget,
            start=start[rows] if isinstance(start, Tensor) else start,
            surrogates=around.surrogates,
            data=around.data,
            progress=False,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Drive:
    """A method driven by hand."""

    iterates: list[Batch]
    rng: Streams
    handed: dict[str, Tensor]  # the very tensors that it was handed, as they now are
    before: dict[str, str]  # and as they were


def driven(method: Attack, on: Subject, *, budget: int = BUDGET) -> Drive:
    """All iterates of a method, with the tensors it was handed to look at afterwards."""
    wants, around, start = needs(method), surroundings(needs(method), on), meeting(on)
    x, y = on.x.clone(), on.y.clone()
    data, labels = around.data
    handed = {"x": x, "the goal": y, "start": start, "the data": data, "the data's labels": labels}
    before = {name: traces.of_tensor(tensor) for name, tensor in handed.items()}
    on.tally.clear()
    everyone = torch.arange(len(x))
    ledger = Ledger(len(x), budget)
    window = Window(on.box, ledger)  # nobody watches, so no row is closed: all of it is seen
    rng = Streams(0, ids_of(x), x)
    supplies = {
        "box": VIEWS[wants.box](window, everyone),
        "goal": misled(y),
        "x": x,
        "start": start,
        "rng": rng,
        "surrogates": list(around.surrogates),
        "data": around.data,
        "budget": budget,
    }
    name = type(method).__name__
    guard = window.guarding(name) if wants.box is WhiteBox else nullcontext()
    iterates = []
    with blaming(method, "driven by hand"), guard:
        try:
            for iterate in method(**{part: supplies[part] for part in wants.names}):
                iterates.append(iterate.detach().clone())
                if not bool((ledger.left() > 0).any()):
                    break
        except OutOfQueries:
            pass
    return Drive(iterates=iterates, rng=rng, handed=handed, before=before)


def meeting(on: Subject) -> Batch:
    """For each row of a subject a start that meets its goal, found by noise."""
    box = LabelView(Window(on.box, Ledger(len(on.x))), torch.arange(len(on.x)))
    start, found = NoiseLadder()(box, on.goal, on.x, Streams(0, ids_of(on.x), on.x))
    assert bool(found.all()), "The subject has rows for which noise finds no start."
    return start


def rows_of(method: Attack, found: Run) -> list[str]:
    """Each row of a run in words: what was found, bit for bit, and what it cost.

    The cost is left out where rows share the passes of the network that the method is shown.
    """
    cost = torch.stack([found.queries, found.gradients], 1)
    if needs(method).box is WhiteBox:
        cost = torch.zeros_like(cost)
    facts = zip(found.success.tolist(), cost.tolist(), ids_of(found.adversarial), strict=True)
    return [
        f"success {won}, {queries} queries, {gradients} gradients, bits {bits}"
        for won, (queries, gradients), bits in facts
    ]


def trace(method: Attack) -> str:
    """A digest of all that a method asks and finds on a network in whole numbers."""
    on = subject()
    found = attacked(method, on)
    asked = [name for question in on.tally.asked for name in ids_of(question)]
    return xxhash.xxh3_128_hexdigest("/".join([*rows_of(method, found), *asked]).encode())
