"""How often the model is right on rows that are alike: dark ones, flat ones, those of a group."""

from dataclasses import dataclass

from pellucid.audit.check import Ground, Price
from pellucid.audit.checks._measured import measured, no_classifier
from pellucid.audit.checks._share import Share, worst_of
from pellucid.audit.checks._slices import slices
from pellucid.audit.finding import Finding, Found
from pellucid.box.protocols import LabelBox
from pellucid.errors import UserError

MISSED = 0.05  # how often chance alone may make any of the slices look lower than it is


@dataclass(frozen=True, kw_only=True)
class Slices:
    """The accuracy of slices of the rows, by the answers that clean.accuracy has bought.

    Images are cut into quarters by brightness (the mean of their numbers) and by contrast (their
    standard deviation), tables by each category and by the quarters of each column of numbers.
    Of many slices one is low by chance: each is told with its own 95 % interval, but judged by a
    one-sided bound at 1 - 0.05 / slices (Bonferroni), so that all bounds hold together in 95 % of
    samples. A slice too small to pass even without a mistake is judged by its upper bound.
    """

    fewest: int = 20  # rows; a smaller group is no slice

    def __post_init__(self) -> None:
        """Refuse slices of no rows."""
        if self.fewest < 1:
            raise UserError(f"A slice has at least one row, but fewest is {self.fewest}.")

    @property
    def name(self) -> str:
        """Its stage and name."""
        return "clean.slices"

    @property
    def access(self) -> type:
        """The least box that it must be shown."""
        return LabelBox

    def refusal(self, ground: Ground, /) -> str | None:
        """The model must be a classifier, and the rows must fall into slices."""
        if reason := no_classifier(ground):
            return reason
        if slices(ground.data, ground.box.spec.input, self.fewest):
            return None
        return (
            "the rows are no images or table, or fall into no groups of at least "
            f"{self.fewest} rows"
        )

    def price(self, _ground: Ground, /) -> Price:
        """Nothing is asked."""
        return Price(least=0, most=0)

    def __call__(self, ground: Ground, _budget: int, /) -> Found:
        """Count by slice.

        Raises:
            CannotTest: clean.accuracy is not there.
        """
        right = measured(ground)["labels"] == ground.data.y.numpy()
        shares = [
            Share(name=one.name, right=int(right[one.members].sum()), rows=int(one.members.sum()))
            for one in slices(ground.data, ground.box.spec.input, self.fewest)
        ]
        tail = MISSED / len(shares)
        worst, level, bound = worst_of(shares, ground.limits.slice_accuracy, tail)
        finding = Finding(
            check=self.name,
            system=None,
            severity=level,
            access="label",
            figures={
                "worst_slice": worst.name,
                **worst.told(),
                "corrected": bound,
                "slices": [{"slice": share.name, **share.told()} for share in shares],
            },
            text=(
                f"Of {len(shares)} slices the worst is '{worst.name}': {worst.said()}. Of so many "
                f"one is low by chance; corrected for that, the bound that counts is {bound:.1%}."
            ),
        )
        return Found(finding=finding)
