"""What an audit is about: a model behind glass, and the rows that it is asked about."""

from dataclasses import dataclass
from pathlib import Path

from pellucid.audit.access import named
from pellucid.audit.document import ModelFacts
from pellucid.audit.finding import Cost
from pellucid.audit.sample import sample
from pellucid.box.protocols import GRANTS, Access, NoBox, demand, granted
from pellucid.box.views import VIEWS, Direct, fingerprint
from pellucid.data import Dataset
from pellucid.opening import Opened, doors, understand
from pellucid.opening.facts import Facts
from pellucid.opening.fitting import fitted
from pellucid.opening.said import ENDING
from pellucid.remote.terms import Terms

RAW = Facts(emits="values")  # what a specification speaks of


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The box, the rows, and what the report says of the model."""

    box: NoBox
    data: Dataset | None  # None: it is asked about no rows
    facts: ModelFacts
    opening: Cost  # what opening the model has cost
    opened: Opened | None = None  # None: it was handed over in a box
    paid: bool = False  # whether a question costs more than time


def meet(
    reference: str,
    data: str | Path | None,
    rows: int | None = None,
    *,
    target: str | None = None,
    declared: Facts = Facts(),
    trust: bool = False,
    rows_per_call: int = 1000,
    terms: Terms = Terms(),
) -> tuple[Opened, Dataset]:
    """The opened model, and the rows that it is asked about, laid out as it wants them.

    Raises:
        UserError: in a sentence, for a model or data that cannot be had or do not fit together.
    """
    if not reference.endswith(ENDING):
        doors.door_of(
            reference
        )  # what is wrong with the model is said before what is with the data
    chosen = sample(data, reference, rows, target)
    bounds = None if chosen.low is None or chosen.high is None else (chosen.low, chosen.high)
    hints = Facts(shape=chosen.shape, bounds=bounds)
    opened = understand(
        reference,
        declared=declared,
        data=hints,
        trust=trust,
        rows_per_call=rows_per_call,
        terms=terms,
    )
    return opened, fitted(chosen, opened)


def subject(
    model: str | Opened | NoBox,
    data: str | Path | Dataset | None,
    rows: int | None,
    access: Access | None,
    *,
    rowless: bool = False,
) -> Subject:
    """The subject of an audit, however it was given; `rowless` allows that there are no rows."""
    if data is None and rowless:
        chosen = None
        model = understand(model, declared=RAW) if isinstance(model, str) else model
    elif isinstance(model, str) and not isinstance(data, Dataset):
        model, chosen = meet(model, data, rows)
    else:
        chosen = data if isinstance(data, Dataset) else sample(data, "", rows)
        if isinstance(model, str):
            model = understand(model, data=Facts(shape=chosen.shape))
    if not isinstance(model, Opened):
        return _boxed(model, chosen, access)
    box = model.box(access)
    facts = ModelFacts(
        reference=model.reference,
        access=named(granted(box)),
        spec=str(box.spec),
        fingerprint=fingerprint(box),
        understood=model.told(),
        notes=model.notes,
    )
    cost = Cost(queries=model.asked, calls=min(model.asked, 1))
    return Subject(box=box, data=chosen, facts=facts, opening=cost, opened=model, paid=model.paid)


def _boxed(box: NoBox, chosen: Dataset | None, access: Access | None) -> Subject:
    """A box that was opened elsewhere."""
    reference = type(box).__name__
    if access is not None:
        demand(f"Access {access!r}", GRANTS[access], box)
        box = VIEWS[GRANTS[access]](Direct(box))
    facts = ModelFacts(
        reference=reference,
        access=named(granted(box)),
        spec=str(box.spec),
        fingerprint=fingerprint(box),
    )
    return Subject(box=box, data=chosen, facts=facts, opening=Cost())
