"""What boxes of every kind of model share: calls of many rows, padding, counts, and answers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from threading import Lock
from typing import Self

import torch
from torch import Tensor

from pellucid.box.outputs import Emits, as_labels, as_logits
from pellucid.box.preprocessing import Preprocessing
from pellucid.box.side_by_side import Collected, side_by_side
from pellucid.errors import UserError
from pellucid.rows import Rows, chunks, flat
from pellucid.shapes import LabelAnswer, ScoreAnswer
from pellucid.spec import Spec

COUNTING = Lock()  # of all boxes: calls may be under way together


@dataclass(eq=False, kw_only=True)
class ModelBox(ABC):
    """A model that answers labels and scores."""

    spec: Spec
    emits: Emits = "logits"
    preprocessing: Preprocessing = Preprocessing()
    pad: int = 1  # a call's rows are padded to a multiple
    calls: int = 0  # made of the model
    rows: int = 0  # rows sent through, padding apart
    padding: int = 0  # rows sent to fill calls up

    def __getitem__(self, rows: Tensor) -> Self:
        return self

    def labels(self, x: Rows) -> LabelAnswer:
        """What the model decides for x (*probes, rows, *shape): (*probes, rows)."""
        with torch.no_grad():
            return as_labels(self._ask(x), self.emits, self.spec.answer)

    def scores(self, x: Rows) -> ScoreAnswer:
        """Log-probabilities (*probes, rows, outputs)."""
        with torch.no_grad():
            return self.spec.answer.scores(as_logits(self._ask(x), self.emits, self.spec.answer))

    @abstractmethod
    def _answer(self, x: Rows) -> Tensor | object:
        """One call: what the model returns for these rows."""

    def _ask(self, x: Rows) -> Tensor:
        """The model's outputs for x, in calls of at most spec.rows_per_call rows."""
        lead = self.spec.input.lead(x)
        rows = flat(x, len(lead) - 1)
        parts = [*chunks(rows, self.spec.rows_per_call)]
        found = Collected[Tensor]()
        side_by_side(
            lambda i: self._call(parts[i]),
            iter(range(len(parts))),
            found,
            at_once=min(self.spec.calls_at_once, len(parts)),
        )
        outputs = found.in_order()
        out = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
        return out.reshape(*lead, *out.shape[1:])

    def _call(self, x: Rows) -> Tensor:
        """Pad, pass, and take the answer back."""
        n = len(x)
        short = -n % self.pad
        with COUNTING:
            self.calls, self.rows = self.calls + 1, self.rows + n
            self.padding += short
        if short:
            x = x[torch.arange(n + short).clamp_max(n - 1)]
        out = self._answer(x)
        if self._width == 1 and isinstance(out, Tensor) and out.ndim == 1:
            out = out[:, None]
        if not isinstance(out, Tensor) or out.shape != (n + short, self._width):
            got = tuple(out.shape) if isinstance(out, Tensor) else f"a {type(out).__name__}"
            raise UserError(
                f"The model answered {got} where a tensor of shape ({n + short}, {self._width}) "
                "was due: wrap it so that it returns that alone."
            )
        return out[:n]

    @property
    def _width(self) -> int:
        return 1 if self.emits == "label" else self.spec.answer.size
