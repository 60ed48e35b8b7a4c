"""A goal for those who look for what a model is sure of: a class, and how probable it must be."""

from dataclasses import dataclass

from torch import Tensor

from pellucid.errors import UserError
from pellucid.goals import Goal, hit
from pellucid.shapes import Each, LabelAnswer, Labels, ScoreAnswer, Verdict
from pellucid.spec import Spec


@dataclass(frozen=True, eq=False, repr=False)
class sure(Goal):
    """The model gives class t a probability above `least`."""

    t: Labels
    least: Each

    @property
    def needs_scores(self) -> bool:
        """A probability is not seen in labels."""
        return True

    def met(self, labels: LabelAnswer) -> Verdict:
        """A probability is not seen in labels: UserError."""
        raise UserError(f"The goal sure needs scores, not {len(labels)} labels: ask for scores.")

    def margin(self, scores: ScoreAnswer) -> Tensor:
        """The log-probability of t less that of `least`."""
        return self.loss(scores) - self.least.to(scores).log()

    def loss(self, logits: ScoreAnswer) -> Tensor:
        """Less the cross-entropy of t."""
        return hit(self.t).loss(logits)

    def __len__(self) -> int:
        return len(self.t)

    def __getitem__(self, rows: Tensor) -> "sure":
        return sure(self.t[rows], self.least[rows])

    def check(self, spec: Spec) -> None:
        """Every t is one of the model's classes, and every `least` a probability."""
        hit(self.t).check(spec)
        if len(self.least) != len(self.t) or not bool(((self.least > 0) & (self.least < 1)).all()):
            raise UserError("The goal sure takes a probability between 0 and 1 for each row.")
