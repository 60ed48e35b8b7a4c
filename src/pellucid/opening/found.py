"""What a loader gives: a model, and what its own file, folder or server says of it."""

from dataclasses import dataclass

from torch import nn

from pellucid.box.answerer import Answerer
from pellucid.errors import UserError
from pellucid.opening.facts import Facts


class NoModel(UserError):
    """A reference does not lead to a model."""


class Untrusted(UserError):
    """Opening a file would run whatever code stands in it."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A model that a reference named."""

    model: nn.Module | Answerer
    by: str  # who tells the facts below
    facts: Facts = Facts()
    takes: tuple[int | None, ...] | None = None  # one input in the model's own order of axes
    outputs: int | None = None  # numbers that it answers a row
    rows_per_call: int | None = None  # the most that one call can carry, where that is told
    calls_at_once: int = 1  # calls that may be under way together
    paid: bool = False  # whether a question costs more than time
    notes: tuple[str, ...] = ()  # sentences that whoever opens the model should read
