"""How often the model is right on each class, and which classes it takes for which."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.audit.check import Ground, Price
from pellucid.audit.checks._measured import called, measured, no_classifier
from pellucid.audit.checks._share import Share, worst_of
from pellucid.audit.finding import Figure, Finding, Found
from pellucid.box.protocols import LabelBox
from pellucid.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Classes:
    """The accuracy of each class, by the answers that clean.accuracy has bought.

    The worst class decides. A class with so few rows that it could not pass even without a
    mistake is judged by what its mistakes show for certain, the upper bound.
    """

    pairs: int = 3  # the most frequent mistakes that are told

    def __post_init__(self) -> None:
        """Refuse fewer than none."""
        if self.pairs < 0:
            raise UserError(f"Pairs of classes are 0 or more, but pairs is {self.pairs}.")

    @property
    def name(self) -> str:
        """Its stage and name."""
        return "clean.classes"

    @property
    def access(self) -> type:
        """The least box that it must be shown."""
        return LabelBox

    def refusal(self, ground: Ground, /) -> str | None:
        """The model must be a classifier."""
        return no_classifier(ground)

    def price(self, _ground: Ground, /) -> Price:
        """Nothing is asked."""
        return Price(least=0, most=0)

    def __call__(self, ground: Ground, _budget: int, /) -> Found:
        """Count by class.

        Raises:
            CannotTest: clean.accuracy is not there.
        """
        said, y = measured(ground)["labels"], ground.data.y.numpy()
        names = ground.data.class_names
        shares = [
            Share(
                name=called(c, names),
                right=int(((said == c) & (y == c)).sum()),
                rows=int((y == c).sum()),
            )
            for c in np.unique(y).tolist()
        ]
        worst, level, _ = worst_of(shares, ground.limits.class_accuracy)
        mistakes = [*_mistakes(said, y, names)][: self.pairs]
        finding = Finding(
            check=self.name,
            system=None,
            severity=level,
            access="label",
            figures={
                "worst_class": worst.name,
                **worst.told(),
                "classes": [{"class": share.name, **share.told()} for share in shares],
                "confusions": mistakes,
            },
            text=f"Of {len(shares)} classes '{worst.name}' is the worst: {worst.said()}."
            + _most_often(mistakes),
        )
        return Found(finding=finding)


def _mistakes(
    said: NDArray[np.int64], y: NDArray[np.int64], names: tuple[str, ...]
) -> Iterator[dict[str, Figure]]:
    """Which class is taken for which, the most frequent first; no answer is no other class."""
    wrong = (said != y) & (said >= 0)
    pairs, rows = np.unique(np.stack([y[wrong], said[wrong]]), axis=1, return_counts=True)
    for i in np.argsort(-rows, kind="stable"):
        true, other = pairs[:, i].tolist()
        yield {
            "true": called(true, names),
            "said": called(other, names),
            "rows": int(rows[i]),
            "of": int((y == true).sum()),
        }


def _most_often(mistakes: list[dict[str, Figure]]) -> str:
    if not mistakes:
        return ""
    most = mistakes[0]
    return (
        f" Most often it takes '{most['true']}' for '{most['said']}', on {most['rows']} of "
        f"{most['of']} rows."
    )
