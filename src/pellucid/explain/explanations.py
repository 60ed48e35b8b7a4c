"""What was explained, and what it cost."""

from dataclasses import dataclass

from pellucid.ledger import Cost
from pellucid.runs import Status
from pellucid.shapes import Batch, Counts, Each


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Explained:
    """The outcome of one explainer on n rows; NaN in rows that were not explained."""

    values: Batch  # (n, *what is attributed)
    gap: Each | None  # completeness: the sum of the values less what they should sum to
    agreement: Each | None  # correlation of the two halves of the samples
    status: tuple[Status, ...]  # done, budget spent, or the model's answer was not finite
    queries: Counts  # questions asked
    gradients: Counts  # rows that went backwards
    paid: Counts  # answers bought: fewer than queries when stored answers were at hand
    calls: int  # requests to the model
    seconds: float

    @property
    def cost(self) -> Cost:
        """All that was asked of the model."""
        return Cost(
            queries=int(self.queries.sum()), gradients=int(self.gradients.sum()), calls=self.calls
        )

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        done = sum(status is Status.DONE for status in self.status)
        return (
            f"Explained({done} of {len(self)} rows, values {tuple(self.values.shape)}, "
            f"{int(self.queries.sum())} queries, {int(self.gradients.sum())} gradients, "
            f"{self.calls} calls, {self.seconds:.1f} s)"
        )
