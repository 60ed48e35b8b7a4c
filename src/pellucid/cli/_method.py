"""An attack built from what was typed: a slug, fields, a norm and a radius."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from pellucid.errors import UserError
from pellucid.methods import Configuration, with_fields
from pellucid.needs import Attack
from pellucid.systems import Row, find


@runtime_checkable
class Method(Attack, Configuration, Protocol):
    """An attack whose fields can be read and written down."""


def attack_row(slug: str) -> Row:
    """The row of an attack; UserError if the system is something else."""
    row = find(slug)
    if row.kind != "attack":
        raise UserError(
            f"'{slug}' is of the kind {row.kind}, not an attack: `pellucid list --kind attack` "
            "shows the attacks."
        )
    return row


def build(row: Row, assignments: Sequence[str], norm: str | None, epsilon: float | None) -> Method:
    """The method of a row with some fields set, and its ball's norm and radius.

    Raises:
        UserError: in a sentence, for an assignment that is none or does not fit, or a norm whose
            radius nobody gave.
    """
    texts = dict(map(_split, assignments))
    method = with_fields(row.load(), texts)
    own = method.ball
    if norm not in (None, own.norm) and epsilon is None and own.radius is not None:
        raise UserError(
            f"{row.title}'s radius of {own.radius:g} is meant for {own.norm}: give --epsilon for "
            f"{norm}."
        )
    if norm is not None:
        texts["ball.norm"] = norm
    if epsilon is not None:
        texts["ball.radius"] = str(epsilon)
    return with_fields(row.load(), texts)


def _split(assignment: str) -> tuple[str, str]:
    name, equals, value = assignment.partition("=")
    if not (name and equals):
        raise UserError(f"--set takes FIELD=VALUE, such as steps=20, not '{assignment}'.")
    return name, value
