"""A claim: a paper's headline as relations, and the experiment that measures them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from numpy.typing import NDArray

from pellucid.claims.relation import BadClaim, Hypothesis

Values = float | int | Sequence[float] | Sequence[int] | Sequence[bool] | NDArray
Digests = dict[str, str]  # what was digested: its digest


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What one seed gave for one relation: a number a side, or the same items a side.

    Item i must be the same item in every seed.
    """

    ours: Values
    theirs: Values | None = None  # None where the hypothesis names a constant


Measurement = Mapping[str, Pair]  # by hypothesis; a quick run may leave some out


@runtime_checkable
class Subject(Protocol):
    """A recipe of a trained network, known by the hash of all that its making depends on."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def seed(self) -> int:
        """Which of its kind it is."""
        ...

    def hash(self) -> str:
        """The digest."""
        ...


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A headline to reproduce.

    The file that holds it imports the method and its rivals, which is how the harness knows whose
    sources a result depends on; `measure` is a plain function of that file.
    """

    slug: str  # of the system in the table
    title: str
    seeds: int  # how many the card asks for; they count up from 0
    hypotheses: tuple[Hypothesis, ...]
    measure: Callable[[int, bool], Measurement]  # (seed, quick); quick: within three minutes
    data: tuple[str, ...] = ()  # names of the data sets that it reads
    subjects: tuple[Subject, ...] = ()  # recipes of the networks that it trains or loads

    def __post_init__(self) -> None:
        """Refuse a claim that nothing could decide."""
        names = Counter(hypothesis.name for hypothesis in self.hypotheses)
        twice = [name for name, count in names.items() if count > 1]
        if twice:
            raise BadClaim(f"Claim '{self.slug}' has two relations '{twice[0]}': rename one.")
        if not any(hypothesis.required for hypothesis in self.hypotheses):
            raise BadClaim(f"Claim '{self.slug}' requires no relation: mark one as required.")
        if self.seeds < 2:
            raise BadClaim(f"Claim '{self.slug}' needs two seeds or more, not {self.seeds}.")
