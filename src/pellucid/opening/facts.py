"""What a model eats and emits, as several sources tell it."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import get_args

from pellucid.box.outputs import Emits
from pellucid.box.preprocessing import DType, Layout
from pellucid.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What one source knows of a model; None: it does not say."""

    emits: Emits | None = None  # what the outputs are
    shape: tuple[int, ...] | None = None  # of one input; channels come first
    bounds: tuple[float, float] | None = None  # least and greatest input, in the user's units
    mean: tuple[float, ...] | None = None  # subtracted from an input: one, or one a channel
    std: tuple[float, ...] | None = None  # divides it then: one, or one a channel
    layout: Layout | None = None  # the order of axes that the model wants
    dtype: DType | None = None  # the type of number that the model wants
    labels: tuple[str, ...] | None = None  # names of the classes, in the order of the outputs
    output: str | None = None  # the output that is read, where there are several

    def __post_init__(self) -> None:
        for name, value, hint in (
            ("emit", self.emits, Emits),
            ("want the layout", self.layout, Layout),
            ("want the dtype", self.dtype, DType),
        ):
            if value is not None and value not in get_args(hint):
                raise UserError(
                    f"A model cannot {name} {value!r}: choose one of {', '.join(get_args(hint))}."
                )
        if self.labels is not None and len({*self.labels}) < max(2, len(self.labels)):
            raise UserError(
                f"Labels are the names of two classes or more, each once, not {self.labels}."
            )


@dataclass(frozen=True, kw_only=True)
class Telling:
    """Facts, and who tells them."""

    by: str  # in words that can follow "as told by"
    facts: Facts


def merged(tellings: Iterable[Telling]) -> tuple[Facts, dict[str, str]]:
    """All facts, each from the first source that tells it, and by fact who that was."""
    facts, by = Facts(), dict[str, str]()
    for telling in tellings:
        for field in fields(Facts):
            told = getattr(telling.facts, field.name)
            if told is not None and field.name not in by:
                facts, by = replace(facts, **{field.name: told}), by | {field.name: telling.by}
    return facts, by
