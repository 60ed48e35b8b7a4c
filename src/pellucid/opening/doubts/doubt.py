"""One thing that looks wrong in how a model is used, and how facts are declared instead."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from shlex import quote
from typing import Literal

from pellucid.opening.facts import Facts

Name = Literal[
    "channels",
    "layout",
    "transposed",
    "inverted",
    "range",
    "normalisation",
    "labels-shifted",
    "labels-permuted",
    "labels-outside",
    "probabilities",
    "logits",
    "saturated",
    "not-finite",
    "nondeterministic",
    "one-class",
    "chance",
]
FEW = 8  # numbers that a sentence lists; a file holds more


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """What was seen, and what to declare or mend."""

    name: Name
    sentence: str
    figures: Mapping[str, int | float]  # the evidence; all finite
    instead: Facts | None = None  # facts to declare instead; None: no fact mends it


def changed(before: Facts, after: Facts) -> Facts:
    """Only those facts that differ, as they are after."""
    pairs = {field.name: getattr(after, field.name) for field in fields(Facts)}
    return Facts(**{name: v for name, v in pairs.items() if v != getattr(before, name)})


def updated(before: Facts, instead: Facts | None) -> Facts:
    """The facts, with those that are to be declared instead."""
    pairs = {field.name: getattr(instead, field.name, None) for field in fields(Facts)}
    return replace(before, **{name: value for name, value in pairs.items() if value is not None})


def options(facts: Facts) -> str:
    """Facts as the command line takes them, or where to write them if they are long."""
    told = {field.name: getattr(facts, field.name) for field in fields(Facts)}
    return " ".join(_option(name, value) for name, value in told.items() if value is not None)


def _option(name: str, value: str | tuple[float, ...] | tuple[str, ...]) -> str:
    if isinstance(value, str):
        return f"--{name} {value}"
    if name != "labels" and len(value) > FEW:
        return f"--{name} with {len(value)} numbers ({_joined(value[:2])}, ...)"
    return f"--{name} {quote(_joined(value))}"


def _joined(value: tuple[float, ...] | tuple[str, ...]) -> str:
    return ",".join(part if isinstance(part, str) else f"{part:.6g}" for part in value)
