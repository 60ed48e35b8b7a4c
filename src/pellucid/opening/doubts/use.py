"""One way to use a model on rows of data, and what it answers when it is used so."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pellucid.box.outputs import as_labels
from pellucid.box.protocols import LabelBox, ScoreBox
from pellucid.errors import UserError
from pellucid.opening.facts import Facts
from pellucid.opening.opened import UNCOUNTED, Opened, preprocessing, source
from pellucid.shapes import Batch, Labels, ScoreAnswer, Verdicts
from pellucid.spec import INVALID


@dataclass(frozen=True, kw_only=True, eq=False)
class Use:
    """A model with its facts, and labelled rows as they are put to it."""

    opened: Opened
    x: Batch
    y: Labels

    def rows(self, rows: slice) -> "Use":
        """The same use of some of the rows."""
        return replace(self, x=self.x[rows], y=self.y[rows])

    def given(self) -> Tensor:
        """What the model is given for the rows."""
        facts = self.opened.facts
        return preprocessing(facts)(self.x, source(facts).shape)

    def with_facts(self, facts: Facts) -> "Use":
        """The same rows put to the model in another way."""
        return replace(self, opened=self.opened.with_facts(facts))


@dataclass(frozen=True, kw_only=True, eq=False)
class Answered:
    """What a model answered in one use."""

    use: Use
    labels: Labels
    raw: ScoreAnswer | None  # (n, outputs) as the model emits them; None: it shows labels alone

    @property
    def right(self) -> Verdicts:
        """On which rows it is right."""
        return self.labels == self.use.y

    @property
    def hits(self) -> int:
        """On how many rows it is right."""
        return int(self.right.sum())

    @property
    def invalid(self) -> int:
        """How many rows have an answer that is not finite."""
        return int((self.labels == INVALID).sum())

    @property
    def classes(self) -> int:
        """How many classes there are: as many as the model tells, or else as were seen."""
        told = self.use.opened.spec().answer.size
        seen = int(torch.cat([self.labels, self.use.y]).max()) + 1
        return max(seen, 2) if told == UNCOUNTED else told

    def joined(self, use: Use, later: "Answered") -> "Answered":
        """These answers and those to the rows that come later, to all rows of a use."""
        raw = None if self.raw is None or later.raw is None else torch.cat([self.raw, later.raw])
        return Answered(use=use, labels=torch.cat([self.labels, later.labels]), raw=raw)

    def read_as(self, facts: Facts) -> "Answered":
        """The same outputs read in another way; nothing is asked again."""
        return self if self.raw is None else _read(self.use.with_facts(facts), self.raw)

    def with_labels(self, y: Labels) -> "Answered":
        """The same answers beside other labels."""
        return replace(self, use=replace(self.use, y=y))


@dataclass(kw_only=True)
class Interview:
    """Asks, and counts the rows that it has asked about."""

    asked: int = 0
    calls: int = 0  # in which they were carried

    def __call__(self, use: Use) -> Answered:
        """What the model answers; its outputs as they are, where it shows them."""
        facts = use.opened.facts
        self.asked += len(use.x)
        self.calls += -(-len(use.x) // use.opened.rows_per_call)
        if facts.emits == "label":
            box = use.opened.box("label")
            assert isinstance(box, LabelBox)
            return Answered(use=use, labels=box.labels(use.x), raw=None)
        box = use.opened.with_facts(replace(facts, emits="values")).box("score")
        assert isinstance(box, ScoreBox)
        return _read(use, box.scores(use.x))

    def attempt(self, use: Use) -> Answered | None:
        """The same, or None if the model cannot be asked so.

        Raises:
            UserError: it could not be asked at all, as when an endpoint is down.
        """
        before = self.asked, self.calls
        try:
            return self(use)
        except Exception as error:  # whatever a stranger's model raises
            if isinstance(error, UserError) and error.exit_code != UserError.exit_code:
                raise
            self.asked, self.calls = before
            return None


def _read(use: Use, raw: ScoreAnswer) -> Answered:
    emits = use.opened.facts.emits or "logits"
    return Answered(use=use, labels=as_labels(raw, emits, use.opened.spec().answer), raw=raw)
