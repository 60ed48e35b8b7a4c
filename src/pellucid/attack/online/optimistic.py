"""Optimistic: with each pick, the bar rises to the next of the first items."""

from dataclasses import dataclass
from math import e

from pellucid.attack.online.selector import Reference
from pellucid.shapes import Counts, Each, Verdicts


@dataclass(frozen=True, kw_only=True)
class Optimistic:
    """Pick an item that is larger than the smallest of a list, and strike that one from the list.

    The list holds the k largest items of the first, of which none is picked; k is how many may be.

    Source: Babaioff et al., APPROX 2007, section 3.
    Needs: a number an item; how many items there will be, in an order that nobody chose.
    Cost: nothing but the numbers.
    Differs: one is struck a pick, where the code of Mladenovic et al., ICLR 2022, strikes two.
    """

    share: float = 1 / e  # of the items, those that are only looked at, rounded down

    def looks(self, items: int, _picks: int, /) -> int:
        """How many of the first items are only looked at."""
        return int(self.share * items)

    def decide(
        self, reference: Reference, value: Each, picked: Counts, /
    ) -> tuple[Verdicts, Reference]:
        """Whether to pick the item; the list stays, and each pick has struck one off its end."""
        ranks = reference.values.shape[1]
        bar = (ranks - 1 - picked).clamp_min(0)
        return value > reference.values.gather(1, bar[:, None])[:, 0], reference
