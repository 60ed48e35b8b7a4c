"""What may be seen of a model: five protocols, each a superset of the one before."""

from collections.abc import Callable
from typing import Literal, Protocol, Self, runtime_checkable

from torch import Tensor, nn

from pellucid.errors import UserError
from pellucid.rows import Rows
from pellucid.shapes import LabelAnswer, ScoreAnswer
from pellucid.spec import Spec

Kind = Literal["labels", "scores", "logits"]
Access = Literal["none", "label", "score", "gradient", "white"]


class AccessDenied(UserError):
    """A method wants to see more of a model than was granted."""


@runtime_checkable
class NoBox(Protocol):
    """The spec and nothing else. Indexing by rows picks the rows that are asked about."""

    @property
    def spec(self) -> Spec:
        """What may be asked and what comes back."""
        ...

    def __getitem__(self, rows: Tensor) -> Self: ...


@runtime_checkable
class LabelBox(NoBox, Protocol):
    """The decision alone."""

    def labels(self, x: Rows) -> LabelAnswer:
        """What the model decides for x (*probes, rows, *shape): (*probes, rows)."""
        ...


@runtime_checkable
class ScoreBox(LabelBox, Protocol):
    """How sure the model is."""

    def scores(self, x: Rows) -> ScoreAnswer:
        """Log-probabilities (*probes, rows, outputs)."""
        ...


@runtime_checkable
class GradBox(ScoreBox, Protocol):
    """Gradients of the outputs by the input."""

    def logits(self, x: Rows) -> ScoreAnswer:
        """Raw outputs (*probes, rows, outputs), differentiable by x."""
        ...


@runtime_checkable
class WhiteBox(GradBox, Protocol):
    """The network itself."""

    @property
    def module(self) -> nn.Module:
        """The module; what goes through it is counted, and its weights are not to be changed."""
        ...


@runtime_checkable
class Fingerprinted(Protocol):
    """A box that can tell whether it is still the same model."""

    def fingerprint(self) -> str | None:
        """A hash of everything that decides the answers; None if that cannot be told."""
        ...


# isinstance against a runtime protocol is slow, and issubclass does not work: the order is data
LADDER: tuple[type, ...] = (NoBox, LabelBox, ScoreBox, GradBox, WhiteBox)
GRANTS: dict[Access, type] = dict(
    zip(("none", "label", "score", "gradient", "white"), LADDER, strict=True)
)
ASK: dict[Kind, Callable[..., Tensor]] = {
    "labels": lambda box, x: box.labels(x),
    "scores": lambda box, x: box.scores(x),
    "logits": lambda box, x: box.logits(x),
}


def granted(box: object) -> type:
    """The most that a box shows; AccessDenied if it is no box at all."""
    for protocol in reversed(LADDER):
        if isinstance(box, protocol):
            return protocol
    raise AccessDenied(
        f"{type(box).__name__} is not a box: open the model first, as in "
        "pellucid.open(model, access='label', shape=...)."
    )


def demand(who: str, wanted: type, box: object) -> None:
    """AccessDenied unless the box grants what is wanted."""
    grants = granted(box)
    if LADDER.index(wanted) > LADDER.index(grants):
        raise AccessDenied(
            f"{who} needs a {wanted.__name__}, but this box grants only a {grants.__name__}: "
            "open the model with more access, or choose a method that needs less."
        )
