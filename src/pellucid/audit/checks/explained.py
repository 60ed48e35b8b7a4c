"""A check by explanation: whether what a method calls important is what the model goes by."""

from dataclasses import dataclass, field
from math import isfinite

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid import systems
from pellucid.audit.access import named
from pellucid.audit.check import CannotTest, Ground, Price
from pellucid.audit.checks._measured import measured, no_classifier
from pellucid.audit.checks._rehearsal import questions
from pellucid.audit.finding import Figure, Finding, Found
from pellucid.box.protocols import LADDER, ScoreBox
from pellucid.errors import UserError
from pellucid.explain import Explained as Explanations
from pellucid.explain import Explainer, explain, label
from pellucid.explain.evaluate import Deletion, Evaluated, Insertion, evaluate
from pellucid.explain.explaining import PARTS
from pellucid.methods import from_plain
from pellucid.needs import needs
from pellucid.shapes import Batch, Labels, RowNumbers
from pellucid.spec import Dense
from pellucid.statistics import Interval, mean_bounds

CONFIDENCE = 0.975  # of each bound: 95 % between the two
FEWEST = 2  # rows: of one there is no interval


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Explains rows that the model has right, and measures how faithful that is.

    Places are taken away and put back in the order of the attributions, and in a random one. The
    finding is judged by the lower bound of the mean of both gains (Student's t over the rows):
    where it is not above 0, what the method says of this model may as well be chance.
    """

    system: str  # slug of an explainer
    rows: int = 32  # at most, the first that are right; of 8 even good methods look like chance
    steps: int = 20  # of deletion and of insertion
    settings: dict[str, object] = field(default_factory=dict)  # fields of the method

    def __post_init__(self) -> None:
        """Refuse what can be seen to be wrong before a model is there."""
        row = systems.find(self.system)
        if row.kind != "explainer":
            raise UserError(
                f"A plan explains by explainers, but {self.system} is of kind {row.kind}."
            )
        if self.rows < FEWEST:
            raise UserError(f"{self.name} takes {FEWEST} rows or more, but rows is {self.rows}.")
        _ = self.method, self._metrics

    @property
    def name(self) -> str:
        """Such as "explain.occlusion"."""
        return f"explain.{self.system}"

    @property
    def access(self) -> type:
        """What the method's signature names, or scores, which measuring takes."""
        return max(needs(self.method, PARTS).box, ScoreBox, key=LADDER.index)

    @property
    def method(self) -> Explainer:
        """The explainer."""
        return from_plain(systems.find(self.system).load(), self.settings)

    def refusal(self, ground: Ground, /) -> str | None:
        """It explains one class of images and vectors."""
        if not isinstance(ground.box.spec.input, Dense):
            return "explainers here take images and vectors"
        return no_classifier(ground)

    def price(self, ground: Ground, /) -> Price:
        """So many questions a row, as far as that can be told without the model."""
        rows, each = max(FEWEST, min(self.rows, len(ground.data))), self._each(ground)
        asked = questions(self.method, ground.box.spec, ground.data.x[:1])
        return Price(
            least=FEWEST * (each + (asked or 1)),
            most=None if asked is None else rows * (each + asked),
        )

    def __call__(self, ground: Ground, budget: int, /) -> Found:
        """Explain, and measure, as many rows as the budget allows.

        Raises:
            CannotTest: no row is right, or the method explains no such model.
            OutOfTime: the deadline has passed.
        """
        each = self._each(ground)
        asked = questions(self.method, ground.box.spec, ground.data.x[:1]) or 1
        right = np.flatnonzero(measured(ground)["labels"] == ground.data.y.numpy())
        rows = torch.from_numpy(right[: min(self.rows, budget // (each + asked))])
        if len(rows) < FEWEST:
            raise CannotTest(f"the model is right on {len(rows)} rows, and of one nothing follows")
        x, y = ground.data.x[rows], ground.data.y[rows]
        try:
            said = self._explained(ground, x, y, budget // len(rows) - each)
            scored = [self._evaluated(ground, x, y, said.values, i) for i in (0, 1)]
        except UserError as error:
            if error.exit_code != UserError.exit_code:
                raise  # the model or the store failed; the question was good
            raise CannotTest(f"it is refused: {str(error).rstrip('.')}") from error
        return self._found(rows, said, *scored)

    @property
    def _metrics(self) -> tuple[Deletion, Insertion]:
        return Deletion(steps=self.steps), Insertion(steps=self.steps)

    def _each(self, ground: Ground) -> int:
        """What measuring asks about a row."""
        return sum(metric.questions(ground.box.spec) for metric in self._metrics)

    def _explained(self, ground: Ground, x: Batch, y: Labels, budget: int) -> Explanations:
        return explain(
            self.method,
            ground.box,
            x,
            label(y),
            budget=budget,
            seed=ground.seed,
            data=(ground.data.x, None),
            answers=ground.answers,
            deadline=ground.deadline,
            progress=ground.part(self.name, 0, 3),
        )

    def _evaluated(self, ground: Ground, x: Batch, y: Labels, values: Tensor, i: int) -> Evaluated:
        return evaluate(
            self._metrics[i],
            ground.box,
            x,
            label(y),
            values,
            seed=ground.seed,
            answers=ground.answers,
            deadline=ground.deadline,
            progress=ground.part(self.name, 1 + i, 3),
        )

    def _found(
        self, rows: RowNumbers, said: Explanations, deletion: Evaluated, insertion: Evaluated
    ) -> Found:
        good = (deletion.gain + insertion.gain).isfinite()
        if int(good.sum()) < FEWEST:
            raise CannotTest(f"fewer than {FEWEST} rows could be explained within its budget")
        gains = {
            "gain": _bounds((deletion.gain + insertion.gain)[good] / 2),
            "deletion_gain": _bounds(deletion.gain[good]),
            "insertion_gain": _bounds(insertion.gain[good]),
        }
        faithful = gains["gain"].low > 0
        finding = Finding(
            check=self.name,
            system=self.system,
            severity="none" if faithful else "low",
            access=named(self.access),
            figures={
                "rows": int(good.sum()),
                **{
                    key: figure for name, gain in gains.items() for key, figure in _told(name, gain)
                },
                "agreement": _mean(said.agreement, good),
                "gap": _mean(None if said.gap is None else said.gap.abs(), good),
            },
            cost=said.cost + deletion.cost + insertion.cost,
            text=self._text(gains, int(good.sum()), faithful),
        )
        return Found(finding=finding, arrays=_arrays(rows, said, deletion, insertion, good))

    def _text(self, gains: dict[str, Interval], rows: int, faithful: bool) -> str:
        title, gain = systems.find(self.system).title, gains["gain"]
        verdict = (
            "what it calls important is what the model goes by"
            if faithful
            else "that is not shown to be better than chance, so do not rely on it for this model"
        )
        return (
            f"{title} orders the places of {rows} rows better than a random order does by "
            f"{gain.estimate:.3g} of the class's probability, on average over deletion and "
            f"insertion (at least {gain.low:.3g}, at most {gain.high:.3g}): {verdict}."
        )


def _bounds(gain: Tensor) -> Interval:
    return mean_bounds(gain.double().numpy(force=True), CONFIDENCE)


def _told(name: str, gain: Interval) -> list[tuple[str, Figure]]:
    """A gain and its bounds as figures."""
    told = {name: gain.estimate, f"{name}_low": gain.low, f"{name}_high": gain.high}
    return [(key, value if isfinite(value) else None) for key, value in told.items()]


def _mean(numbers: Tensor | None, good: Tensor) -> float | None:
    return None if numbers is None else float(numbers[good].double().mean())


def _arrays(
    rows: RowNumbers, said: Explanations, deletion: Evaluated, insertion: Evaluated, good: Tensor
) -> dict[str, NDArray]:
    """The attributions and the curves of the rows that were measured."""
    kept: dict[str, Tensor | None] = {
        "rows": rows,
        "values": said.values,
        "deletion": deletion.curve,
        "deletion_random": deletion.random_curve,
        "insertion": insertion.curve,
        "insertion_random": insertion.random_curve,
    }
    return {name: part[good].numpy(force=True) for name, part in kept.items() if part is not None}
