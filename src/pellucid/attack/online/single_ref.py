"""Single-Ref: one of the first items is the bar for all others."""

from dataclasses import dataclass

from pellucid.attack.online.selector import Reference
from pellucid.errors import UserError
from pellucid.shapes import Counts, Each, Verdicts

# by how many may be picked, the share of items to look at and the rank of the bar among them: what
# the paper found best where items are many
BEST = {
    1: (0.3678, 1),
    2: (0.2545, 1),
    3: (0.3475, 2),
    4: (0.2928, 2),
    5: (0.2525, 2),
    6: (0.2217, 2),
    7: (0.2800, 3),
    8: (0.2549, 3),
    9: (0.2338, 3),
    10: (0.2159, 3),
    20: (0.1959, 5),
    100: (0.1331, 15),
}


@dataclass(frozen=True, kw_only=True)
class SingleRef:
    """Pick every item that is larger than one of the first, the same one to the end.

    Source: Albers and Ladewig, ISAAC 2019, on the rule of this name.
    Needs: a number an item; how many items there will be, in an order that nobody chose.
    Cost: nothing but the numbers.
    Differs: for other numbers of picks than the table has, share and rank must be given.
    """

    share: float | None = None  # of the items, those that are only looked at; None: by the table
    rank: int | None = None  # of the bar among them, from 1 for the largest; None: by the table

    def looks(self, items: int, picks: int, /) -> int:
        """How many of the first items are only looked at."""
        return int(self._best(picks)[0] * items)

    def decide(
        self, reference: Reference, value: Each, _picked: Counts, /
    ) -> tuple[Verdicts, Reference]:
        """Whether to pick the item; the list stays as it is."""
        ranks = reference.values.shape[1]
        return value > reference.values[:, min(self._best(ranks)[1], ranks) - 1], reference

    def _best(self, picks: int) -> tuple[float, int]:
        if self.share is not None and self.rank is not None:
            return self.share, self.rank
        if picks not in BEST:
            raise UserError(
                f"Single-Ref knows the best bar for {', '.join(map(str, BEST))} picks, not for "
                f"{picks}: give it a share and a rank."
            )
        share, rank = BEST[picks]
        return share if self.share is None else self.share, rank if self.rank is None else self.rank
