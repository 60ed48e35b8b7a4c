"""Picking: a selector at work on streams, item by item and for good."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.attack.online.selector import Reference, Selector
from pellucid.errors import UserError
from pellucid.shapes import Counts, Each, Verdicts

Values = Float[Tensor, "n items"]  # of the items of n streams, in the order in which they come
Chosen = Bool[Tensor, "n items"]


class Picking:
    """Says of each item as it comes whether to pick it; what was said is not taken back.

    Several streams may run side by side, each by itself. NaN is less than any number.
    """

    def __init__(
        self,
        selector: Selector,
        *,
        items: int,
        picks: int,
        streams: int = 1,
        exhaust: bool = False,
    ) -> None:
        """Before the first item.

        Args:
            selector: The rule.
            items: How many items will come.
            picks: How many of them may be picked.
            streams: How many streams run side by side.
            exhaust: Whether to pick all of the last items when there are no more than may still be
                picked.

        Raises:
            UserError: more picks than items, or none.
        """
        if not 1 <= picks <= items:
            raise UserError(f"Of {items} items one or more can be picked, but not {picks}.")
        self._selector, self._items, self._picks, self._exhaust = selector, items, picks, exhaust
        self._looks = selector.looks(items, picks)
        self._reference = Reference.blank(streams, picks)
        self._seen = 0
        self.picked: Counts = torch.zeros(streams, dtype=torch.long)  # so far, of each stream

    def offer(self, value: float) -> bool:
        """Whether to pick the next item of the one stream."""
        return bool(self.offers(torch.tensor([value], dtype=torch.float64)))

    def offers(self, values: Each) -> Verdicts:
        """Whether to pick the next item of each stream.

        Raises:
            UserError: more items come than were announced.
        """
        if self._seen == self._items:
            raise UserError(
                f"The stream was said to have {self._items} items, and here is one more: say how "
                "many will come."
            )
        values = values.double().nan_to_num(-torch.inf, torch.inf, -torch.inf)
        open_, left = self.picked < self._picks, self._items - self._seen
        self._seen += 1
        if self._seen <= self._looks:
            self._reference = self._reference.with_value(values, open_, first=True)
            wanted = torch.zeros_like(open_)
        else:
            wanted, self._reference = self._selector.decide(self._reference, values, self.picked)
        if self._exhaust:
            wanted = wanted | (left <= self._picks - self.picked)
        picks = wanted & open_
        self.picked = self.picked + picks
        return picks


def pick(selector: Selector, values: Values, picks: int, *, exhaust: bool = False) -> Chosen:
    """Which items of each stream a selector picks that sees them one by one."""
    streams, items = values.shape
    picking = Picking(selector, items=items, picks=picks, streams=streams, exhaust=exhaust)
    return torch.stack([picking.offers(item) for item in values.unbind(1)], 1)
