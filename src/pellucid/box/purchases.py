"""Answers that a question needs: found in a store, or bought, booked and put there."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.answers import Answers, StoreFailed
from pellucid.shapes import Counts


@dataclass(kw_only=True, eq=False)
class Bill:
    """Rows of a question that go to the model in one call."""

    rows: Counts  # their numbers in the question
    request: int  # the last one about them, in the store's books


class Purchases:
    """What a store knows of the rows of one question, and what is bought for it.

    A request is in the books before it is sent. One that is not answered is lost, and each
    attempt is a request of its own.
    """

    def __init__(self, store: Answers, keys: Sequence[bytes]) -> None:
        """Look the rows up by their keys."""
        self._store, self._keys = store, keys
        self._known = store.get(keys)

    def missing(self) -> Counts:
        """The rows that the store does not know, each content once."""
        first: dict[bytes, int] = {}
        for row, key in enumerate(self._keys):
            if key not in self._known:
                first.setdefault(key, row)
        return torch.tensor([*first.values()], dtype=torch.long)

    def reserved(self, rows: Counts) -> Bill:
        """The bill for rows that are about to be sent."""
        return Bill(rows=rows, request=self._store.reserve(len(rows)))

    def keep(self, part: Bill, answer: Tensor, /) -> None:
        """Store what was answered."""
        values = answer.detach().cpu().numpy()
        numbers = part.rows.tolist()
        bought = {self._keys[i]: a.tobytes() for i, a in zip(numbers, values, strict=True)}
        self._store.put(bought, part.request)
        self._known.update(bought)

    def again(self, part: Bill, _rows: int, /) -> None:
        """Book the attempt that failed as lost, and the next as sent."""
        self._store.lose(part.request)
        part.request = self._store.reserve(len(part.rows))

    def drop(self, part: Bill, /) -> None:
        """Book the last attempt as lost."""
        with suppress(StoreFailed):  # then whoever opens the store next books it
            self._store.lose(part.request)

    def answers(self) -> list[bytes]:
        """The answer to each row of the question."""
        return [self._known[key] for key in self._keys]
