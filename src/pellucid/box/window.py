"""The window through which a method looks at a box: it charges rows, and keeps what was seen."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf, prod
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from pellucid.answers import Answers
from pellucid.box.gradients import count_gradients, own_node, refuse_uncounted
from pellucid.box.passes import counting
from pellucid.box.protocols import ASK, Kind, NoBox, WhiteBox
from pellucid.box.purchases import Bill, Purchases
from pellucid.box.side_by_side import Clerk, Collected, side_by_side
from pellucid.box.torch_box import digest
from pellucid.box.views import fingerprint
from pellucid.errors import UserError
from pellucid.ledger import Ledger, OutOfQueries, OutOfTime
from pellucid.rows import Rows, chunks, flat
from pellucid.shapes import Answer, Counts
from pellucid.spec import INVALID, BadQuestion, Spec

IDLE_LIMIT = 10_000  # questions in a row that bought nothing, after which a loop is endless

# (asked rows, answers, the row of the run of each, how many queries that row had then made)
Watch = Callable[[Rows, Answer, Counts, Counts], None]

P = TypeVar("P")


class Window:
    """Asks a box on behalf of the rows of a run.

    Rows that cannot pay get no answer. Everything answered is shown to `watch` with the row it
    belongs to. With `answers`, what is stored is not bought again.
    """

    def __init__(
        self,
        box: NoBox,
        ledger: Ledger,
        *,
        watch: Watch | None = None,
        answers: Answers | None = None,
        deadline: float = inf,  # on the monotonic clock
    ) -> None:
        """Stand between a method and a box."""
        self.box, self.ledger = box, ledger
        self._watch, self._answers, self._deadline = watch, answers, deadline
        self._fingerprint = None if answers is None else fingerprint(box)
        if answers is not None and self._fingerprint is None:
            raise UserError(
                f"{type(box).__name__} has no fingerprint, so its answers cannot be stored: "
                "run without stored answers."
            )
        self._idle = 0
        self._asking = False

    @property
    def spec(self) -> Spec:
        """The box's."""
        return self.box.spec

    def fingerprint(self) -> str | None:
        """The box's, if it has one."""
        return fingerprint(self.box)

    def network(self) -> nn.Module:
        """The box's module; `guarding` should be in force."""
        assert isinstance(self.box, WhiteBox)
        return self.box.module

    def ask(self, kind: Kind, x: Rows, rows: Tensor | None, /) -> Tensor:
        """Answer x (*probes, rows, *shape) as far as each row can pay."""
        if time.monotonic() > self._deadline:
            raise OutOfTime
        rows = torch.arange(len(self.ledger.closed)) if rows is None else rows
        lead = self.spec.input.lead(x)
        if not lead or lead[-1] != len(rows):
            raise BadQuestion(
                f"A question has axes (*probes, rows) in front, here with {len(rows)} rows, "
                f"but they are {tuple(lead)}: index the box by the rows you ask about."
            )
        refuse_uncounted(x)
        probes, n = prod(lead[:-1]), lead[-1]
        bought, before = self._charge(rows, probes)
        asked, who = flat(x, len(lead) - 1), rows.expand(probes, n).flatten()
        number = (before + torch.arange(1, probes + 1)[:, None]).flatten()
        if bool((bought == probes).all()):
            got = self._answer(kind, asked, who, number)
        else:
            kept = (torch.arange(probes)[:, None] < bought).reshape(-1).nonzero()[:, 0]
            part = self._answer(kind, asked[kept], who[kept], number[kept])
            got = self.spec.no_answer(part, (probes * n,)).index_copy(0, kept, part)
        return got.reshape(*lead, *got.shape[1:])

    def _charge(self, rows: Tensor, probes: int) -> tuple[Counts, Counts]:
        """Book a question; how many of its probes each row can pay, and had asked before."""
        if int(rows.bincount(minlength=1).max()) > 1:
            raise BadQuestion(
                "A row stands twice in one question: put its repeats on a probe axis in front."
            )
        left = self.ledger.left()
        bought, before = left[rows].clamp(0, probes), self.ledger.queries[rows]
        if bool(bought.any()):
            self._idle = 0
            self.ledger.queries.index_add_(0, rows, bought)
            return bought, before
        if not bool(left.clamp_min(0).any()):
            raise OutOfQueries
        self._idle += 1
        if self._idle > IDLE_LIMIT:
            raise RuntimeError(
                f"{IDLE_LIMIT} questions in a row were about rows that could not pay: "
                "the method waits for answers that cannot come."
            )
        return bought, before

    def _answer(self, kind: Kind, asked: Rows, who: Counts, number: Counts) -> Tensor:
        """The answers for rows that can pay, shown to the watch."""
        asked = own_node(asked)
        differentiable = isinstance(asked, Tensor) and asked.requires_grad
        if self._answers is not None and not differentiable:
            got = self._recall(self._answers, kind, asked, who)
        else:
            got = self._buy(kind, asked, who)
        count_gradients(
            asked, got, lambda: self.ledger.gradients.index_add_(0, who, torch.ones_like(who))
        )
        self._see(asked, got.detach(), who, number)
        return got

    def _pay(self, who: Counts) -> None:
        self.ledger.paid.index_add_(0, who, torch.ones_like(who))

    def _buy(self, kind: Kind, asked: Rows, who: Counts) -> Tensor:
        self._pay(who)
        if not len(asked):
            return self._nothing(kind)
        parts = [*chunks(asked, self.spec.rows_per_call)]
        found = Collected[Tensor]()
        self._ask(kind, parts.__getitem__, iter(range(len(parts))), len(parts), found)
        got = found.in_order()
        return got[0] if len(got) == 1 else torch.cat(got)

    def _ask(
        self,
        kind: Kind,
        rows: Callable[[P], Rows],
        parts: Iterator[P],
        of: int,
        clerk: Clerk[P, Tensor],
    ) -> None:
        """A call about the rows of each part, of which there are so many."""

        def counted() -> Iterator[P]:
            for part in parts:
                self.ledger.calls += 1
                yield part

        self._asking = True
        try:
            side_by_side(
                lambda part: ASK[kind](self.box, rows(part)),
                counted(),
                clerk,
                at_once=min(self.spec.calls_at_once, of),
            )
        finally:
            self._asking = False

    def _nothing(self, kind: Kind) -> Tensor:
        """Answers to no rows."""
        empty = torch.empty(0, self.spec.answer.size)
        return self.spec.answer.labels(empty) if kind == "labels" else empty

    def _recall(self, store: Answers, kind: Kind, asked: Rows, who: Counts) -> Tensor:
        """Stored answers where there are any; the others are bought once and stored."""
        keys = store.keys(f"{self._fingerprint}/{kind}/", asked)
        bought = Purchases(store, keys)
        parts = bought.missing().split(self.spec.rows_per_call)

        def reserved() -> Iterator[Bill]:
            for part in parts:
                bill = bought.reserved(part)
                self._pay(who[part])
                yield bill

        if len(parts[0]):
            self._ask(kind, lambda bill: asked[bill.rows], reserved(), len(parts), bought)
        return self._decode(kind, bought.answers())

    def _decode(self, kind: Kind, stored: list[bytes]) -> Tensor:
        """Stored answers as a tensor."""
        empty = self._nothing(kind)
        if not stored:
            return empty
        numbers = max(empty.shape[1:], default=1)
        letter = "i" if kind == "labels" else "f"
        table = np.frombuffer(bytearray(b"".join(stored)), f"{letter}{len(stored[0]) // numbers}")
        return torch.from_numpy(table).reshape(-1, *empty.shape[1:])

    def _see(self, asked: Rows, got: Tensor, who: Counts, number: Counts) -> None:
        """Mark rows with unusable answers, and show the rest to the watch."""
        bad = ~got.isfinite() if got.is_floating_point() else got == INVALID
        if bool(bad.any()):
            self.ledger.invalid[who[bad.reshape(len(who), -1).any(1)]] = True
        if self._watch is not None and len(who):
            self._watch(asked.detach() if isinstance(asked, Tensor) else asked, got, who, number)

    @contextmanager
    def guarding(self, who: str) -> Iterator[None]:
        """While a method is shown the module: charge its passes, and see to the weights after."""
        module = self.network()
        before = digest(module)
        try:
            with counting(module, self.ledger, lambda: self._asking):
                yield
        finally:
            if digest(module) != before:
                raise RuntimeError(
                    f"{who} has changed the model's weights, "
                    "so what it found is about another model."
                )
