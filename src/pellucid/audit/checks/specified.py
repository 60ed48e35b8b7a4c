"""A check by specification: whether a property of a model's inputs and outputs holds."""

import time
from dataclasses import dataclass
from math import inf
from pathlib import Path

import numpy as np

from pellucid.audit.access import named
from pellucid.audit.check import Ground, Price
from pellucid.audit.finding import Finding, Found
from pellucid.audit.severity import Level
from pellucid.box.protocols import ScoreBox, granted
from pellucid.errors import UserError
from pellucid.ledger import OutOfTime
from pellucid.verify.properties.check import Checked, check_property
from pellucid.verify.properties.raw import raw
from pellucid.verify.properties.vnnlib import read

ENDINGS = (".vnnlib", ".vnnlib.gz")
MOST = 50_000  # questions that the search for a counterexample can use
SEVERITY: dict[str, Level] = {"violated": "high", "holds": "none", "unknown": "none"}
SAID = {
    "violated": "The property is violated: the model was asked about a counterexample.",
    "holds": "The property holds for every input that it speaks of.",
}


@dataclass(frozen=True, kw_only=True)
class Specified:
    """Looks for a counterexample, and for a proof that there is none.

    The property speaks of the model's own inputs and outputs: what was said of its use, such as a
    mean, is left aside.
    """

    path: str  # a VNN-LIB file
    seconds: float = 60.0  # for this property

    @property
    def name(self) -> str:
        """By the file's name, such as "property.prop_1"."""
        return f"property.{stem(Path(self.path))}"

    @property
    def access(self) -> type:
        """Outputs; with more access, proofs too."""
        return ScoreBox

    def refusal(self, ground: Ground, /) -> str | None:
        """It speaks of a model that was opened here."""
        if ground.opened is None:
            return "a box that is handed over does not say how inputs are prepared: name the model"
        return None

    def price(self, _ground: Ground, /) -> Price:
        """A counterexample takes one question at least."""
        return Price(least=1, most=MOST)

    def __call__(self, ground: Ground, budget: int, /) -> Found:
        """Decide it, if that can be done in time."""
        left = ground.deadline - time.monotonic()
        if left <= 0:
            raise OutOfTime
        assert ground.opened is not None
        access = named(granted(ground.box))
        done = check_property(
            raw(ground.opened, access),
            read(self.path),
            budget=budget,
            seconds=self.seconds if left == inf else min(self.seconds, left),
            seed=ground.seed,
        )
        return _found(self.name, done)


def _found(name: str, done: Checked) -> Found:
    verdict = done.verdict
    shown = verdict.counterexample
    finding = Finding(
        check=name,
        system=None,
        severity=SEVERITY[verdict.answer],
        access="white" if verdict.answer == "holds" else "score",
        figures={"answer": verdict.answer, "reason": verdict.reason or None},
        cost=done.cost,
        text=SAID.get(verdict.answer, f"Neither is known: {verdict.reason}."),
    )
    arrays = {} if shown is None else {"input": np.array(shown.x), "output": np.array(shown.y)}
    return Found(finding=finding, arrays=arrays)


def stem(path: Path) -> str:
    """A specification's name: its file's without the ending."""
    return next((path.name.removesuffix(e) for e in ENDINGS if path.name.endswith(e)), path.stem)


def specifications(reference: str | Path) -> tuple[Specified, ...]:
    """The specification in a file, or all of those in a folder, by name.

    Every one is read at once, so that a mistake in the last is known before the first is checked.

    Raises:
        UserError: there is none, two have one name, or one cannot be read.
    """
    path = Path(reference)
    files = (
        sorted(p for p in path.iterdir() if p.name.endswith(ENDINGS)) if path.is_dir() else [path]
    )
    if not files:
        raise UserError(f"There is no .vnnlib file in {path}: check the path.")
    names = [stem(file) for file in files]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"Two specifications in {path} are called {name}: rename one of them.")
    for file in files:
        read(file)
    return tuple(Specified(path=str(file)) for file in files)
