"""An instance of the verification problem: a model, a property, and what deciding it costs."""

import time
from dataclasses import dataclass
from math import inf, prod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.box.protocols import Kind, granted
from pellucid.box.views import VIEWS, NoView, fingerprint
from pellucid.box.window import Window
from pellucid.ledger import Cost, Ledger
from pellucid.rows import Rows
from pellucid.spec import Spec
from pellucid.verify.properties.property import Property
from pellucid.verify.properties.raw import Raw
from pellucid.verify.properties.verdict import Counterexample


@dataclass(frozen=True, kw_only=True, eq=False)
class Pooled:
    """Puts every question to one account, whatever rows it is about."""

    window: Window

    @property
    def spec(self) -> Spec:
        """The box's."""
        return self.window.spec

    def network(self) -> nn.Module:
        """The box's module."""
        return self.window.network()

    def fingerprint(self) -> str | None:
        """The box's, if it has one."""
        return fingerprint(self.window.box)

    def ask(self, kind: Kind, x: Rows, _rows: Tensor | None, /) -> Tensor:
        """Ask about points (*probes, rows, *shape); those that cannot be paid get no answer."""
        assert isinstance(x, Tensor)
        lead = self.spec.input.lead(x)
        one = x.reshape(prod(lead), 1, *self.spec.dense().shape)
        got = self.window.ask(kind, one, torch.zeros(1, dtype=torch.long))
        return got.reshape(*lead, *got.shape[2:])


class Instance:
    """A model and a property; all that is asked goes through its books."""

    def __init__(
        self,
        model: Raw,
        question: Property,
        *,
        budget: int | None = None,  # questions, those of the judge included
        deadline: float = inf,  # on the monotonic clock
    ) -> None:
        """Open the books.

        Raises:
            BadProperty: the property speaks of another model.
        """
        spec = model.box.spec
        question.check(prod(spec.dense().shape), spec.answer.size)
        self.property, self._deadline = question, deadline
        self._raw, self._ledger = model, Ledger(1, budget)
        self.dtype = model.dtype
        window = Window(model.box, self._ledger, deadline=deadline)
        self.box: NoView = VIEWS[granted(model.box)](Pooled(window=window))

    @property
    def seconds(self) -> float | None:
        """What is left of the time; None if it has no end."""
        return None if self._deadline == inf else max(self._deadline - time.monotonic(), 0.0)

    @property
    def left(self) -> int:
        """Questions that can still be asked."""
        return int(self._ledger.left())

    @property
    def cost(self) -> Cost:
        """What was asked so far."""
        books = self._ledger
        return Cost(queries=int(books.queries), gradients=int(books.gradients), calls=books.calls)

    def replayed(self, x: Float[Tensor, " d"]) -> Counterexample | None:
        """The point as a counterexample, if the model as it runs confirms it; costs a question.

        Nothing is tolerated: the point lies in the region and the output in the unsafe set.
        """
        if not self.left:
            return None
        self._ledger.queries += 1
        self._ledger.paid += 1
        self._ledger.calls += 1
        shape, x = self.box.spec.dense().shape, x.detach().to(self.dtype)
        y = self._raw.judge(x.reshape(1, *shape).numpy(force=True))
        outputs = tuple(float(value) for value in y.reshape(-1))
        if not self.property.violated(x, outputs):
            return None
        return Counterexample(x=tuple(x.double().tolist()), y=outputs)
