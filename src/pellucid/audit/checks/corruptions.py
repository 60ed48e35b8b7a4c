"""How often the model is right on images that have gone bad without anybody's doing."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import isfinite, prod

import torch

from pellucid.audit.check import Ground, Price
from pellucid.audit.checks._measured import ACCURACY, called, no_classifier
from pellucid.audit.checks._share import Share, worst_of
from pellucid.audit.finding import Figure, Finding, Found
from pellucid.box.protocols import LabelBox
from pellucid.box.views import LabelView
from pellucid.box.window import Window
from pellucid.data.corruptions import CORRUPTIONS, STRENGTHS, Corruption
from pellucid.errors import UserError
from pellucid.ledger import Ledger
from pellucid.progress import Progress, listening
from pellucid.shapes import Batch, Labels, RowNumbers
from pellucid.spec import Image

NUMBERS_AT_ONCE = 2**24  # in images that are changed together: 64 MB of float32


@dataclass(frozen=True, kw_only=True)
class Corruptions:
    """The accuracy under each common corruption at each strength; the worst usual one decides.

    What is stronger than usual is told, and decides only where nothing else was asked.

    One question a row, corruption and strength. With a smaller budget the strengths between the
    least and the greatest go first, then the least, then rows, of which some are taken evenly
    spread. What is done to an image depends on the seed and its content alone.
    """

    strengths: tuple[int, ...] = (1, 3, 5)  # of five
    usual: int = 3  # up to which strength a model should bear them
    fewest: int = 20  # rows, or all if there are fewer: with less a share says nothing

    def __post_init__(self) -> None:
        """Refuse strengths that there are not."""
        rising = all(a < b for a, b in zip(self.strengths, self.strengths[1:], strict=False))
        if not self.strengths or not rising or not {*self.strengths} <= {*range(1, STRENGTHS + 1)}:
            raise UserError(
                f"The strengths of corruptions are some of 1 to {STRENGTHS}, rising, but they are "
                f"{self.strengths}."
            )
        if self.fewest < 1:
            raise UserError(f"A share takes at least one row, but fewest is {self.fewest}.")

    @property
    def name(self) -> str:
        """Its stage and name."""
        return "clean.corruptions"

    @property
    def access(self) -> type:
        """The least box that it must be shown."""
        return LabelBox

    def refusal(self, ground: Ground, /) -> str | None:
        """The model must classify images that have bounds."""
        source = ground.box.spec.input
        if reason := no_classifier(ground):
            return reason
        if not isinstance(source, Image):
            return "its inputs are no images"
        if not (isfinite(source.low) and isfinite(source.high)):
            return "the bounds of its images are not known"
        return None

    def price(self, ground: Ground, /) -> Price:
        """One question a row, corruption and strength."""
        rows, kinds = len(ground.data), len(_taken(ground))
        return Price(least=min(self.fewest, rows) * kinds, most=rows * kinds * len(self.strengths))

    def __call__(self, ground: Ground, budget: int, /) -> Found:
        """Ask about the rows under each corruption.

        Raises:
            OutOfTime: the deadline has passed.
        """
        kinds = _taken(ground)
        strengths, rows = self._afforded(len(ground.data), len(kinds), budget)
        ledger = Ledger(len(rows), len(kinds) * len(strengths))
        window = Window(ground.box, ledger, answers=ground.answers, deadline=ground.deadline)
        trials = [*_trials(ground, window, rows, [*product(kinds, strengths)])]
        usual = [trial.share for trial in trials if trial.strength <= self.usual]
        judged = usual or [trial.share for trial in trials]
        worst, level, _ = worst_of(judged, ground.limits.corrupted_accuracy)
        shown = [trial for trial in trials if trial.strength == strengths[-1]]
        finding = Finding(
            check=self.name,
            system=None,
            severity=level,
            access="label",
            figures={
                "worst_corruption": worst.name,
                **worst.told(),
                "corruptions": [trial.told() for trial in trials],
                "row": 0,
                "true": called(int(ground.data.y[0]), ground.data.class_names),
                "examples": [_clean(ground), *(trial.shown(ground) for trial in shown)],
            },
            cost=ledger.cost,
            text=f"Of {len(judged)} corruptions {worst.name} is the worst: {worst.said()}."
            + "".join(self._left_out(ground, strengths, len(rows))),
        )
        pictures = torch.cat([ground.data.x[:1], *(trial.example for trial in shown)])
        return Found(finding=finding, arrays={"example": pictures.numpy(force=True)})

    def _afforded(self, rows: int, kinds: int, budget: int) -> tuple[tuple[int, ...], RowNumbers]:
        """The strengths and rows that a budget pays for."""
        order = (self.strengths[-1], *self.strengths[:1], *self.strengths[1:-1])
        paid = min(max(1, budget // (rows * kinds)), len(self.strengths))
        taken = min(rows, budget // kinds)
        spread = torch.linspace(0, rows - 1, taken).round().long()
        return tuple(sorted({*order[:paid]})), spread

    def _left_out(self, ground: Ground, strengths: tuple[int, ...], rows: int) -> Iterator[str]:
        """What was not asked, in sentences."""
        if missing := [str(s) for s in self.strengths if s not in strengths]:
            yield f" The budget did not reach to strength {' and '.join(missing)}."
        if rows < len(ground.data):
            yield f" The budget reached {rows} of {len(ground.data)} rows."
        if strange := [kind.name for kind in CORRUPTIONS if kind not in _taken(ground)]:
            channels = ground.data.shape[0]
            yield f" Images of {channels} channels have no {' or '.join(strange)}."


@dataclass(frozen=True, kw_only=True, eq=False)
class _Trial:
    """What the model said of images under one corruption."""

    kind: Corruption
    strength: int
    share: Share
    example: Batch  # the first image, as it was asked about
    said: int  # of it

    def told(self) -> dict[str, Figure]:
        """A line of the table."""
        return {"corruption": self.kind.name, "strength": self.strength, **self.share.told()}

    def shown(self, ground: Ground) -> dict[str, Figure]:
        """What stands below the example."""
        said = called(self.said, ground.data.class_names)
        return {"corruption": self.kind.name, "strength": self.strength, "said": said}


def _trials(
    ground: Ground, window: Window, rows: RowNumbers, parts: list[tuple[Corruption, int]]
) -> Iterator[_Trial]:
    """Ask about the rows under each corruption at its strength, and tell how far that is."""
    with listening(ground.progress) as listener:
        for done, (kind, strength) in enumerate(parts, 1):
            trial = _trial(ground, window, rows, kind, strength)
            yield trial
            if listener is not None:
                note = f"{trial.share.right} of {trial.share.rows} right"
                share = done / len(parts)
                listener(Progress(title=trial.share.name, share=share, note=note))


def _trial(
    ground: Ground, window: Window, rows: RowNumbers, kind: Corruption, strength: int
) -> _Trial:
    """Ask about the rows under one corruption."""
    source = ground.box.spec.input
    assert isinstance(source, Image)
    most = max(1, min(ground.box.spec.rows_at_once, NUMBERS_AT_ONCE // prod(source.shape)))
    said, examples = list[Labels](), list[Batch]()
    for part in torch.arange(len(rows)).split(most):
        x = kind(
            ground.data.x[rows[part]],
            strength,
            low=source.low,
            high=source.high,
            seed=ground.seed,
        )
        said.append(LabelView(window, part).labels(x).cpu())
        examples.append(x[:1])
    labels = torch.cat(said)
    return _Trial(
        kind=kind,
        strength=strength,
        share=Share(
            name=f"{kind.name} at strength {strength}",
            right=int((labels == ground.data.y[rows]).sum()),
            rows=len(rows),
        ),
        example=examples[0],
        said=int(labels[0]),
    )


def _clean(ground: Ground) -> dict[str, Figure]:
    """What stands below the example as it is; clean.accuracy has asked about it, if it was run."""
    done = ground.earlier.get(ACCURACY)
    said = None
    if done is not None:
        said = called(int(done.arrays["labels"][0]), ground.data.class_names)
    return {"corruption": "none", "strength": 0, "said": said}


def _taken(ground: Ground) -> list[Corruption]:
    """The corruptions that images of so many channels take."""
    return [kind for kind in CORRUPTIONS if kind.takes(ground.data.shape[0])]
