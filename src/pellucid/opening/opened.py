"""An opened model: all that is known of it, how that is known, and the boxes it can be put in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf

from torch import nn

from pellucid.box.answerer import Answerer
from pellucid.box.array_box import ArrayBox
from pellucid.box.model_box import ModelBox
from pellucid.box.preprocessing import Preprocessing
from pellucid.box.protocols import GRANTS, LADDER, Access, AccessDenied, NoBox
from pellucid.box.torch_box import TorchBox
from pellucid.box.views import VIEWS, Direct
from pellucid.errors import UserError
from pellucid.opening.facts import Facts
from pellucid.spec import Dense, Image, OneClass, Spec, Values, Vector

UNCOUNTED = 2**31  # classes of a model that answers labels and does not say how many there are


@dataclass(frozen=True, kw_only=True, eq=False)
class Opened:
    """A model and the facts that decide how it is asked and read."""

    reference: str
    model: nn.Module | Answerer
    facts: Facts
    by: Mapping[str, str]  # who told each fact
    outputs: int  # numbers that it answers a row
    paid: bool = False  # whether a question costs more than time
    notes: tuple[str, ...] = ()  # sentences that whoever opens the model should read
    rows_per_call: int = 1000
    calls_at_once: int = 1  # calls that may be under way together
    asked: int = 0  # rows that opening has asked about, in one call

    @property
    def most(self) -> Access:
        """The most that can be granted of such a model."""
        if self.facts.emits == "label":
            return "label"
        if not isinstance(self.model, nn.Module) or preprocessing(self.facts).rounds:
            return "score"
        return "white"

    def with_facts(self, facts: Facts) -> "Opened":
        """The same model, used in another way; nothing is loaded or asked again."""
        return replace(self, facts=facts)

    def told(self) -> dict[str, dict[str, object]]:
        """Every fact that is used, with its value and who told it."""
        spec, prepare = source(self.facts), preprocessing(self.facts)
        used = {
            "emits": self.facts.emits,
            "shape": spec.shape,
            "bounds": (spec.low, spec.high),
            "mean": prepare.mean,
            "std": prepare.std,
            "layout": prepare.layout,
            "dtype": prepare.dtype,
            "labels": self.facts.labels,
            "output": self.facts.output,
        }
        return {
            name: {"value": _plain(value), "by": self.by.get(name, "the default")}
            for name, value in used.items()
            if value is not None
        }

    def box(self, access: Access | None = None) -> NoBox:
        """The model behind glass, granting no more than `access`; None: all that it can give.

        Raises:
            AccessDenied: the model cannot give so much.
        """
        granted = access or self.most
        if granted not in GRANTS:
            raise UserError(f"There is no access {access!r}: choose one of {', '.join(GRANTS)}.")
        if LADDER.index(GRANTS[granted]) > LADDER.index(GRANTS[self.most]):
            raise AccessDenied(
                f"{self._cannot()}, so access {access!r} cannot be granted: "
                f"open it with access='{self.most}'."
            )
        return VIEWS[GRANTS[granted]](Direct(self._whole()))

    def spec(self) -> Spec:
        """What may be asked of the model, and what its answers mean."""
        return Spec(
            input=source(self.facts),
            answer=self._meaning(),
            rows_per_call=self._rows(),
            calls_at_once=self.calls_at_once,
        )

    def _cannot(self) -> str:
        if self.facts.emits == "label":
            return "This model emits labels alone"
        if isinstance(self.model, nn.Module):
            return f"This model takes {self.facts.dtype}, through which no gradient flows"
        return " ".join(["This model gives no gradients", *(f"({note})" for note in self.notes)])

    def _rows(self) -> int:
        if self.rows_per_call < 1:
            raise UserError(
                f"A call carries at least one row, but rows_per_call is {self.rows_per_call}."
            )
        return self.rows_per_call

    def _whole(self) -> ModelBox:
        emits, prepare = self.facts.emits or "logits", preprocessing(self.facts)
        calls = min(self.asked, 1)
        if isinstance(self.model, nn.Module):
            return TorchBox(
                module=self.model,
                spec=self.spec(),
                emits=emits,
                preprocessing=prepare,
                calls=calls,
                rows=self.asked,
            )
        return ArrayBox(
            model=self.model,
            spec=self.spec(),
            emits=emits,
            preprocessing=prepare,
            calls=calls,
            rows=self.asked,
        )

    def _meaning(self) -> OneClass | Values:
        emits, labels, size = self.facts.emits, self.facts.labels, self.outputs
        if emits == "values":
            return Values(size=size)
        if (emits == "label") != (size == 1):
            raise UserError(
                f"A model that emits {emits} cannot answer {size} numbers a row: "
                "say what it emits, or wrap it to give a label, or one score a class."
            )
        if emits == "label":
            return OneClass(size=len(labels) if labels else UNCOUNTED)
        if labels and len(labels) != size:
            raise UserError(
                f"There are {len(labels)} labels, but the model has {size} outputs: name each "
                "output once, in order."
            )
        return OneClass(size=size)


def _plain(value: object) -> object:
    """A fact as JSON has it, which knows no infinity."""
    if not isinstance(value, tuple):
        return value
    return [None if part in (inf, -inf) else part for part in value]


def source(facts: Facts) -> Dense:
    """What the model is asked about: an image, if there are three sizes and a plane; or a vector.

    Raises:
        UserError: the shape is not known.
    """
    shape = facts.shape
    if shape is None:
        raise UserError(
            "The shape of an input is not known: pass it, as in shape=(1, 28, 28) or "
            "--shape 1,28,28."
        )
    if len(shape) == 3 and min(shape[1:]) != 1:
        low, high = facts.bounds or (0.0, 1.0)
        return Image(shape=(shape[0], shape[1], shape[2]), low=low, high=high)
    low, high = facts.bounds or (-inf, inf)
    return Vector(shape=shape, low=low, high=high)


def preprocessing(facts: Facts) -> Preprocessing:
    """What is done to an input before the model sees it."""
    return Preprocessing(
        mean=(0.0,) if facts.mean is None else facts.mean,
        std=(1.0,) if facts.std is None else facts.std,
        layout=facts.layout or "chw",
        dtype=facts.dtype,
    )
