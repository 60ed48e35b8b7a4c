"""A goal for those who look for an image that fits many captions at once."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.shapes import Each, LabelAnswer, ScoreAnswer, Verdict
from pellucid.spec import Spec, Values

SOFT = 0.02  # in cosines: how near to the least caption others count in the loss

Captions = Int[Tensor, "n k"]  # k outputs of the model for each row


@dataclass(frozen=True, eq=False, repr=False)
class matches(Goal):
    """The model gives each of a row's captions a score above `least`.

    Scores are raw values, such as the cosines of an image with captions: `Captioned` in a box.
    """

    captions: Captions
    least: Each

    @property
    def needs_scores(self) -> bool:
        """A score is not seen in labels."""
        return True

    def met(self, labels: LabelAnswer) -> Verdict:
        """A score is not seen in labels: UserError."""
        raise UserError(f"The goal matches needs scores, not {len(labels)} labels: ask for scores.")

    def margin(self, scores: ScoreAnswer) -> Tensor:
        """The lowest score of a caption less `least`."""
        return self._meant(scores).amin(-1) - self.least.to(scores)

    def loss(self, logits: ScoreAnswer) -> Tensor:
        """A smooth minimum of the scores less `least`: at most the minimum, and near it."""
        smooth = -SOFT * torch.logsumexp(-self._meant(logits) / SOFT, -1)
        return smooth - self.least.to(logits)

    def _meant(self, scores: ScoreAnswer) -> Tensor:
        """The scores of each row's captions (*probes, rows, k)."""
        return scores.gather(-1, self.captions.expand(*scores.shape[:-1], -1))

    def __len__(self) -> int:
        return len(self.captions)

    def __getitem__(self, rows: Tensor) -> "matches":
        return matches(self.captions[rows], self.least[rows])

    def check(self, spec: Spec) -> None:
        """Every caption is one of the model's outputs, and each row has a level."""
        if not isinstance(spec.answer, Values):
            raise UserError(
                f"The goal matches speaks of raw values, but this model answers "
                f"{type(spec.answer).__name__}: open it with emits='values'."
            )
        outside = (self.captions < 0) | (self.captions >= spec.answer.size)
        if not self.captions.numel() or bool(outside.any()):
            raise UserError(
                f"The goal matches takes one caption or more a row, numbered from 0 to "
                f"{spec.answer.size - 1}."
            )
        if len(self.least) != len(self.captions) or not bool(self.least.isfinite().all()):
            raise UserError("The goal matches takes a finite level for each row.")
