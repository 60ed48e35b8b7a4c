"""From a reference to an opened model: who tells which fact, and what the answers show."""

from dataclasses import replace

from torch import nn

from pellucid.box.answerer import Answerer
from pellucid.errors import UserError
from pellucid.opening import doors
from pellucid.opening.facts import Facts, Telling, merged
from pellucid.opening.found import Found, Untrusted
from pellucid.opening.look import PROBES, emitted, look
from pellucid.opening.opened import Opened, preprocessing, source
from pellucid.opening.said import ENDING, beside, read
from pellucid.remote.terms import Terms

CHANNELS = (1, 3, 4)  # sizes of an axis that is taken for colour where nothing is declared


def understand(
    reference: str | nn.Module | Answerer | Found,
    *,
    declared: Facts = Facts(),
    data: Facts = Facts(),
    trust: bool = False,
    rows_per_call: int = 1000,
    terms: Terms = Terms(),
) -> Opened:
    """Find a model, and all that must be known to ask it and to read its answers.

    Opening asks about 8 random rows once, unless the model says itself what it answers.

    Args:
        reference: a torch module, an answerer or what a loader found, or one of the forms in
            `pellucid.opening.doors.DOORS`, or a `*.pellucid.toml` that names one as `model`.
        declared: what the user says; it goes before all that others tell.
        data: what the rows to be asked about suggest; it comes after all that others tell.
        trust: let files be unpickled, which runs whatever code they hold.
        rows_per_call: rows that one call carries at most.
        terms: on which an endpoint is asked. Where a file of facts names it, the token in
            PELLUCID_TOKEN is not sent, unless the terms name that variable.

    Raises:
        UserError: in a sentence, if there is no such model, or the facts do not fit it.
    """
    tellings = [Telling(by="declared", facts=declared)]
    suggested = Telling(by="the data", facts=_channels_first(data))
    if not isinstance(reference, str):
        found = _given(reference)
    else:
        written = read(reference) if reference.endswith(ENDING) else beside(reference)
        if written is not None:
            reference = _model(reference, written.model, trust)
            terms = replace(terms, anonymous=True)  # the user did not write that address
            tellings.append(Telling(by=str(written.path), facts=written.facts))
        told, _ = merged([*tellings, suggested])
        found = doors.find(reference, told, trust=trust, terms=terms)
    tellings += [Telling(by=found.by, facts=found.facts), _taken(found, merged(tellings)[0])]
    facts, by = merged([*tellings, suggested])
    opened = Opened(
        reference=reference if isinstance(reference, str) else type(found.model).__name__,
        model=found.model,
        facts=facts,
        by=by,
        outputs=found.outputs or 0,
        paid=found.paid,
        notes=found.notes,
        rows_per_call=min(rows_per_call, found.rows_per_call or rows_per_call),
        calls_at_once=found.calls_at_once,
    )
    return _seen(opened)


def _given(reference: object) -> Found:
    """A model that is handed over from Python."""
    if isinstance(reference, Found):
        return reference
    if not isinstance(reference, nn.Module | Answerer):
        raise UserError(
            f"A model is a torch module or a name such as builtin:digits-cnn, not a "
            f"{type(reference).__name__}: wrap an estimator by pellucid.opening.wrapped, and "
            "another thing by a module."
        )
    return Found(model=reference, by="the module")


def _model(reference: str, named: str | None, trust: bool) -> str:
    """The model that a file of facts names, or beside which it lies."""
    if not reference.endswith(ENDING):
        return reference
    if named is None:
        raise UserError(f"{reference} names no model: add a line such as model = 'net.onnx'.")
    if doors.door_of(named).executes and not trust:
        raise Untrusted(
            f"{reference} names code to run, {named}: if you know where it comes from, say --trust "
            "(trust=True)."
        )
    return named


def _taken(found: Found, told: Facts) -> Telling:
    """Shape and layout, from the sizes that the model itself declares."""
    if found.takes is None or None in found.takes:
        return Telling(by=found.by, facts=Facts())
    takes = tuple(size for size in found.takes if size is not None)
    last = len(takes) == 3 and takes[-1] in CHANNELS and takes[0] not in CHANNELS
    if told.layout == "hwc" or (told.layout is None and last):
        facts = Facts(shape=(takes[-1], *takes[:-1]), layout="hwc")
        return Telling(by=f"{found.by}, whose input ends in its channels", facts=facts)
    return Telling(by=found.by, facts=Facts(shape=takes))


def _channels_first(data: Facts) -> Facts:
    """The facts of data, with the shape of their rows as a box wants it."""
    shape = data.shape
    if shape is None or len(shape) != 3 or shape[0] in CHANNELS or shape[-1] not in CHANNELS:
        return data
    return replace(data, shape=(shape[-1], *shape[:-1]))


def _seen(opened: Opened) -> Opened:
    """The model after a look at what it answers, where something is not known without one."""
    if not isinstance(opened.model, nn.Module) and opened.outputs and opened.facts.emits:
        opened.spec()  # what does not fit is said now
        return opened
    answers = look(opened.model, source(opened.facts), preprocessing(opened.facts))
    facts, by = opened.facts, dict(opened.by)
    if facts.emits is None:
        emits, by["emits"] = emitted(answers)
        facts = replace(facts, emits=emits)
    outputs = 1 if answers.ndim == 1 else answers.shape[1]
    seen = replace(opened, facts=facts, by=by, outputs=outputs, asked=PROBES)
    seen.spec()
    return seen
