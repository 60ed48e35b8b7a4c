"""How faithful attributions turned out to be, and what it cost to find out."""

from dataclasses import dataclass

from pellucid.explain.evaluate.metric import Curves
from pellucid.ledger import Cost
from pellucid.runs import Status
from pellucid.shapes import Counts, Each


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Evaluated:
    """The outcome of one metric on n rows; NaN in rows that were not measured."""

    score: Each
    random: Each  # the score of random attributions, their mean
    gain: Each  # by how much the score is better than that: above 0 if the values tell something
    curve: Curves | None  # (n, points), where the score is an area
    random_curve: Curves | None  # (n, points), the mean
    status: tuple[Status, ...]  # "not reached": the row has no attribution
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
        return len(self.score)

    def __repr__(self) -> str:
        done = sum(status is Status.DONE for status in self.status)
        return (
            f"Evaluated({done} of {len(self)} rows, mean score {float(self.score.nanmean()):.3g}, "
            f"mean gain {float(self.gain.nanmean()):.3g}, {int(self.queries.sum())} queries, "
            f"{self.calls} calls, {self.seconds:.1f} s)"
        )
