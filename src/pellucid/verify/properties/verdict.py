"""What is known of a property."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Counterexample:
    """An input of the property's region, and the output in its unsafe set that the model gave."""

    x: tuple[float, ...]  # numbered as in the specification; exact in the type the model takes
    y: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The property holds (unsat), or is violated (sat), or neither is known, for a reason.

    `holds` speaks of the function that the network's stored numbers define in exact arithmetic,
    `violated` of the model as it runs.
    """

    answer: Literal["holds", "violated", "unknown"]
    counterexample: Counterexample | None = None  # of a property that is violated
    reason: str = ""  # why it is unknown: a clause

    @property
    def decided(self) -> bool:
        """Whether anything is known."""
        return self.answer != "unknown"
