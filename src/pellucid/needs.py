"""What a method asks for, read from the signature of its call."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, get_args, get_origin, get_type_hints, runtime_checkable

from pellucid.ball import Ball
from pellucid.box.protocols import LADDER
from pellucid.shapes import Batch

# what the runner of attacks supplies; drivers of other kinds name their own, the box first
SUPPLIED = ("box", "goal", "x", "rng", "start", "surrogates", "data", "budget")


@runtime_checkable
class Attack(Protocol):
    """A method the runner can drive: it has a ball, and yields iterates when called."""

    @property
    def ball(self) -> Ball:
        """Where success counts."""
        ...

    # what stands in its signature is what it is handed: names in SUPPLIED, boxes by type
    __call__: Callable[..., Iterator[Batch]]


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The boxes and parts that a method wants."""

    box: type
    surrogates: type | None
    names: frozenset[str]  # of the parameters of its call


def needs(method: object, supplied: Sequence[str] = SUPPLIED) -> Needs:
    """Read the signature of a method; TypeError if it asks for something nobody supplies."""
    call = type(method).__call__
    names = [name for name in inspect.signature(call).parameters if name != "self"]
    strange = [name for name in names if name not in supplied]
    if strange or "box" not in names:
        raise TypeError(
            f"{type(method).__name__} must take a box and otherwise parts named "
            f"{', '.join(supplied[1:])}; it takes {', '.join(names)}."
        )
    hints = get_type_hints(call)
    surrogates = None
    if "surrogates" in names:
        if get_origin(hints.get("surrogates")) is not Sequence:
            raise TypeError("surrogates must be annotated as a Sequence of one kind of box.")
        surrogates = get_args(hints["surrogates"])[0]
    box = hints.get("box")
    if box not in LADDER or surrogates not in (None, *LADDER):
        known = ", ".join(protocol.__name__ for protocol in LADDER)
        raise TypeError(f"{type(method).__name__}'s boxes must be annotated as one of {known}.")
    return Needs(box=box, surrogates=surrogates, names=frozenset(names))
