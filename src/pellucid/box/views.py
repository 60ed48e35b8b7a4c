"""Views: the faces of a box, one a kind of access, that show no more than their name says."""

from typing import Protocol, Self, runtime_checkable

from torch import Tensor, nn

from pellucid.box.protocols import (
    ASK,
    Fingerprinted,
    GradBox,
    Kind,
    LabelBox,
    NoBox,
    ScoreBox,
    WhiteBox,
)
from pellucid.rows import Rows
from pellucid.shapes import LabelAnswer, ScoreAnswer
from pellucid.spec import Spec


@runtime_checkable
class Asker(Protocol):
    """Whatever stands behind a view and gets its answers."""

    @property
    def spec(self) -> Spec:
        """What may be asked."""
        ...

    def network(self) -> nn.Module:
        """The module, for views that show it."""
        ...

    def fingerprint(self) -> str | None:
        """A hash of the model, if the box has one."""
        ...

    def ask(self, kind: Kind, x: Rows, rows: Tensor | None, /) -> Tensor:
        """Put a question about rows of the run (None: no run)."""
        ...


class Direct:
    """Asks a box as it stands; where it is a view of a run, about the rows that are meant."""

    def __init__(self, box: NoBox) -> None:
        """Stand before the box."""
        self.box = box

    @property
    def spec(self) -> Spec:
        """The box's."""
        return self.box.spec

    def network(self) -> nn.Module:
        """The box's module, which the view was granted."""
        assert isinstance(self.box, WhiteBox)
        return self.box.module

    def fingerprint(self) -> str | None:
        """The box's, if it has one."""
        return fingerprint(self.box)

    def ask(self, kind: Kind, x: Rows, rows: Tensor | None, /) -> Tensor:
        """Put the question."""
        return ASK[kind](self.box if rows is None else self.box[rows], x)


def fingerprint(box: NoBox) -> str | None:
    """The box's own fingerprint, if it has one."""
    return box.fingerprint() if isinstance(box, Fingerprinted) else None


class NoView:
    """Shows the spec."""

    def __init__(self, asker: Asker, rows: Tensor | None = None) -> None:
        """See through `asker`; `rows` are the rows of the run that questions are about."""
        self._asker, self._rows = asker, rows

    @property
    def spec(self) -> Spec:
        """What may be asked and what comes back."""
        return self._asker.spec

    def fingerprint(self) -> str | None:
        """A hash of the model, if the box has one."""
        return self._asker.fingerprint()

    def __getitem__(self, rows: Tensor) -> Self:
        return type(self)(self._asker, None if self._rows is None else self._rows[rows])

    def __repr__(self) -> str:
        return f"{type(self).__name__.removesuffix('View')}Box({self.spec})"


class LabelView(NoView):
    """Shows decisions."""

    def labels(self, x: Rows) -> LabelAnswer:
        """What the model decides."""
        return self._asker.ask("labels", x, self._rows)


class ScoreView(LabelView):
    """Shows log-probabilities too."""

    def scores(self, x: Rows) -> ScoreAnswer:
        """Log-probabilities."""
        return self._asker.ask("scores", x, self._rows)


class GradView(ScoreView):
    """Shows differentiable outputs too."""

    def logits(self, x: Rows) -> ScoreAnswer:
        """Raw outputs."""
        return self._asker.ask("logits", x, self._rows)


class WhiteView(GradView):
    """Shows the network too."""

    @property
    def module(self) -> nn.Module:
        """The network."""
        return self._asker.network()


VIEWS: dict[type, type[NoView]] = {
    NoBox: NoView,
    LabelBox: LabelView,
    ScoreBox: ScoreView,
    GradBox: GradView,
    WhiteBox: WhiteView,
}
