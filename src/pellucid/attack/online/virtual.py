"""Virtual: pick what drives one of the first items from the k best so far."""

from dataclasses import dataclass
from math import e

from pellucid.attack.online.selector import Reference
from pellucid.shapes import Counts, Each, Verdicts


@dataclass(frozen=True, kw_only=True)
class Virtual:
    """Keep the k largest items in a list, and pick a new one if it replaces one of the first.

    Source: Babaioff et al., APPROX 2007, section 3.
    Needs: a number an item; how many items there will be, in an order that nobody chose.
    Cost: nothing but the numbers.
    Differs: nothing that is known.
    """

    share: float = 1 / e  # of the items, those that are only looked at, rounded down

    def looks(self, items: int, _picks: int, /) -> int:
        """How many of the first items are only looked at."""
        return int(self.share * items)

    def decide(
        self, reference: Reference, value: Each, _picked: Counts, /
    ) -> tuple[Verdicts, Reference]:
        """Whether to pick the item, and the list after it."""
        larger = value > reference.values[:, -1]
        return larger & reference.first[:, -1], reference.with_value(value, larger, first=False)
