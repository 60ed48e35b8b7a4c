"""Virtual+: pick what is among the k best so far, and raise the bar by what was picked."""

from dataclasses import dataclass
from math import e

from pellucid.attack.online.selector import Reference
from pellucid.shapes import Counts, Each, Verdicts


@dataclass(frozen=True, kw_only=True)
class VirtualPlus:
    """Pick an item that is larger than the smallest of the reference list, and put it in there.

    The list holds the k largest items of the first, of which none is picked; k is how many may be.

    Source: Mladenovic et al., ICLR 2022, on the rule of this name.
    Needs: a number an item; how many items there will be, in an order that nobody chose.
    Cost: nothing but the numbers.
    Differs: exactly the share of the items is looked at, where the authors' code looks at one more.
    """

    share: float = 1 / e  # of the items, those that are only looked at, rounded down

    def looks(self, items: int, _picks: int, /) -> int:
        """How many of the first items are only looked at."""
        return int(self.share * items)

    def decide(
        self, reference: Reference, value: Each, _picked: Counts, /
    ) -> tuple[Verdicts, Reference]:
        """Whether to pick the item, and the list after it."""
        picks = value > reference.values[:, -1]
        return picks, reference.with_value(value, picks, first=False)
