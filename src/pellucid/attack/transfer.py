"""Transfer: what is made on surrogates, and on which victims it succeeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.box.protocols import LabelBox, NoBox, demand
from pellucid.box.views import VIEWS, Direct, NoView
from pellucid.box.window import Window
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.ledger import Ledger
from pellucid.needs import Attack, Needs, needs
from pellucid.rng import Streams, ids_of
from pellucid.runner import check_rows
from pellucid.shapes import Batch, Verdicts

HANDED = frozenset({"box", "goal", "x", "rng", "surrogates"})
ROWS_AT_ONCE = 128


@dataclass(frozen=True, eq=False, kw_only=True)
class Crafted:
    """Where an attack on surrogates ended, and what it asked of each of them."""

    points: Batch  # (n, *shape)
    queries: Int[Tensor, "surrogates n"]
    gradients: Int[Tensor, "surrogates n"]


@dataclass(frozen=True, eq=False, kw_only=True)
class TransferMatrix:
    """Groups of surrogates by victims: which rows passed from the one to the other."""

    surrogates: tuple[str, ...]  # the name of each group
    victims: tuple[str, ...]
    met: Bool[Tensor, "victims n"]  # rows that met the goal before the attack
    won: Bool[Tensor, "groups victims n"]  # rows that meet it afterwards

    @property
    def rates(self) -> Float[Tensor, "groups victims"]:
        """The share of rows won among those that did not meet the goal before; NaN of none."""
        rows = ~self.met
        return (self.won & rows).sum(-1) / rows.sum(-1)


def craft(
    method: Attack, surrogates: Sequence[NoBox], x: Batch, *, goal: Goal, seed: int = 0
) -> Crafted:
    """Run an attack that asks nothing but surrogates, whatever a victim would say.

    Args:
        method: an attack whose signature names a NoBox and surrogates.
        surrogates: boxes that grant what it asks of surrogates.
        x: rows (n, *shape) in the user's units.
        goal: what the victims are to say, n rows of it.
        seed: decides, with each row's content, what the row draws.

    Raises:
        UserError: the attack asks the victim too, wants what is not handed on, or its surrogates
            do not fit the rows.
    """
    wants = needs(method)
    if wants.box is not NoBox or wants.surrogates is None or not wants.names <= HANDED:
        raise UserError(
            f"{type(method).__name__} is not made on surrogates alone: run it on each victim."
        )
    if not surrogates:
        raise UserError(f"{type(method).__name__} needs surrogates: give it one or more.")
    if len(goal) != len(x):
        raise UserError(f"The goal has {len(goal)} rows, but the input has {len(x)}.")
    for box in surrogates:
        demand(f"{type(method).__name__}'s surrogate", wants.surrogates, box)
        check_rows("The input", x, box)
        goal.check(box.spec)
    parts = [
        _craft(method, wants, surrogates, x[rows], goal[rows], seed)
        for rows in torch.arange(len(x)).split(ROWS_AT_ONCE)
    ]
    return Crafted(
        points=torch.cat([part.points for part in parts]),
        queries=torch.cat([part.queries for part in parts], 1),
        gradients=torch.cat([part.gradients for part in parts], 1),
    )


def _craft(
    method: Attack, wants: Needs, surrogates: Sequence[NoBox], x: Batch, goal: Goal, seed: int
) -> Crafted:
    """The same for rows that share their calls."""
    assert wants.surrogates is not None
    every, ledgers = torch.arange(len(x)), [Ledger(len(x)) for _ in surrogates]
    windows = [Window(box, ledger) for box, ledger in zip(surrogates, ledgers, strict=True)]
    supplies = {
        "box": NoView(Direct(surrogates[0])),
        "goal": goal,
        "x": x,
        "rng": Streams(seed, ids_of(x), x),
        "surrogates": [VIEWS[wants.surrogates](window, every) for window in windows],
    }
    points = x
    for iterate in method(**{name: supplies[name] for name in wants.names}):
        points = iterate
    return Crafted(
        points=points.detach(),
        queries=torch.stack([ledger.queries for ledger in ledgers]),
        gradients=torch.stack([ledger.gradients for ledger in ledgers]),
    )


def transfer_matrix(
    method: Attack,
    surrogates: Mapping[str, Sequence[NoBox]],
    victims: Mapping[str, LabelBox],
    x: Batch,
    *,
    goal: Goal,
    seed: int = 0,
) -> TransferMatrix:
    """Make points on each group of surrogates, and ask every victim about them.

    Cost: of a victim, a query a row and group, and one before; of surrogates what the method asks.

    Args:
        method: an attack whose signature names a NoBox and surrogates.
        surrogates: groups of boxes by name; a group of one is that surrogate alone.
        victims: boxes by name.
        x: rows (n, *shape) in the user's units.
        goal: what the victims are to say, n rows of it; labels must decide it.
        seed: decides, with each row's content, what the row draws.

    Raises:
        UserError: the attack asks the victim too, wants what is not handed on, or rows, surrogates
            and victims do not fit each other.
    """
    if not surrogates or not victims:
        raise UserError("A transfer matrix needs a group of surrogates and a victim, or more.")
    won = []
    for group in surrogates.values():
        points = craft(method, group, x, goal=goal, seed=seed).points
        near = method.ball.distance(points, x) <= method.ball.limit(x)
        won.append(torch.stack([_met(box, points, goal) & near for box in victims.values()]))
    return TransferMatrix(
        surrogates=tuple(surrogates),
        victims=tuple(victims),
        met=torch.stack([_met(box, x, goal) for box in victims.values()]),
        won=torch.stack(won),
    )


def _met(box: LabelBox, z: Batch, goal: Goal) -> Verdicts:
    return goal(box.labels(z)) & box.spec.inside(z)
