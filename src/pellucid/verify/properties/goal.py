"""The goal of falsifying: outputs that lie in an unsafe set."""

from dataclasses import dataclass

import xxhash
from torch import Tensor

from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.shapes import LabelAnswer, Labels, ScoreAnswer, Verdict
from pellucid.spec import Spec, Values
from pellucid.verify.properties.unsafe import UnsafeSet


@dataclass(frozen=True, eq=False, repr=False)
class violates(Goal):
    """The outputs lie inside an unsafe set, in whichever of its polytopes.

    `aims` says towards which polytope each row climbs, so that restarts can share them out. The
    border of the set belongs to it, but meets no goal: a tie made by rounding is no success.
    """

    unsafe: UnsafeSet
    aims: Labels

    @property
    def needs_scores(self) -> bool:
        """Outputs are not seen in labels."""
        return True

    def met(self, labels: LabelAnswer) -> Verdict:
        """Outputs are not seen in labels: UserError."""
        raise UserError(f"violates needs values, not {len(labels)} labels: ask for scores.")

    def margin(self, scores: ScoreAnswer) -> Tensor:
        """How deep inside the set the outputs lie."""
        return self.unsafe.margin(scores)

    def loss(self, logits: ScoreAnswer) -> Tensor:
        """Less by how much the constraints of the polytope aimed at are broken, all together."""
        slacks = self.unsafe.slacks(logits)
        index = self.aims.expand(slacks.shape[:-2])[..., None, None]
        aimed = slacks.take_along_dim(index, -2)[..., 0, :]
        return aimed.clamp_max(0).sum(-1)

    def digest(self) -> str:
        """A hash of the set and of the rows' aims."""
        return xxhash.xxh3_128_hexdigest(f"{self.unsafe}{self.aims.tolist()}".encode())

    def __len__(self) -> int:
        return len(self.aims)

    def __getitem__(self, rows: Tensor) -> "violates":
        return violates(self.unsafe, self.aims[rows])

    def check(self, spec: Spec) -> None:
        """The model answers as many values as the set speaks of, and every polytope exists."""
        if not isinstance(spec.answer, Values) or spec.answer.size != self.unsafe.outputs:
            raise UserError(
                f"The goal violates speaks of {self.unsafe.outputs} raw values, but this model "
                f"answers {spec.answer}: open it with emits='values'."
            )
        polytopes = len(self.unsafe.polytopes)
        if self.aims.ndim != 1 or bool(((self.aims < 0) | (self.aims >= polytopes)).any()):
            raise UserError(f"The goal violates aims at polytopes from 0 to {polytopes - 1}.")
